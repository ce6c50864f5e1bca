"""One person: a token, at most one connection, what their page shows, and the question that is put to them. No HTTP here."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import math
import time
from typing import Any

from commonage.agent import View, read
from commonage.errors import Unreadable

clock = time.monotonic
LONG = 40  # characters of a name


@dataclasses.dataclass
class Open:
    """A question that is open. In real time the last answer before `until` counts, else the first."""

    id: str
    view: View
    until: float  # by `clock`
    real_time: bool = False
    given: tuple[int, str, str] | None = None  # (move, sentence, as it was typed)

    @property
    def closed(self) -> bool:
        """Whether nothing more is waited for."""
        return self.given is not None and not self.real_time


class Person:
    """Whom a link lets in. What the page shows stands in slots: of each the newest message, so that a page that comes back catches up.

    Messages are numbered from the clock on, so that those of a server that was started again have higher numbers.
    """

    def __init__(self, number: int, token: str) -> None:
        self.number, self.token, self.name = number, token, ""
        self.joined = False  # has sat down
        self.line: Any = None  # the connection of the page
        self.since = clock()  # it was last seen
        self.shown: dict[str, dict[str, Any]] = {}
        self.last = int(time.time() * 1000)
        self.news, self.turned = asyncio.Event(), asyncio.Event()
        self.question: Open | None = None

    @property
    def who(self) -> str:
        """As the operator reads it."""
        return f"person {self.number + 1}{f' ({self.name})' if self.name else ''}"

    def show(self, slot: str, kind: str, **message: Any) -> None:
        """Put a message in place of what the slot showed."""
        self.last += 1
        self.shown[slot] = {"n": self.last, "slot": slot, "kind": kind, **message}
        self.news.set()

    def after(self, number: int) -> list[dict[str, Any]]:
        """What the page does not show yet, if `number` is the last that it got. `until` becomes seconds that are `left`."""
        newer = sorted((message for message in self.shown.values() if message["n"] > number), key=lambda message: message["n"])
        return [_timed(message) for message in newer]

    def connect(self, line: Any) -> Any:
        """A page opens; gives the connection that it takes the place of."""
        before, self.line = self.line, line
        self.turned.set()
        return before

    def disconnect(self, line: Any) -> None:
        """A page closes; one that was taken over is no loss."""
        if self.line is line:
            self.line, self.since = None, clock()
            self.turned.set()

    def join(self, name: str) -> None:
        """Sit down under a name."""
        shown = "".join(char for char in name if char.isprintable()).strip()
        self.name, self.joined = shown[:LONG], True
        self.turned.set()

    def present(self) -> bool:
        """Whether the person sits before an open page."""
        return self.joined and self.line is not None

    def waited_for(self, grace: float) -> float:
        """By `clock`: until when one who was there may be away."""
        return math.inf if self.line is not None else self.since + grace

    def take(self, id: str, text: str) -> str:
        """An answer: "" where it counts, else why it does not. It is read as strictly as a model's."""
        question = self.question
        if question is None or question.id != id or question.closed:
            return "this question is not open: it was answered, or its time is over"
        try:
            question.given = (*read(question.view, text), text)
        except Unreadable as problem:
            return str(problem)
        self.turned.set()
        return ""

    async def answers(self, question: Open, grace: float) -> None:
        """Waits until the question is closed, its time is over, or the person is away for longer than `grace`."""
        self.question = question
        try:
            while not question.closed and (left := min(question.until, self.waited_for(grace)) - clock()) > 0:
                self.turned.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self.turned.wait()
        finally:
            self.question = None


def _timed(message: dict[str, Any]) -> dict[str, Any]:
    if "until" not in message:
        return message
    left = max(message["until"] - clock(), 0)
    return {key: value for key, value in message.items() if key != "until"} | {"left": round(left, 2) if left < math.inf else None}
