"""Those who ask the proxy: the real clients, and what every route is asked."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.proxy.configuration import CALLER_KEY, COOKIE

MESSAGES = [{"role": "user", "content": "How warm is it?"}]
_WAVE = b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0@\x1f\0\0\x01\0\x08\0data\0\0\0\0"


@dataclass(frozen=True)
class Caller:
    """Clients that try once, and whose requests carry a mark.

    Attributes:
        url: the proxy's base URL.
        key: what proves who the caller is.
        more: more headers.
        mark: tells this caller's traces from others'.
    """

    url: str
    key: str = CALLER_KEY
    more: Mapping[str, str] = field(default_factory=dict)
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def headers(self) -> dict[str, str]:
        """What every request of this caller carries beside the key."""
        return {"x-test-id": self.mark, "cookie": COOKIE, **self.more}

    @cached_property
    def openai(self) -> Any:
        """OpenAI's client."""
        from openai import OpenAI

        return OpenAI(
            base_url=f"{self.url}/v1", api_key=self.key, max_retries=0, default_headers=self.headers, timeout=30
        )

    @cached_property
    def anthropic(self) -> Any:
        """Anthropic's client, which sends the key in a header of its own."""
        from anthropic import Anthropic

        return Anthropic(base_url=self.url, api_key=self.key, max_retries=0, default_headers=self.headers, timeout=30)

    @cached_property
    def http(self) -> Any:
        """A plain client, for the routes that neither of the two has."""
        from httpx import Client

        headers = {**self.headers, "authorization": f"Bearer {self.key}"}
        return Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def post(self, path: str, **body: Any) -> Any:
        """Send JSON to a route and return the JSON of the answer."""
        answer = self.http.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def close(self) -> None:
        """Close the clients that were used."""
        for name in ("openai", "anthropic", "http"):
            if name in vars(self):
                vars(self)[name].close()


@dataclass(frozen=True)
class Case:
    """One question, and what it is traced as.

    Attributes:
        name: what it is about.
        ask: asks it, and reads the answer to its end.
        model: the model as the provider knows it.
        kind: the kind of the one span that stands for the request to the provider.
    """

    name: str
    ask: Callable[[Caller], Any]
    model: str
    kind: str = "llm"


def _chat(caller: Caller, model: str, **more: Any) -> Any:
    return caller.openai.chat.completions.create(model=model, messages=MESSAGES, **more)


def _messages(caller: Caller, model: str, **more: Any) -> Any:
    return caller.anthropic.messages.create(model=model, messages=MESSAGES, max_tokens=64, **more)


def _responses(caller: Caller, model: str, **more: Any) -> Any:
    return caller.openai.responses.create(model=model, input="How warm is it?", **more)


def _gemini(caller: Caller, method: str) -> Any:
    body = {"contents": [{"role": "user", "parts": [{"text": "How warm is it?"}]}]}
    with caller.http.stream("POST", f"/v1beta/models/gemini:{method}", json=body) as answer:
        read = answer.read()
        assert answer.status_code == 200, read
    return read


def _interaction(caller: Caller, **more: Any) -> Any:
    body = {"model": "interactive", "input": "How warm is it?", **more}
    with caller.http.stream("POST", "/v1beta/interactions", json=body) as answer:
        read = answer.read()
        assert answer.status_code == 200, read
    return read


GPT, CLAUDE, GEMINI = "gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-flash"
CASES = (
    Case("chat", lambda caller: _chat(caller, "chat"), GPT),
    Case("chat stream", lambda caller: list(_chat(caller, "chat", stream=True)), GPT),
    Case("chat of anthropic", lambda caller: _chat(caller, "claude"), CLAUDE),
    Case("chat stream of anthropic", lambda caller: list(_chat(caller, "claude", stream=True)), CLAUDE),
    Case(
        "text",
        lambda caller: caller.openai.completions.create(model="text", prompt="It was"),
        "gpt-3.5-turbo-instruct",
    ),
    Case(
        "text stream",
        lambda caller: list(caller.openai.completions.create(model="text", prompt="It was", stream=True)),
        "gpt-3.5-turbo-instruct",
    ),
    Case("messages", lambda caller: _messages(caller, "claude"), CLAUDE),
    Case("messages stream", lambda caller: list(_messages(caller, "claude", stream=True)), CLAUDE),
    Case("messages of openai", lambda caller: _messages(caller, "chat"), GPT),
    Case("messages stream of openai", lambda caller: list(_messages(caller, "chat", stream=True)), GPT),
    Case("responses", lambda caller: _responses(caller, "chat"), GPT),
    Case("responses stream", lambda caller: list(_responses(caller, "chat", stream=True)), GPT),
    Case("responses of anthropic", lambda caller: _responses(caller, "claude"), CLAUDE),
    Case("responses stream of anthropic", lambda caller: list(_responses(caller, "claude", stream=True)), CLAUDE),
    Case(
        "embeddings",
        lambda caller: caller.openai.embeddings.create(model="embedding", input=["one", "two"]),
        "text-embedding-3-small",
        "embedding",
    ),
    Case(
        "rerank",
        lambda caller: caller.post("/v1/rerank", model="rerank", query="q", documents=["one", "two"], top_n=1),
        "rerank-v3.5",
        "retrieval",
    ),
    Case(
        "image",
        lambda caller: caller.openai.images.generate(model="image", prompt="a cat"),
        "gpt-image-1",
    ),
    Case(
        "speech",
        lambda caller: caller.openai.audio.speech.create(model="speech", voice="alloy", input="Hello").read(),
        "tts-1",
    ),
    Case(
        "transcription",
        lambda caller: caller.openai.audio.transcriptions.create(model="transcription", file=("a.wav", _WAVE)),
        "whisper-1",
    ),
    Case(
        "moderation",
        lambda caller: caller.openai.moderations.create(model="moderation", input="I am kind"),
        "omni-moderation-latest",
    ),
    Case("gemini", lambda caller: _gemini(caller, "generateContent"), GEMINI),
    Case("gemini stream", lambda caller: _gemini(caller, "streamGenerateContent?alt=sse"), GEMINI),
    Case("interaction", _interaction, GEMINI),
    Case("interaction stream", lambda caller: _interaction(caller, stream=True), GEMINI),
)
