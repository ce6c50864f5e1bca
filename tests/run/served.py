"""A remote agent behind a real server on this machine, in a thread: `with served(answer) as address`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

Reply = Callable[[dict[str, Any]], Any]  # from the View as JSON to the reply: a dict, or a web.Response


@contextmanager
def served(reply: Reply) -> Iterator[str]:
    """The address of a server that answers every POST to /play."""
    loop, ready, address = asyncio.new_event_loop(), threading.Event(), list[str]()

    async def play(request: web.Request) -> web.StreamResponse:
        answer = reply(await request.json())
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/play", play)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        address.append(f"http://{host}:{port}/play")
        return runner

    def serve() -> None:
        runner = loop.run_until_complete(start())
        loop.call_soon(ready.set)  # from within: a stop that came before would stop nothing
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    ready.wait(5)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
