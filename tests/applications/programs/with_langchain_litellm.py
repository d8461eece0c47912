"""ChatLiteLLM: invoked, streamed, in a chain, and as the model of an agent with a tool, asynchronously; embeddings."""

import asyncio

from langchain.agents import create_agent
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_litellm import ChatLiteLLM, LiteLLMEmbeddings


def get_temperature(city: str) -> str:
    """Say how warm it is in a city."""
    return f"27 degrees in {city}"


async def streamed() -> str:
    return "".join([chunk.text async for chunk in model.astream("Count to three")])


model = ChatLiteLLM(model="openai/gpt-4o-mini")
print(model.invoke("Hello").text)
print("".join(chunk.text for chunk in model.stream("Again")))
print(asyncio.run(streamed()))
chain = ChatPromptTemplate.from_messages([("system", "Be short."), ("user", "{asked}")]) | model | StrOutputParser()
print(asyncio.run(chain.ainvoke({"asked": "In a chain?"})))
agent = create_agent(model, [get_temperature])
asked = {"messages": [{"role": "user", "content": "What is the temperature in Lisbon"}]}
print(asyncio.run(agent.ainvoke(asked))["messages"][-1].text)
print(len(LiteLLMEmbeddings(model="openai/text-embedding-3-small").embed_documents(["one", "two"])))
