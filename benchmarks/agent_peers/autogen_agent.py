"""AutoGen's assistant agent, a fresh one for each question. `pip install autogen-agentchat==0.7.5 "autogen-ext[openai]==0.7.5"`"""

from __future__ import annotations

from collections.abc import AsyncIterator

import autogen_agentchat
from autogen_agentchat.agents import AssistantAgent
from autogen_core.models import ModelFamily
from autogen_ext.models.openai import OpenAIChatCompletionClient
from meter import QUESTION, RULES, Call, main

ABILITIES = {"vision": False, "function_calling": False, "json_output": False, "structured_output": False, "family": ModelFamily.UNKNOWN}


async def begin(address: str) -> AsyncIterator[Call]:
    client = OpenAIChatCompletionClient(model="zero", base_url=address, api_key="none", model_info=ABILITIES)

    async def call() -> str:
        result = await AssistantAgent("seat", client, system_message=RULES).run(task=QUESTION)
        return result.messages[-1].content

    yield call
    await client.close()


if __name__ == "__main__":
    main(begin, autogen_agentchat.__version__)
