# pyright: strict
"""The pocket model, a TEST MODEL: a small network that imitates a few strategies in the words of our own games.

It shows and tests the whole path of a language model on a laptop without a network. It is a strategy in disguise, and no
result of it says anything about language models. `scripts/build_pocket.py` builds the weights; docs/pocket.md says what it
was trained to do.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from commonage.errors import SpecError
from commonage.model import Message, Model, Reply
from commonage.models.endpoint import Endpoint

WEIGHTS = Path(__file__).with_name("pocket.gguf")
CONTEXT, SLOTS, THREADS = (
    32_768,
    8,
    1,
)  # tokens that all conversations share, conversations at a time, threads: more only wait for each other
CACHE = 64  # MiB for conversations that wait for their next question
LEAST = 0.02  # tokens that are less likely than this times the likeliest are not drawn (llama.cpp: min_p)


class Pocket(Model):
    """Runs inside this process: llama.cpp's server in threads of its own, on a free port that only this machine can reach.

    It starts with the first request, stops when the last event loop that used it has closed it, and dies with the process,
    however that ends. Its `address` stays "": the port is another one each time and means nothing to a log.
    Raises SpecError where xllamacpp is not installed.
    """

    name, verbs, test = "pocket", ("chat", "decide"), True

    def __init__(self, weights: Path = WEIGHTS) -> None:
        if importlib.util.find_spec("xllamacpp") is None:
            raise SpecError('the pocket model needs xllamacpp, which is not installed: pip install "commonage[pocket]"')
        if not weights.exists():
            raise SpecError(f"no weights of the pocket model at {weights}: python scripts/build_pocket.py builds them")
        self._weights, self._lock = weights, threading.Lock()
        self._server: Any = None
        self._endpoint: Endpoint | None = None
        self._users = set[asyncio.AbstractEventLoop]()

    async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
        """One reply; see `Model.chat`."""
        return await self._started().chat(messages, **settings)

    async def decide(self, messages: Sequence[Message], options: Sequence[str], **settings: Any) -> Reply:
        """A probability for each option; see `Endpoint.decide`. By default it goes by the server's decision endpoint."""
        return await self._started().decide(messages, options, **settings)

    async def close(self) -> None:
        """Let the connections of the running loop go, and the server if no other loop uses it."""
        endpoint = self._endpoint
        if endpoint:
            await endpoint.close()
        with self._lock:
            self._users.discard(asyncio.get_running_loop())
            if not any(not loop.is_closed() for loop in self._users):
                self._server = self._endpoint = None

    def _started(self) -> Endpoint:
        with self._lock:
            self._users.add(asyncio.get_running_loop())
            if self._endpoint is None:
                self._server = _server(self._weights)
                self._endpoint = Endpoint(self.name, self.name, f"{self._server.listening_address}/v1")
            return self._endpoint


def _server(weights: Path) -> Any:
    """llama.cpp's server for a file of weights; it stops when nobody holds it any more."""
    xllamacpp: Any = importlib.import_module("xllamacpp")  # it has no types
    params = xllamacpp.CommonParams()
    params.model.path, params.port = str(weights), 0
    params.n_ctx, params.n_parallel, params.kv_unified, params.cache_ram_mib = CONTEXT, SLOTS, True, CACHE
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
    params.sampling.top_k, params.sampling.top_p, params.sampling.min_p = 0, 1.0, LEAST
    params.n_gpu_layers, params.fit_params, params.warmup, params.ui, params.endpoint_slots = 0, False, False, False, False
    params.verbosity = 1  # errors only
    return xllamacpp.Server(params)
