"""A model that really computes, in this process: its reply is a function of what it is asked. And a View's place in a match."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from commonage.model import Call, Message, Model, Reply, Trouble

HELLO = (Message("system", "Six fish a round."), Message("user", "How many?"))


class Abacus(Model):
    """Counts the beads. `troubles`: what comes in the way of the next requests; `gate`: closed, replies wait for it."""

    verbs = ("chat", "decide")

    def __init__(self, name: str = "counting/abacus", address: str = "https://abacus.example/v1") -> None:
        self.name, self.address = name, address
        self.sent: list[tuple[Message, ...]] = []
        self.troubles: list[Exception | None] = []
        self.flying = self.most = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False

    async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
        await self._work(messages)
        digest = hashlib.sha256(repr((messages, sorted(settings.items()))).encode()).digest()
        return Reply(f"I take\n{digest[0] % 6}", tokens_in=100, tokens_out=10)

    async def decide(self, messages: Sequence[Message], options: Sequence[str], **settings: Any) -> Reply:
        await self._work(messages)
        return Reply("", tokens_in=100, tokens_out=1, p=tuple(1 / len(options) for _ in options), mass=0.9)

    async def close(self) -> None:
        self.closed = True

    async def _work(self, messages: Sequence[Message]) -> None:
        self.sent.append(tuple(messages))
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            await asyncio.sleep(0)
            await self.gate.wait()
            if self.troubles and (trouble := self.troubles.pop(0)):
                raise trouble
        finally:
            self.flying -= 1


class Place(NamedTuple):
    """What the desk reads of a View."""

    step: int = 0
    place: int = 0
    seat: int = 0
    attempt: int = 0
    key: tuple[int, int] = (1, 2)


class Book:
    """Keeps the calls that a desk records."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.places: list[tuple[int, int, int, int]] = []

    def __call__(self, step: int, seat: int, attempt: int, number: int, call: Call) -> None:
        self.places.append((step, seat, attempt, number))
        self.calls.append(call)


def busy(status: int = 503, **more: Any) -> Trouble:
    return Trouble(f"status {status}", status, **more)
