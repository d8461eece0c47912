"""LiteLLMModel alone and streamed, a ToolCallingAgent and a CodeAgent with a tool."""

from smolagents import ChatMessage, CodeAgent, LiteLLMModel, MessageRole, ToolCallingAgent, tool
from smolagents.monitoring import LogLevel


@tool
def get_temperature(city: str) -> str:
    """Say how warm it is in a city.

    Args:
        city: its name.
    """
    return f"27 degrees in {city}"


hello = [ChatMessage(role=MessageRole.USER, content="Hello")]
model = LiteLLMModel("openai/gpt-4o-mini")
print(model.generate(hello).content)
print("".join(delta.content or "" for delta in model.generate_stream(hello)))
calling = ToolCallingAgent([get_temperature], LiteLLMModel("openai/gpt-4o"), verbosity_level=LogLevel.OFF)
print(calling.run("What is the temperature in Lisbon?"))
coding = CodeAgent([get_temperature], LiteLLMModel("openai/gpt-4.1"), verbosity_level=LogLevel.OFF)
print(coding.run("What is the temperature in Lisbon?"))
