"""A study with people before pages, running in a thread of its own; clients that sit down by websocket, and browsers."""

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

import pytest
from websockets.asyncio.client import connect

from commonage.run.result import Result
from commonage.run.study import Study
from commonage.web.sit import House, Room, seated, sit

SECONDS = 60  # after which a test gives up
QUICK = House(clock=30, grace=5, wait=30)
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
Message = dict[str, Any]


class Sat:
    """A study that runs: its links, its room, and what it comes to."""

    def __init__(self) -> None:
        self.links: list[str] = []
        self.ready, self.result, self.room = threading.Event(), Future[Result](), None

    def told(self, text: str) -> None:
        if found := re.findall(r"http\S+", text):
            self.links = found
            self.ready.set()

    def seats(self, study: Study, tokens: list[str], house: House) -> Room:
        self.room = seated(study, tokens, house)
        return self.room

    @property
    def troubles(self) -> list[str]:
        return [trouble.what for trouble in self.room.troubles]

    def over(self) -> Result:
        return self.result.result(SECONDS)


@contextmanager
def sitting(study: Study, path: Path, house: House = QUICK, **how: Any) -> Iterator[Sat]:
    """The study runs while the block does; whoever is in it must let it end."""
    sat = Sat()

    def run() -> None:
        try:
            sat.result.set_result(sit(study, path, house=house, say=sat.told, **{"room": sat.seats, **how}))
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
    """One open line: keeps all messages, and the newest of each slot."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.messages, self.shown = socket, list[Message](), dict[str, Message]()

    async def hear(self) -> Message:
        message = json.loads(await asyncio.wait_for(self.socket.recv(), SECONDS))
        self.messages.append(message)
        self.shown[message.get("slot", message["kind"])] = message
        return message

    async def until(self, *kinds: str) -> Message:
        """The next message of one of these kinds."""
        while (message := await self.hear())["kind"] not in kinds:
            pass
        return message

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def answer(self, ask: Message, text: str) -> None:
        await self.say(id=ask["id"], answer=text)


class line:
    """`async with line(link) as client:` a page that opens, and closes."""

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
    """Sits down and answers all questions until the study is over; gives all that was shown."""
    async with line(link, name=name) as client:
        while (message := await client.until("ask", "over"))["kind"] == "ask":
            await client.answer(message, answer(message))
        return client.messages


def together(*people: Any) -> list[Any]:
    """What several people do, at once."""

    async def all_() -> list[Any]:
        return await asyncio.gather(*people)

    return asyncio.run(all_())


def browser(width: int = 1280, height: int = 900, dark: bool = False) -> Any:
    """A headless Chromium."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    if missing := [str(path) for path in (CHROMIUM, DRIVER) if not path.exists()]:
        pytest.skip(f"no {' and no '.join(missing)}: apt-get install chromium chromium-driver")
    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},{height}"):
        options.add_argument(flag)
    if dark:
        options.add_argument("--force-dark-mode")
        options.add_argument("--blink-settings=preferredColorScheme=0")
    return webdriver.Chrome(options, Service(str(DRIVER)))
