"""A chat whose model may ask for the weather: each call is a span, with its tool calls and their results.

OPENAI_API_KEY=... DD_LLMOBS_ENABLED=1 DD_LLMOBS_ML_APP=weather ddtrace-run python chat_with_tools.py
"""

import json

import litellm

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_temperature",
            "description": "How warm or cold it is in a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def get_temperature(city: str) -> str:
    """Return the temperature in a city; a real program would ask a weather service."""
    return f"27 degrees in {city}"


def ask(question: str, session: str) -> str:
    """Return the answer to a question; ``session`` groups the calls of one conversation in Datadog."""
    messages = [{"role": "user", "content": question}]
    while True:
        response = litellm.completion(
            model="openai/gpt-4o-mini",
            messages=messages,
            tools=TOOLS,
            metadata={"session_id": session, "tags": ["example"]},
        )
        message = response.choices[0].message
        if not message.tool_calls:
            return str(message.content)
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            result = get_temperature(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


if __name__ == "__main__":
    print(ask("How warm is it in Lisbon?", session="conversation-1"))
