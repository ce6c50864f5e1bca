# pyright: strict, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""A model behind the OpenAI protocol: requests, replies, and what can come in between. It sends a request once.

The official SDK over aiohttp carries the requests (headers, keys, connections). What comes back is read by `reading`, not by
the SDK: every server bends the protocol a little, a reply that is none must be told from one that is, and it is cheaper.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import httpx2
import openai
from openai import AsyncOpenAI, DefaultAioHttpClient, Omit

from commonage.errors import SpecError
from commonage.model import Message, Model, Reply, Trouble
from commonage.models import decide, reading
from commonage.models.prices import here

ELSEWHERE = {200, 400, 403, 404, 405, 415, 422, 501}  # what a server says to a route that it has not; 200 = with a page, not an answer
SECRET = 16  # characters: shorter keys are placeholders ("EMPTY", "ollama") and may occur in any text


class Key(str):
    """A key that doesn't show itself where values are printed."""

    def __repr__(self) -> str:
        return "'[key]'" if self else "''"


class _Line(NamedTuple):
    """What belongs to one event loop."""

    client: AsyncOpenAI
    life: AsyncGenerator[AsyncOpenAI, None]  # its end closes the client; the loop ends it, where nobody else did
    probing: asyncio.Lock
    route: list[decide.Route]  # the way to `decide`; empty until it is found


