"""A study with people before pages, running in a thread of its own; clients that sit down by websocket."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from commonage.run.result import Result
from commonage.run.study import Study
from commonage.web.sit import House, Room, seated, sit

SECONDS = 120  # after which a test gives up
PATIENT = House(clock=SECONDS, grace=SECONDS, wait=SECONDS)  # a busy machine fails nothing
Message = dict[str, Any]


class Sat:
    """A study that runs: its links, its room, and what it comes to."""

    def __init__(self, hall: Callable[[Study, list[str], House], Room]) -> None:
        self.links, self.hall = list[str](), hall
        self.ready, self.result, self._room = threading.Event(), Future[Result](), list[Room]()

    def told(self, text: str) -> None:
        if found := re.findall(r"http\S+", text):
            self.links = found
            self.ready.set()

    def seats(self, study: Study, tokens: list[str], house: House) -> Room:
        self._room.append(self.hall(study, tokens, house))
        return self.room

    @property
    def room(self) -> Room:
        return self._room[0]

    @property
    def troubles(self) -> list[str]:
        return [trouble.what for trouble in self.room.troubles]

    def over(self) -> Result:
        return self.result.result(SECONDS)


@contextmanager
def sitting(study: Study, path: Path, house: House = PATIENT, hall: Any = seated, **how: Any) -> Iterator[Sat]:
    """The study runs while the block does; whoever is in it must let it end."""
    sat = Sat(hall)

    def run() -> None:
        try:
            sat.result.set_result(sit(study, path, house=house, say=sat.told, room=sat.seats, **how))
        except BaseException as error:
            sat.result.set_exception(error)
            sat.ready.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert sat.ready.wait(SECONDS)
    if sat.result.done():
        sat.over()
    yield sat
    sat.over()
    thread.join(SECONDS)


class Client:
    """One open line: keeps all messages."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.messages = socket, list[Message]()

    async def hear(self) -> Message:
        self.messages.append(json.loads(await asyncio.wait_for(self.socket.recv(), SECONDS)))
        return self.messages[-1]

    async def until(self, *kinds: str) -> Message:
        """The next message of one of these kinds."""
        while (message := await self.hear())["kind"] not in kinds:
            pass
        return message

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def answer(self, ask: Message, text: str) -> None:
        await self.say(id=ask["id"], answer=text)

    async def play(self, answer: Callable[[Message], str]) -> list[Message]:
        """Answers all questions until the study is over; gives all that was shown."""
        while (message := await self.until("ask", "over"))["kind"] == "ask":
            await self.answer(message, answer(message))
        return self.messages


class line:
    """`async with line(link) as client:` a page that opens, sits down, and closes."""

    def __init__(self, link: str, after: int = 0, name: str | None = "Ann") -> None:
        self.connection = connect(f"{link.replace('http', 'ws', 1)}/line?after={after}", max_size=None, ping_interval=None)
        self.name = name

    async def __aenter__(self) -> Client:
        client = Client(await self.connection.__aenter__())
        if self.name is not None:
            await client.say(join=self.name)
        return client

    async def __aexit__(self, *error: Any) -> None:
        await self.connection.__aexit__(*error)


async def play(link: str, answer: Callable[[Message], str], name: str = "Ann") -> list[Message]:
    """Sits down and plays to the end."""
    async with line(link, name=name) as client:
        return await client.play(answer)


def together(*people: Any) -> list[Any]:
    """What several people do, at once."""

    async def all_() -> list[Any]:
        return await asyncio.gather(*people)

    return asyncio.run(all_())


def of(messages: list[Message], kind: str) -> list[Message]:
    """The messages of one kind."""
    return [message for message in messages if message["kind"] == kind]
