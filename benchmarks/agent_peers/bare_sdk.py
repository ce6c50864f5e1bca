"""The official SDK with its aiohttp transport, and nothing around it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
from meter import QUESTION, RULES, Call, main


async def begin(address: str) -> AsyncIterator[Call]:
    messages = [{"role": "system", "content": RULES}, {"role": "user", "content": QUESTION}]
    transport = openai.DefaultAioHttpClient()
    async with openai.AsyncOpenAI(base_url=address, api_key="none", max_retries=0, http_client=transport) as client:

        async def call() -> str | None:
            reply = await client.chat.completions.create(model="zero", messages=messages)  # type: ignore[arg-type]
            return reply.choices[0].message.content

        yield call


if __name__ == "__main__":
    main(begin, openai.__version__)
