"""An honest model server on this machine, in a thread: `with serving(brain) as server`, then `server.address`.

It speaks the OpenAI protocol: chat with log-probabilities, and the two decision endpoints where they are switched on. What it
answers is up to a function of the conversation; what it was sent is kept.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aiohttp import web

Says = Callable[[list[dict[str, str]]], Any]  # from the messages to the content of the reply, or to a whole response
Likes = Callable[[str], float]  # from an option to its weight


def tit_for_tat(messages: list[dict[str, str]]) -> str:
    return "They cooperated.\ncooperate"


class Server:
    """`seen`: path, headers and body of every request, in the order of arrival."""

    def __init__(self, says: Says, likes: Likes, first: float, off: float, routes: Sequence[str]) -> None:
        self.says, self.likes, self.first, self.off, self.routes = says, likes, first, off, routes
        self.address, self.seen = "", list[tuple[str, dict[str, str], dict[str, Any]]]()
        self.connections = set[int]()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.seen.append((request.path, dict(request.headers), body))
        self.connections.add(id(request.transport))
        name = request.path.removeprefix("/v1/")
        if name not in self.routes:
            return web.json_response({"error": {"message": "no such route"}}, status=404)
        answer = {"chat/completions": self.chat, "decisions": self.decisions, "systemone": self.systemone}[name](body)
        answer = await answer if asyncio.iscoroutine(answer) else answer
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)

    def chat(self, body: dict[str, Any]) -> Any:
        if body.get("logprobs"):
            return completion("A", self.labels(body["messages"][-1]["content"]))
        return self.says(body["messages"])

    def labels(self, question: str) -> list[dict[str, Any]]:
        """Log-probabilities of the letters in the question's own list, as a tokenizer spells them."""
        listed = [line.partition(". ")[::2] for line in question.splitlines() if line[1:3] == ". "]
        p = self.weigh([option for _, option in listed])
        tokens = {" the": self.off} if self.off else {}
        for i, (label, share) in enumerate(zip((label for label, _ in listed), p, strict=True)):
            tokens[label if i % 2 else f" {label}"] = share * (1 - self.off)
        return [{"token": token, "logprob": math.log(share), "bytes": None} for token, share in tokens.items() if share]

    def weigh(self, options: list[str]) -> list[float]:
        """What it likes, and `first` more for what stands first."""
        weights = [self.likes(option) * (self.first if i == 0 else 1.0) for i, option in enumerate(options)]
        return [weight / sum(weights) for weight in weights]

    def decisions(self, body: dict[str, Any]) -> Any:
        options = [choice["value"] for choice in body["questions"][0]["choices"]]
        p = self.weigh(options)
        shares = [{"value": option, "probability": share} for option, share in zip(options, p, strict=True)]
        answer = {"type": "choice", "choice": options[0], "confidence": p[0], "name": None, "probabilities": shares}
        usage = {"input_tokens": 30, "input_tokens_details": {"cached_tokens": 10}, "output_tokens": 1, "total_tokens": 31}
        return {"model": body["model"], "answers": [answer], "usage": usage}

    def systemone(self, body: dict[str, Any]) -> Any:
        assert isinstance(body["state"], str | list)
        options = list(body["questions"]["choice"]["criteria"])
        p = dict(zip(options, self.weigh(options), strict=True))
        answer = {"type": "choice", "choice": options[0], "probabilities": p, "confidence": p[options[0]]}
        return {"model": body["model"], "answers": {"choice": answer}, "usage": {"input_tokens": 40, "output_tokens": 0}}


def completion(content: Any, top: list[dict[str, Any]] | None = None, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion."""
    logprobs = {"content": [{**top[0], "top_logprobs": top}]} if top else None
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish, "logprobs": logprobs}
    usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25, "prompt_tokens_details": {"cached_tokens": 8}}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


@contextmanager
def serving(
    says: Says = lambda messages: completion(tit_for_tat(messages)),
    likes: Likes = lambda option: 1.0,
    *,
    first: float = 1.0,
    off: float = 0.0,
    routes: Sequence[str] = ("chat/completions",),
) -> Iterator[Server]:
    """A server. `first`: how much more it likes the option listed first; `off`: probability that it puts on no label."""
    loop, server = asyncio.new_event_loop(), Server(says, likes, first, off, routes)

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/{path:.*}", server.serve)
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
