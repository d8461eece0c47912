"""Structured answers: one after a retry, one asynchronous, and one streamed in parts."""

import asyncio

import instructor
import litellm
from pydantic import BaseModel, field_validator


class City(BaseModel):
    """What is asked for."""

    name: str
    degrees: int

    @field_validator("degrees")
    @classmethod
    def plausible(cls, degrees: int) -> int:
        """Refuse what cannot be."""
        if degrees > 60:
            raise ValueError("too hot for any city")
        return degrees


ASK = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "How warm is Lisbon?"}]}


async def streamed() -> City:
    parts = instructor.from_litellm(litellm.acompletion).chat.completions.create_partial(response_model=City, **ASK)
    return [part async for part in parts][-1]


print(instructor.from_litellm(litellm.completion).chat.completions.create(response_model=City, **ASK))
print(asyncio.run(instructor.from_litellm(litellm.acompletion).chat.completions.create(response_model=City, **ASK)))
print(asyncio.run(streamed()))
