"""A Lambda function that asks a model; with the three layers of template.yaml each invocation is a trace."""

from typing import Any

import litellm


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer ``event["question"]``."""
    response = litellm.completion(model="openai/gpt-4o-mini", messages=[{"role": "user", "content": event["question"]}])
    return {"answer": response.choices[0].message.content}
