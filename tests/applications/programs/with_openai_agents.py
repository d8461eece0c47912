"""Agents over LitellmModel: run, streamed, and with a tool, asynchronously."""

import asyncio

from agents import Agent, Runner, function_tool
from agents.extensions.models.litellm_model import LitellmModel
from openai.types.responses import ResponseTextDeltaEvent


@function_tool
def get_temperature(city: str) -> str:
    """Say how warm it is in a city."""
    return f"27 degrees in {city}"


async def main() -> None:
    model = LitellmModel("openai/gpt-4o-mini", api_key="sk-local")
    plain = Agent(name="plain", instructions="Be short.", model=model)
    print((await Runner.run(plain, "Hello")).final_output)
    streamed = Runner.run_streamed(plain, "Count to three")
    pieces = [
        event.data.delta
        async for event in streamed.stream_events()
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent)
    ]
    print("".join(pieces))
    warm = Agent(name="warm", instructions="Use tools.", model=model, tools=[get_temperature])
    print((await Runner.run(warm, "What is the temperature in Lisbon")).final_output)


asyncio.run(main())
