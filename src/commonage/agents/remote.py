"""An agent behind HTTP: the View is posted as JSON to its address, the reply is read as an answer."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from commonage.agent import Agent, Answer, View
from commonage.errors import Pause

TRIES, WAIT, TIMEOUT = 4, 0.25, 20.0  # seconds: before the second try, twice as long before the third ...


class Remote(Agent):
    """`http://host:port/path`. The reply: {"text": "...last line is the move"} and, if it likes, "memory" (any JSON).

    No connection, a time-out, 429, 5xx or no JSON pauses the match after four tries; it is no failure of the agent.
    """

    aliases = ("http", "https")

    def __init__(self, address: str, timeout: float = TIMEOUT) -> None:
        self.address, self.timeout = address, aiohttp.ClientTimeout(total=timeout)

    async def __call__(self, view: View) -> Answer:
        reply = await self._post(view.json())
        if reply.get("refused"):
            return Answer(refused=str(reply["refused"]), memory=reply.get("memory"))
        return Answer(text=str(reply.get("text", "")), memory=reply.get("memory"))

    async def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        trouble = ""
        for attempt in range(TRIES):
            await asyncio.sleep(WAIT * 2 ** (attempt - 1) if attempt else 0)
            try:
                async with aiohttp.ClientSession(timeout=self.timeout) as session, session.post(self.address, json=body) as response:
                    if response.status == 200:
                        return _object(await response.json(content_type=None))
                    trouble = f"status {response.status}"
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                trouble = f"{type(error).__name__}: {error}"
        raise Pause(f"{self.address} did not answer: {trouble}")


def _object(reply: Any) -> dict[str, Any]:
    if not isinstance(reply, dict):
        raise ValueError(f"the reply must be a JSON object with 'text', not {reply!r:.60}")
    return reply
