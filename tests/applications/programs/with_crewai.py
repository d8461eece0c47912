"""A crew of an agent with a tool, a second task, and an LLM called alone, over LiteLLM."""

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool


@tool
def get_temperature(city: str) -> str:
    """Say how warm it is in a city."""
    return f"27 degrees in {city}"


llm = LLM(model="openai/gpt-4o-mini", is_litellm=True)
print(llm.call("Hello"))
agent = Agent(role="guide", goal="Know the weather", backstory="Lives in Lisbon.", llm=llm, tools=[get_temperature])
tasks = [
    Task(description="What is the temperature in Lisbon", expected_output="degrees", agent=agent),
    Task(description="Say good bye", expected_output="a word", agent=agent),
]
print(Crew(agents=[agent], tasks=tasks).kickoff())
streaming = LLM(model="openai/gpt-4o-mini", is_litellm=True, stream=True)
print(streaming.call("Count to three"))
