"""The floor: aiohttp posts prebuilt bytes and parses the reply."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
from meter import QUESTION, RULES, Call, main


async def begin(address: str) -> AsyncIterator[Call]:
    messages = [{"role": "system", "content": RULES}, {"role": "user", "content": QUESTION}]
    body = json.dumps({"model": "zero", "messages": messages}).encode()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers={"Content-Type": "application/json"}) as session:

        async def call() -> str:
            async with session.post(f"{address}/chat/completions", data=body) as response:
                return (await response.json())["choices"][0]["message"]["content"]

        yield call


if __name__ == "__main__":
    main(begin, aiohttp.__version__)
