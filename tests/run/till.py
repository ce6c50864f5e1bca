"""A model server on this machine that counts what it is asked, so that a test sees what would have been paid."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web


class Till:
    """`seen`: the conversations that came in, in this order. Each reply counts 100 tokens in and 10 out."""

    def __init__(self) -> None:
        self.address, self.seen = "", list[str]()
        self.flying = self.most = 0
        self.status = 200  # what it answers with
        self.before: Callable[[int], Any] = lambda count: None  # called with the number of each request, from 1
        self.slow = 0.0

    def seat(self, name: str = "till", more: str = "price=[10,100]") -> str:
        """This server in a seat list; a reply costs 0.002."""
        return f'llm:{name}(address="{self.address}"{"," if more else ""}{more})'

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        text = "\n".join(message["content"] for message in body["messages"])
        self.seen.append(text)
        self.flying += 1
        self.most = max(self.most, self.flying)
        self.before(len(self.seen))
        await asyncio.sleep(self.slow)
        self.flying -= 1
        if self.status != 200:
            return web.json_response({"error": {"message": "not now"}}, status=self.status)
        return web.json_response(reply(f"Number {len(self.seen)}.\n{first(text)}"))


def first(text: str) -> str:
    """The first answer that the last question allows."""
    listed = re.findall(r"one of: ([^,\n]+)", text)
    return listed[-1] if listed else re.findall(r"(\d+) to \d+", text)[-1]


def reply(text: str) -> dict[str, Any]:
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "till", "choices": [choice], "usage": usage}


@contextmanager
def till() -> Iterator[Till]:
    """The server, on a free port."""
    loop, server = asyncio.new_event_loop(), Till()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", server.serve)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.address = "http://{}:{}/v1".format(*runner.addresses[0][:2])
        return runner

    runner = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
