"""Inspect's model, as its solvers and agents call it. `pip install inspect-ai==0.3.285 openai`"""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.metadata import version

from inspect_ai.model import ChatMessageSystem, ChatMessageUser, GenerateConfig, get_model
from meter import QUESTION, RULES, Call, main


async def begin(address: str) -> AsyncIterator[Call]:
    config = GenerateConfig(max_connections=1_000)
    async with get_model("openai-api/local/zero", base_url=address, api_key="none", config=config) as model:

        async def call() -> str:
            output = await model.generate([ChatMessageSystem(content=RULES), ChatMessageUser(content=QUESTION)])
            return output.completion

        yield call


if __name__ == "__main__":
    main(begin, version("inspect-ai"))