class Endpoint(Model):
    """One model at one address, `model` as the server calls it. `lacks`: what is missing before it can be asked, in words.

    `timeout` in seconds a request; None: as long as the caller waits. `renamed`: settings that this provider calls otherwise.
    Raises SpecError for an address that is none or holds a secret, and for a key that cannot be one.
    """

    verbs = ("chat", "decide")

    def __init__(
        self, name: str, model: str, address: str, key: str = "", *,
        timeout: float | None = None, renamed: Mapping[str, str] | None = None, lacks: str = "",
    ) -> None:  # fmt: skip
        self.name, self.model, self.address, self.timeout, self.lacks = name, model, _checked(address), timeout, lacks
        self._key, self._renamed = _sound(key), renamed or {}
        self._lines: dict[asyncio.AbstractEventLoop, _Line] = {}

    def __repr__(self) -> str:
        return f"Endpoint({self.name!r}, {self.model!r}, {self.address!r})"

    async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
        """One reply; see `Model.chat`."""
        try:
            data = await self._post("/chat/completions", {"messages": decide.chat_messages(messages), **settings})
        except reading.Refused as refused:
            return Reply("", "refused", str(refused))
        return reading.reply_in(data, messages)

    async def decide(
        self, messages: Sequence[Message], options: Sequence[str], *,
        route: str = "", orders: int = decide.ORDERS, least_mass: float = decide.LEAST, seed: Any = None, **settings: Any,
    ) -> Reply:  # fmt: skip
        """Probabilities of the options at temperature 1; see `Model.decide`. `text` of the Reply keeps every order as JSON.

        `route`: decisions, systemone or labels; "": the first of them that the server has. `orders`: requests, each with
        the options in another order (`seed` draws it). `least_mass`: less probability than this on the labels is a refusal.
        """
        decide.check(options, route, orders)
        asked = decide.orders(options, orders, seed)
        if route:
            return await self._decided(decide.ROUTES[route], messages, options, asked, least_mass, settings)
        line = await self._line()
        async with line.probing:  # one looks for the route, the others wait for what it finds
            for found in () if line.route else decide.ROUTES.values():
                try:
                    reply = await self._decided(found, messages, options, asked, least_mass, settings)
                except Trouble as trouble:
                    if trouble.status not in ELSEWHERE or found.name == "labels":
                        raise
                else:
                    line.route.append(found)
                    return reply
        return await self._decided(line.route[0], messages, options, asked, least_mass, settings)

    async def _decided(
        self, route: decide.Route, messages: Sequence[Message], options: Sequence[str], asked: list[list[int]], least: float,
        settings: dict[str, Any],
    ) -> Reply:  # fmt: skip
        """One request for each order, one after the other: a call is one request in flight."""
        replies, outcomes = list[Reply](), list[decide.Shares]()
        extra = _sampling(settings, here(self.address)) if route.name == "labels" else {}
        for order in asked:
            listed = [options[i] for i in order]
            try:
                data = await self._post(route.path, {**extra, **route.body(messages, listed)})
            except reading.Refused as refused:
                return Reply("", "refused", str(refused))
            replies.append(reading.used(data, messages))
            outcomes.append(decide.listed_back(order, _read(route, data, listed)))
        counts = {name: sum(getattr(reply, name) for reply in replies) for name in ("tokens_in", "tokens_out", "tokens_cached")}
        return decide.merged(route.name, options, asked, outcomes, least)._replace(**counts, counted=all(r.counted for r in replies))

    async def close(self) -> None:
        """Let the connections of the running loop go; the next call opens new ones."""
        if line := self._lines.pop(asyncio.get_running_loop(), None):
            await line.life.aclose()

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON object that comes back. Raises Trouble for everything else, without the key and without the request."""
        if self.lacks:
            raise Trouble(self.lacks, 401, again=False)
        body = {"model": self.model, **{self._renamed.get(name, name): value for name, value in body.items()}}
        try:
            async with asyncio.timeout(self.timeout):
                options: Any = {"security": {"bearer_auth": True}, "headers": {} if self._key else {"Authorization": Omit()}}
                response = await (await self._line()).client.post(path, cast_to=httpx2.Response, body=body, options=options)
            return reading.json_object(self._scrubbed(response.content))
        except openai.APIStatusError as error:
            trouble = reading.trouble_of(
                error.status_code, reading.error_in(self._scrubbed(error.response.content)), error.response.headers
            )
        except TimeoutError:
            trouble = Trouble(f"no answer within {self.timeout:g} s" if self.timeout else "no answer in time")
        except (openai.OpenAIError, httpx2.HTTPError, aiohttp.ClientError, OSError) as error:
            trouble = Trouble(self._scrubbed(_cause(error, self.address).encode()).decode())
        except UnicodeEncodeError:
            trouble = Trouble("a message holds half a character (a lone surrogate), which no request can carry", 400, again=False)
        raise trouble from None

    async def _line(self) -> _Line:
        """The client of the running loop: one for all its requests, closed at the latest when the loop ends."""
        loop = asyncio.get_running_loop()
        if loop not in self._lines:
            self._lines = {old: line for old, line in self._lines.items() if not old.is_closed()}
            life = _life(self.address, self._key)
            self._lines[loop] = _Line(await anext(life), life, asyncio.Lock(), [])
        return self._lines[loop]

    def _scrubbed(self, body: bytes) -> bytes:
        """What came back, without the key: a server may repeat what it was sent."""
        return body.replace(self._key.encode(), b"[key]") if len(self._key) >= SECRET else body


async def _life(address: str, key: Key) -> AsyncGenerator[AsyncOpenAI, None]:
    """A client, closed when the generator ends: `asyncio.run` ends all of them."""
    plain = address.startswith("http:")  # then it needs no certificates, which take 20 ms to read
    http = DefaultAioHttpClient(follow_redirects=False, trust_env=not here(address), verify=not plain, timeout=None)
    strays: Any = dict.fromkeys(_ambient(address), Omit())
    async with AsyncOpenAI(
        base_url=address, api_key=key, http_client=http, timeout=None, max_retries=0, default_headers=strays, _enforce_credentials=False
    ) as client:
        yield client


def _ambient(address: str) -> list[str]:
    """Headers that the SDK takes from the environment for OpenAI: nobody else gets them."""
    if address in ("https://api.openai.com/v1", os.environ.get("OPENAI_BASE_URL", "").rstrip("/")):
        return []
    own = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
    return ["OpenAI-Organization", "OpenAI-Project", *(line.partition(":")[0].strip() for line in own if ":" in line)]


def _checked(address: str) -> str:
    parts = urlsplit(address)
    if parts.username or parts.password or parts.query:
        raise SpecError("an address with a name, a password or a query, which would stand in the log: put the key into a variable")
    with contextlib.suppress(ValueError):  # a port that is none
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return address.rstrip("/")
    raise SpecError(f"address {address!r}: write http(s)://host:port/v1, the base of the API")


def _sound(key: str) -> Key:
    if not (key.isascii() and key.isprintable()):
        raise SpecError("a key with characters that no header can carry: look at the variable or the file .env that holds it")
    return Key(key)


def _sampling(settings: dict[str, Any], local: bool) -> dict[str, Any]:
    """Settings of a label request: what says how to draw has no meaning there. Servers of one's own cut off rare tokens unless told."""
    extra = {name: value for name, value in settings.items() if name not in ("temperature", "top_p", "max_tokens", "seed", "stop")}
    return {**({"top_k": 0, "min_p": 0} if local else {}), **extra}


def _cause(error: BaseException, address: str) -> str:
    """The first cause in a chain of wrappers: they call a dropped connection a time-out."""
    while error.__cause__:
        error = error.__cause__
    if isinstance(error, ConnectionRefusedError):
        return f"nobody listens at {address}"
    return reading.short(f"{type(error).__name__}: {error}".rstrip(": "))


def _read(route: decide.Route, data: dict[str, Any], options: Sequence[str]) -> decide.Shares:
    try:
        return route.read(data, options)
    except (LookupError, TypeError, AttributeError, ValueError):
        raise Trouble(f"a reply without probabilities ({route.name})", 200) from None
