"""The addresses of the watching site: one page, JSON for it, and a line that tells what was appended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from commonage.errors import CommonageError, SpecError
from commonage.store import file
from commonage.web import site
from commonage.web.watch.lanes import Hands
from commonage.web.watch.watched import Hidden, Watched

POLL = 0.2  # seconds between two looks at a log
DEEP = 3  # folders below the one that is served
UNKNOWN = 4404  # how a line is closed that leads nowhere


class Shelf:
    """The studies in a folder, or the one that it is; found anew each time that they are listed."""

    def __init__(self, root: Path, hands: Hands) -> None:
        self.root, self.hands, self.known = root, hands, dict[str, Watched]()
        if not self.look():
            raise SpecError(f"no log in {str(root)!r}, nor in a folder in it: give a folder that `commonage play --out` or `study` wrote")

    def look(self) -> list[Watched]:
        """All of them, by name."""
        for folder in [self.root, *(path for deep in range(1, DEEP + 1) for path in sorted(self.root.glob("*/" * deep)))]:
            name = "~".join(folder.relative_to(self.root).parts) or "here"
            if name not in self.known and (folder / file.NAME).exists():
                self.known[name] = Watched(name, folder, self.hands)
        return list(self.known.values())

    def __getitem__(self, name: str) -> Watched:
        """Raises LookupError."""
        return self.known[name]


def watch(root: str | Path, *, open_hands: bool = False, host: str = site.LOOPBACK, password: str = "") -> Starlette:
    """The site that shows the studies in a folder. Raises SpecError where there is none."""
    shelf = Shelf(Path(root), Hands(open_hands))
    return site.site(_routes(shelf), host=host, password=password)


def _routes(shelf: Shelf) -> list[BaseRoute]:
    page = lambda _: site.page("watch.html")
    one = "/api/{study}/matches/{match:int}"
    answers: dict[str, Callable[[Watched, Request], Any]] = {
        "/api/{study}": lambda study, _: _counted(study).study(),
        "/api/{study}/arms": lambda study, _: _arms(study),
        "/api/{study}/matches": lambda study, asked: study.matches(_number(asked, "first", 1), _number(asked, "count", 50)),
        "/api/{study}/such/{status}": lambda study, asked: study.such(
            asked.path_params["status"], _number(asked, "first", 0), _number(asked, "count", 50)
        ),
        one: lambda study, asked: study.match(_match(asked)),
        f"{one}/columns": lambda study, asked: study.columns(_match(asked), _number(asked, "first", 1), _number(asked, "last", 1)),
        f"{one}/scene": lambda study, asked: study.picture(_match(asked), _number(asked, "step", 0), _number(asked, "round", 0)),
        f"{one}/course": lambda study, asked: study.course(_match(asked)).read(),
        f"{one}/seen": lambda study, asked: study.seen(_match(asked), _number(asked, "step", 0), _number(asked, "seat", 1) - 1),
    }
    return [
        *(Route(path, page) for path in ("/", "/study/{study}", "/study/{study}/{match:int}")),
        Route("/api", _listing(shelf)),
        *(Route(path, _answer(shelf, say)) for path, say in answers.items()),
        WebSocketRoute("/live/{study}", Live(shelf)),
        WebSocketRoute("/live/{study}/{match:int}", Live(shelf)),
    ]


def _listing(shelf: Shelf) -> Callable[[Request], Any]:
    async def listing(_: Request) -> Response:
        return await _told(lambda: [_brief(study) for study in shelf.look()])

    return listing


def _answer(shelf: Shelf, say: Callable[[Watched, Request], Any]) -> Callable[[Request], Any]:
    async def answer(asked: Request) -> Response:
        return await _told(lambda: say(shelf[asked.path_params["study"]], asked))

    return answer


async def _told(say: Callable[[], Any]) -> Response:
    """What a function of plain data gives, computed in a thread; what it raises, as an answer that says what is wrong."""
    try:
        return JSONResponse(_plain(await asyncio.to_thread(say)))
    except Hidden as hidden:
        return JSONResponse({"error": str(hidden)}, 403)
    except LookupError as error:
        return JSONResponse({"error": str(error.args[0] if error.args else error)}, 404)
    except ValueError as error:
        return JSONResponse({"error": str(error)}, 400)
    except CommonageError as error:
        return JSONResponse({"error": str(error)}, 409)


def _plain(value: Any) -> Any:
    """Without NaN and infinities, which JSON has not."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _brief(study: Watched) -> dict[str, Any]:
    """Its line in the list; one that cannot be read says why, and the others are shown."""
    try:
        return _counted(study).brief()
    except CommonageError as error:
        return {"id": study.name, "name": study.folder.name, "error": str(error)}


def _arms(study: Watched) -> Any:
    from commonage.web.watch.arms import arms  # what draws figures takes a while to import

    return arms(study.folder)


def _counted(study: Watched) -> Watched:
    """The study, whose census is brought up to date meanwhile: its answer does not wait for that."""
    threading.Thread(target=study.census.try_update, daemon=True).start()
    return study


def _match(asked: Request) -> int:
    return asked.path_params["match"]


def _number(asked: Request, name: str, usual: int) -> int:
    """A whole number of the address. Raises ValueError for anything else."""
    text = asked.query_params.get(name, str(usual))
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise ValueError(f"{name}={text[:40]}: a whole number")
    return int(text)


class Live:
    """The line to a page: it hears what was appended behind the number that it names, and then everything that follows."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        study, after = self.shelf.known.get(socket.path_params["study"]), socket.query_params.get("after", "0")
        if study is None or not (after.isascii() and after.isdecimal() and len(after) <= 18):
            return await socket.close(UNKNOWN)
        leaving = asyncio.ensure_future(_left(socket))
        try:
            await self._tell(socket, study, int(after), socket.path_params.get("match", 0), leaving)
        except (WebSocketDisconnect, RuntimeError):
            pass  # it left while something was sent
        finally:
            leaving.cancel()

    async def _tell(self, socket: WebSocket, study: Watched, after: int, match: int, leaving: asyncio.Future[None]) -> None:
        while not leaving.done():
            with contextlib.suppress(CommonageError):  # a file that is replaced just now
                if told := await asyncio.to_thread(study.appended, after, match):
                    after = told["n"]
                    _counted(study)
                    await socket.send_text(json.dumps(_plain(told)))
            await asyncio.wait([leaving], timeout=POLL)


async def _left(socket: WebSocket) -> None:
    """Until the page has gone; what it says is not listened to."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive_text()
