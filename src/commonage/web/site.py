"""A site: pages, their safety in one place, and the server that carries them. Knows nothing of what the pages are about.

    async with serving(site(routes), "127.0.0.1", 0) as address:  # http://127.0.0.1:49152
        await something

Every answer allows its page scripts, styles, pictures and connections of this site only, none of them inline. On the loopback
the name in the address must be one of this machine's, so that no foreign page reaches it under a name of its own (DNS rebinding).
On a network a password stands before everything. What is sent must be small. Websockets come from our own pages, or from programs.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commonage.errors import SpecError
from commonage.measure import style

STATIC = Path(__file__).parent / "static"
LOOPBACK = "127.0.0.1"
LARGEST = 64 * 1024  # bytes of a request, and of a message through a websocket
OPEN = ("/static/", "/colors.css")  # what stands outside of the password: nothing of what is played
COOKIE = "commonage"
SAFE = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


def site(routes: Sequence[BaseRoute], *, host: str = LOOPBACK, password: str = "") -> Starlette:
    """The pages of `routes` with our static files, guarded. Raises SpecError for a network without a password."""
    local = is_loopback(host)
    if not local and not password:
        raise SpecError(f"--host {host}: others on the network could open it; add --password, which they are asked for")
    guards = [Middleware(Guard, local=local), *([Middleware(Gate, password=password)] if password else [])]
    own = [Route("/colors.css", colors), Mount("/static", StaticFiles(directory=STATIC))]
    return Starlette(routes=[*own, *routes], middleware=guards)


def page(name: str, status: int = 200) -> FileResponse:
    """One of the pages in `static/`."""
    return FileResponse(STATIC / name, status, media_type="text/html")


def colors(_: Request) -> Response:
    """The colours of `measure.style`, light and dark: `--ink` and the like, and what fills a mark, `.fill-green-token`."""
    both = {**style.COLORS, **style.FILLS}
    light, dark = ("".join(f".fill-{name.replace(' ', '-')}{{fill:{pair[i]}}}" for name, pair in both.items()) for i in (0, 1))
    return Response(f"{style.css()}\n{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n", media_type="text/css")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return host == "localhost"


class Guard:
    """Refuses foreign names, foreign pages and what is too large; says in every answer what its page may do."""

    def __init__(self, app: ASGIApp, local: bool) -> None:
        self.app, self.local = app, local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        headers, secured = Headers(scope=scope), _secured(send)
        if why := self.refused(scope["type"], headers):
            return await _refuse(scope, receive, secured, *why)
        await self.app(scope, _limited(receive), secured)

    def refused(self, kind: str, headers: Headers) -> tuple[int, str] | None:
        """(status, why) of what goes no further."""
        name = headers.get("host", "")
        if self.local and not is_loopback(urlsplit(f"//{name}").hostname or ""):
            return 421, "this server answers to the names of this machine only"
        if kind == "websocket" and (origin := headers.get("origin")) and urlsplit(origin).netloc != name:
            return 403, "another site's page may not connect"
        length = headers.get("content-length", "0")
        return (413, f"a request has at most {LARGEST:,} bytes") if not length.isdecimal() or int(length) > LARGEST else None


class Gate:
    """Asks for the password, once a browser: then a cookie opens. Of one address one guess a second is heard."""

    def __init__(self, app: ASGIApp, password: str) -> None:
        self.app, self.password, self.pass_ = app, password, secrets.token_urlsafe()
        self.guesses: dict[str, asyncio.Lock] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"].startswith(OPEN) or self.knows(Headers(scope=scope)):
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            return await _refuse(scope, receive, send, 401, "the password first")
        request = Request(scope, receive)
        await (await self.enter(request) if request.method == "POST" else page("enter.html", 401))(scope, receive, send)

    def knows(self, headers: Headers) -> bool:
        """Whether the password was given before."""
        given = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        return given is not None and hmac.compare_digest(given.value.encode(), self.pass_.encode())

    async def enter(self, request: Request) -> Response:
        """The way in, or the question again."""
        given = parse_qs((await request.body()).decode(errors="replace")).get("password", [""])[0]
        async with self.guesses.setdefault(request.client.host if request.client else "", asyncio.Lock()):
            if not hmac.compare_digest(given.encode(), self.password.encode()):
                await asyncio.sleep(1)
                return page("enter.html", 401)
        answer = RedirectResponse(request.url.path, 303)
        answer.set_cookie(COOKIE, self.pass_, httponly=True, samesite="lax")
        return answer


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close", "code": 1008, "reason": why})
    await PlainTextResponse(why, status)(scope, receive, send)


def _secured(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(SAFE)
        await send(message)

    return sent


def _limited(receive: Receive) -> Receive:
    """What comes, up to the limit: a body that said nothing of its length is cut off like one that lied."""
    left = LARGEST

    async def received() -> Message:
        nonlocal left
        message = await receive()
        if message["type"] == "http.request":
            left -= len(message.get("body", b""))
            if left < 0:
                return {"type": "http.disconnect"}
        return message

    return received


class _Server(uvicorn.Server):
    """Leaves Ctrl-C to the command that it is a part of."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def serving(app: Starlette, host: str = LOOPBACK, port: int = 0) -> AsyncGenerator[str]:
    """The site, served in this loop while the block runs; gives its address. Port 0 is a free one.

    Raises SpecError where the host or the port cannot be had.
    """
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="websockets-sansio", ws_max_size=LARGEST, ws_max_queue=8,
        ws_ping_interval=5, ws_ping_timeout=10, server_header=False, proxy_headers=False,
        limit_concurrency=2_000, timeout_graceful_shutdown=1,
    )  # fmt: skip
    with _bound(host, port) as door:
        server = _Server(config)
        running = asyncio.ensure_future(server.serve([door]))
        try:
            while not server.started and not running.done():
                await asyncio.sleep(0.01)
            yield address(host, door.getsockname()[1])
        finally:
            server.should_exit = True
            await running


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family)) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host.strip("[]"), port))
        except (OSError, OverflowError) as error:
            raise SpecError(f"--host {host} --port {port}: {getattr(error, 'strerror', '') or error}; --port 0 takes a free one") from error
        yield door


def address(host: str, port: int) -> str:
    """Where others find it: of all interfaces the one that leads out."""
    name = _outward() if host in ("0.0.0.0", "::") else host
    return f"http://[{name.strip('[]')}]:{port}" if ":" in name else f"http://{name}:{port}"


def _outward() -> str:
    """This machine's address on its network: the one from which a packet would go out. None is sent."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("10.255.255.255", 1))
            return probe.getsockname()[0]
        except OSError:
            return LOOPBACK
