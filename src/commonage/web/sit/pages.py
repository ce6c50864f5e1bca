"""The seat's page and its line to the server: what comes in is small, seldom and read strictly, or refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from commonage.web.sit.person import Person, clock
from commonage.web.sit.room import Room
from commonage.web.site import LARGEST, page

RATE, BURST = 20, 40  # messages a second that a page may send, and at once
ELSEWHERE, TOO_MANY = 4001, 4008  # why we close a line; a page does not come back by itself after these
PROTOCOL = 'a message is {"join": name} or {"id": of the question, "answer": text}'


def routes(room: Room) -> list[BaseRoute]:
    """/seat/TOKEN and its line. A wrong token is not found, like any address that is not there."""

    async def seat(request: Request) -> Response:
        if room.find(request.path_params["token"]) is None:
            raise HTTPException(404)
        return page("sit.html")

    async def line(socket: WebSocket) -> None:
        person = room.find(socket.path_params["token"])
        if person is None:
            return await socket.close()
        await socket.accept()
        await Line(room, person, socket).serve()

    return [Route("/seat/{token}", seat), WebSocketRoute("/seat/{token}/line", line)]


class Line:
    """One open page."""

    def __init__(self, room: Room, person: Person, socket: WebSocket) -> None:
        self.room, self.person, self.socket = room, person, socket
        self.credit, self.at = float(BURST), clock()
        self.goes = asyncio.Event()  # another page of the same link takes over

    async def serve(self) -> None:
        """Until the page goes, or is sent away."""
        before = self.person.connect(self)
        if before is not None:
            before.goes.set()
        self.room.lobby()
        tasks = [asyncio.ensure_future(work) for work in (self.tell(), self.listen(), self.goes.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[2] in done:
                await self.close(ELSEWHERE, "opened elsewhere")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.person.disconnect(self)
            self.room.lobby()

    async def tell(self) -> None:
        """Sends what is new, of each slot the newest: a slow page is never behind by more than one picture."""
        after = self.socket.query_params.get("after", "0")
        last = int(after) if after.isdecimal() and len(after) < 16 else 0
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                self.person.news.clear()
                for message in self.person.after(last):
                    await self.socket.send_text(_dumps(message))
                    last = message["n"]
                await self.person.news.wait()

    async def listen(self) -> None:
        """Takes what the page sends."""
        while (message := await self.socket.receive())["type"] == "websocket.receive":
            if not self.allowed():
                self.room.refused(self.person, f"more than {RATE} messages a second")
                return await self.close(TOO_MANY, "too many messages")
            if why := self.take(message.get("text")):
                self.room.refused(self.person, why)
                await self.socket.send_text(_dumps({"kind": "refused", "why": why}))
        if message.get("code") == 1009:
            self.room.refused(self.person, f"a message of more than {LARGEST:,} bytes")

    def allowed(self) -> bool:
        """Whether it is not too much: a bucket of credit that fills with time."""
        now = clock()
        self.credit, self.at = min(self.credit + RATE * (now - self.at), BURST) - 1, now
        return self.credit >= 0

    def take(self, text: str | None) -> str:
        """Why a message does not count; "" where it does."""
        try:
            message = json.loads(text or "")
        except (ValueError, RecursionError):
            return PROTOCOL
        match message:
            case {"join": str(name)}:
                self.person.join(name)
                self.room.lobby()
                return ""
            case {"id": str(id), "answer": str(answer)}:
                return self.person.take(id, answer)
        return PROTOCOL

    async def close(self, code: int, why: str) -> None:
        """Sends the page away."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self.socket.close(code, why)


def _dumps(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))
