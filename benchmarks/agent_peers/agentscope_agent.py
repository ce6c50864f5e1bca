"""AgentScope's agent, a fresh one for each question. `pip install agentscope==2.0.10`"""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.metadata import version

from agentscope.agent import Agent
from agentscope.credential import OpenAICredential
from agentscope.message import UserMsg
from agentscope.model import OpenAIChatModel
from meter import QUESTION, RULES, Call, main


async def begin(address: str) -> AsyncIterator[Call]:
    model = OpenAIChatModel(OpenAICredential(api_key="none", base_url=address), "zero", stream=False)

    async def call() -> str:
        reply = await Agent("seat", RULES, model).reply(UserMsg("game", QUESTION))
        return reply.get_text_content()

    yield call


if __name__ == "__main__":
    main(begin, version("agentscope"))
