"""The site by real requests on the loopback: what every answer allows its page, and what is refused at the door."""

import asyncio
import io

import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from commonage.errors import SpecError
from commonage.web import site


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def _greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())


ROUTES = [Route("/echo", _echo, methods=["GET", "POST"]), WebSocketRoute("/line", _greet)]


def _asked(*requests, host="127.0.0.1", password=""):
    """[(status, headers, text)] of what is asked one after the other: (method, path, options)."""

    async def ask():
        app, out = site.site(ROUTES, host=host, password=password), []
        async with site.serving(app) as address, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            for method, path, options in requests:
                async with session.request(method, address + path, **options) as answer:
                    out.append((answer.status, answer.headers, await answer.text()))
        return out

    return asyncio.run(ask())


def test_every_answer_says_what_its_page_may_do():
    for status, headers, _ in _asked(("GET", "/echo", {}), ("GET", "/static/look.css", {}), ("GET", "/nothing", {})):
        assert status in (200, 404)
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_colours_are_those_of_every_picture():
    ((status, headers, text),) = _asked(("GET", "/colors.css", {}))
    assert status == 200
    assert headers["content-type"].startswith("text/css")
    assert ".fill-green-token{fill:#3d9440}" in text
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", ""])
def test_a_foreign_name_is_refused_on_the_loopback(name):
    assert _asked(("GET", "/echo", {"headers": {"Host": name}}))[0][0] in (400, 421)


def test_the_names_of_this_machine_are_known():
    assert [_asked(("GET", "/echo", {"headers": {"Host": name}}))[0][0] for name in ("localhost:99", "127.0.0.1", "[::1]:8")] == [200] * 3


def test_what_is_too_large_is_refused_whether_it_says_so_or_not():
    async def pieces():
        for _ in range(200):
            yield b"x" * 1024

    assert _asked(("POST", "/echo", {"data": io.BytesIO(b"x" * 10_000_000)}))[0][0] == 413
    with pytest.raises((aiohttp.ClientError, AssertionError)):  # cut off
        assert _asked(("POST", "/echo", {"data": pieces()}))[0][0] == 200


@pytest.mark.parametrize(("origin", "welcome"), [("own", True), (None, True), ("http://evil.example", False), ("null", False)])
def test_websockets_come_from_our_own_pages_or_from_programs(origin, welcome):
    async def greet():
        async with site.serving(site.site(ROUTES)) as address:
            from_ = address if origin == "own" else origin
            async with connect(address.replace("http", "ws") + "/line", origin=from_) as line:
                await line.send("hello")
                return await line.recv()

    if welcome:
        assert asyncio.run(greet()) == "hello"
    else:
        with pytest.raises(InvalidStatus):
            asyncio.run(greet())


def test_on_a_network_a_password_stands_before_everything():
    with pytest.raises(SpecError, match="add --password"):
        site.site(ROUTES, host="0.0.0.0")
    asked = [
        ("GET", "/echo", {}),
        ("GET", "/static/look.css", {}),
        ("POST", "/echo", {"data": {"password": "wrong"}}),
        ("POST", "/echo", {"data": {"password": "rhubarb"}, "allow_redirects": False}),
        ("GET", "/echo", {}),
    ]
    assert [status for status, _, _ in _asked(*asked, host="0.0.0.0", password="rhubarb")] == [401, 200, 401, 303, 200]


def test_a_port_that_is_taken_is_an_error_with_a_way_out():
    async def twice():
        async with site.serving(site.site(ROUTES)) as address, site.serving(site.site(ROUTES), port=int(address.rpartition(":")[2])):
            pass

    with pytest.raises(SpecError, match="--port 0 takes a free one"):
        asyncio.run(twice())
