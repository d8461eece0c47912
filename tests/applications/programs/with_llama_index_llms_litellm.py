"""LiteLLM as LLM: chat, streams, and a FunctionAgent with a tool, asynchronously."""

import asyncio

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.llms.litellm import LiteLLM


def get_temperature(city: str) -> str:
    """Say how warm it is in a city."""
    return f"27 degrees in {city}"


async def main() -> None:
    asked = [ChatMessage(role="user", content="Count to three")]
    print((await llm.achat(asked)).message.content)
    print("".join([piece.delta async for piece in await llm.astream_chat(asked)]))
    agent = FunctionAgent(tools=[get_temperature], llm=llm, streaming=False)
    print(await agent.run("What is the temperature in Lisbon"))
    agent = FunctionAgent(tools=[get_temperature], llm=llm)
    print(await agent.run("What is the temperature in Lisbon"))


llm = LiteLLM("openai/gpt-4o-mini")
print(llm.complete("Hello"))
print("".join(piece.delta for piece in llm.stream_complete("Hello")))
asyncio.run(main())
