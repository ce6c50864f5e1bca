"""LangGraph's agent, as LangChain's `create_agent` builds it. `pip install langgraph==1.2.22 langchain==1.4.7 langchain-openai==1.7.3`"""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.metadata import version

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from meter import QUESTION, RULES, Call, main


async def begin(address: str) -> AsyncIterator[Call]:
    agent = create_agent(ChatOpenAI(model="zero", base_url=address, api_key="none"), tools=[], system_prompt=RULES)

    async def call() -> str:
        result = await agent.ainvoke({"messages": [{"role": "user", "content": QUESTION}]})
        return result["messages"][-1].content

    yield call


if __name__ == "__main__":
    main(begin, version("langgraph"))
