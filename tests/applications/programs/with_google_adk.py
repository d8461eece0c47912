"""LlmAgents over LiteLlm: a chat with a tool, and a stream, asynchronously."""

import asyncio

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types


def get_temperature(city: str) -> str:
    """Say how warm it is in a city."""
    return f"27 degrees in {city}"


async def ask(text: str, mode: StreamingMode) -> None:
    agent = LlmAgent(name="warm", model=LiteLlm("openai/gpt-4o-mini"), instruction="Be short.", tools=[get_temperature])
    runner = InMemoryRunner(agent, app_name="warm")
    session = await runner.session_service.create_session(app_name="warm", user_id="ada")
    message = types.Content(role="user", parts=[types.Part(text=text)])
    config = RunConfig(streaming_mode=mode)
    async for event in runner.run_async(user_id="ada", session_id=session.id, new_message=message, run_config=config):
        if event.is_final_response():
            print(event.content.parts[0].text)


asyncio.run(ask("What is the temperature in Lisbon", StreamingMode.NONE))
asyncio.run(ask("Count to three", StreamingMode.SSE))
