"""Predict, a stream of it, and a ReAct agent with a tool, asynchronously."""

import asyncio

import dspy

dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", cache=False))


def get_temperature(city: str) -> str:
    """Say how warm it is in a city."""
    return f"27 degrees in {city}"


async def streamed() -> str:
    predict = dspy.streamify(
        dspy.Predict("question -> answer"), stream_listeners=[dspy.streaming.StreamListener("answer")]
    )
    last = [piece async for piece in predict(question="Why?")][-1]
    return last.answer


print(dspy.Predict("question -> answer")(question="Where?").answer)
print(asyncio.run(streamed()))
agent = dspy.ReAct("question -> answer", tools=[get_temperature])
print(asyncio.run(agent.acall(question="How warm is Lisbon?")).answer)
