"""Many requests at once: a deterministic mixture, and what came back for each."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from tests.proxy.callers import Caller


@dataclass(frozen=True)
class Question:
    """A request to the proxy.

    Attributes:
        name: its kind.
        path: the route.
        body: its JSON.
        leave: whether the client goes away after the first piece of the answer.
    """

    name: str
    path: str
    body: Mapping[str, Any]
    leave: bool = False


@dataclass(frozen=True)
class Answered:
    """What came back: HTTP status and body, as far as it was read; ``broken`` when it ended in mid-air."""

    status: int
    body: bytes
    broken: bool = False


def _chat(text: str, model: str = "chat", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def _answered(text: str) -> Sequence[Question]:
    return (
        Question("chat", "/v1/chat/completions", _chat(text)),
        Question("chat stream", "/v1/chat/completions", _chat(text, stream=True)),
        Question("messages", "/v1/messages", _chat(text, "claude", max_tokens=64)),
        Question("messages stream", "/v1/messages", _chat(text, "claude", max_tokens=64, stream=True)),
        Question("embeddings", "/v1/embeddings", {"model": "embedding", "input": [text, "two"]}),
        Question("responses", "/v1/responses", {"model": "chat", "input": text}),
        Question("responses stream", "/v1/responses", {"model": "chat", "input": text, "stream": True}),
        Question("text", "/v1/completions", {"model": "text", "prompt": text}),
        Question("text stream", "/v1/completions", {"model": "text", "prompt": text, "stream": True}),
    )


def _unanswered(text: str) -> Sequence[Question]:
    return (
        Question("failure", "/v1/chat/completions", _chat(text, "fails")),
        Question("limit", "/v1/chat/completions", _chat(text, "limited", stream=True)),
        Question("cut", "/v1/chat/completions", _chat(text, "cut", stream=True)),
        Question("left", "/v1/chat/completions", _chat(text, "slow", stream=True), leave=True),
        Question("left messages", "/v1/messages", _chat(text, "claude-slow", max_tokens=64, stream=True), leave=True),
        Question("left responses", "/v1/responses", {"model": "slow", "input": text, "stream": True}, leave=True),
    )


ANSWERED = _answered("How warm is it?")
"""One question of each kind that gets a whole answer."""


def mixture(count: int) -> list[Question]:
    """Return ``count`` questions of all kinds in turn: of fifteen nine are answered, three fail and three are left."""
    rounds = ((*_answered(text), *_unanswered(text)) for text in (f"What is {number}?" for number in itertools.count()))
    return list(islice(chain.from_iterable(rounds), count))


async def ask_all(caller: Caller, questions: Sequence[Question], at_a_time: int, tries: int = 1) -> list[Answered]:
    """Ask everything, so many at a time, and return the answers in the order of the questions.

    Args:
        caller: who asks.
        questions: what is asked.
        at_a_time: how many are asked at once.
        tries: how often one is asked whose connection ends before an answer begins, as it can when a server reloads.
    """
    from httpx import AsyncClient, Limits, TransportError

    headers = {**caller.headers, "authorization": f"Bearer {caller.key}", "accept-encoding": "identity"}
    room = asyncio.Semaphore(at_a_time)
    limits = Limits(max_connections=at_a_time)
    async with AsyncClient(base_url=caller.url, headers=headers, timeout=60, limits=limits, trust_env=False) as client:

        async def ask(question: Question) -> Answered:
            async with room:
                for _ in range(tries - 1):
                    with suppress(TransportError):
                        return await _ask(client, question)
                return await _ask(client, question)

        return await asyncio.gather(*map(ask, questions))


async def _ask(client: Any, question: Question) -> Answered:
    from httpx import HTTPError

    received: list[bytes] = []
    async with client.stream("POST", question.path, json=question.body) as answer:
        try:
            async for piece in answer.aiter_raw():
                received.append(piece)
                if question.leave:
                    break
        except HTTPError:
            return Answered(answer.status_code, b"".join(received), broken=True)
    return Answered(answer.status_code, b"".join(received))
