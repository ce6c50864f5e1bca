"""An agent behind HTTP: the View is posted as JSON to its address, the reply is read as an answer."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from commonage.agent import Agent, Answer, View
from commonage.errors import Pause, SpecError

TRIES, WAIT, TIMEOUT = 4, 0.25, 20.0  # seconds: before the second try, twice as long before the third ...
PASSING = (408, 425, 429)  # of the 4xx those that may be over at the next try
WANTED = "wanted is a JSON object with 'text'"


class Remote(Agent):
    """`http://host:port/path`. The reply: {"text": "...last line is the move"} and, if it likes, "memory" (any JSON).

    {"refused": "why"} instead of a text is the agent's failure, and so is a text that cannot be read, asked three times.
    All else is no answer and pauses the match, which is nobody's failure: no connection, no reply within `timeout` seconds,
    any status but 200, a reply without 'text'. What may pass by itself is tried four times; a status other than 408, 425,
    429 and 5xx once. Redirects are never followed: the View goes to this address only.

    Raises SpecError for what is no address, and for a timeout that is not above 0.
    """

    aliases = ("http", "https")

    def __init__(self, address: str = "", timeout: float = TIMEOUT) -> None:
        self.address, self.timeout = _checked(str(address)), timeout
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
            raise SpecError(f"{address}(timeout={timeout}): timeout must be seconds, above 0; its default is {TIMEOUT:g}")

    async def __call__(self, view: View) -> Answer:
        reply = await self._reply(view.json())
        return Answer(text=str(reply.get("text", "")), memory=reply.get("memory"), refused=str(reply.get("refused") or ""))

    async def _reply(self, body: dict[str, Any]) -> dict[str, Any]:
        trouble = _Trouble("")
        for attempt in range(TRIES):
            await asyncio.sleep(WAIT * 2 ** (attempt - 1) if attempt else 0)
            try:
                return await self._post(body)
            except _Trouble as found:
                trouble = found
            if not trouble.passes:
                break
        raise Pause(f"{self.address}: {trouble}; {trouble.way}, then the same command with --out DIR goes on")

    async def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        limit = aiohttp.ClientTimeout(total=self.timeout)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.post(self.address, json=body, allow_redirects=False) as response,
            ):
                said = (await response.read()).decode(errors="replace")
                if response.status != 200:
                    raise _unfit(response, said)
                return _object(said)
        except TimeoutError as error:
            raise _Trouble(f"no reply within {self.timeout:g} seconds") from error
        except aiohttp.ClientConnectorError as error:
            raise _Trouble(str(error), way="start the server") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise _Trouble(f"{type(error).__name__}: {error}") from error


class _Trouble(Exception):
    """Why there is no reply, what to do about it, and whether it may pass by itself."""

    def __init__(self, what: str, passes: bool = True, way: str = "put the server right") -> None:
        super().__init__(what)
        self.passes, self.way = passes, way


def _checked(address: str) -> str:
    """The address. Raises SpecError where nothing can be posted to it."""
    try:
        parts = urlsplit(address)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        why = "" if fits else "an address is http:// or https://, a host and, if need be, a port and a path"
    except ValueError as error:  # the port
        why = str(error)
    if why:
        raise SpecError(f"{address or 'remote'}: {why}; write http://127.0.0.1:8765/seat")
    return address


def _unfit(response: aiohttp.ClientResponse, said: str) -> _Trouble:
    """What a status other than 200 says."""
    status = f"status {response.status} ({response.reason})"
    if 300 <= response.status < 400:
        return _Trouble(f"{status} leads to {response.headers.get('Location', 'nowhere')}; redirects are never followed", passes=False)
    passes = response.status >= 500 or response.status in PASSING
    return _Trouble(f"{status}: {said[:60]!r}" if said else status, passes)


def _object(said: str) -> dict[str, Any]:
    """The reply. A text is a JSON string or number: `{"text": 8}` says 8."""
    try:
        reply = json.loads(said)
    except ValueError as error:
        raise _Trouble(f"it replied {said[:60]!r}, which is no JSON; {WANTED}") from error
    if not isinstance(reply, dict):
        raise _Trouble(f"it replied {said[:60]!r}, which is no object; {WANTED}")
    if not (reply.get("refused") or isinstance(reply.get("text"), str | int | float)):
        raise _Trouble(f"it replied {said[:60]!r}, which has no 'text'; {WANTED}")
    return reply
