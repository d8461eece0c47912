"""One recorded exchange with a provider, and the player that answers LiteLLM with it."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import vcr
import yaml

_PROVIDERS = {
    "api.openai.com": "openai",
    "api.deepseek.com": "deepseek",
    "openrouter.ai": "openrouter",
    "api.anthropic.com": "anthropic",
}
# OpenAI's own choice for a request that names none.
_IMAGE_MODEL = "dall-e-2"


class Recording:
    """One cassette with one exchange."""

    def __init__(self, path: Path) -> None:
        (exchange,) = load(path.read_text())["interactions"]
        self.path = path
        self.url = urlsplit(exchange["request"]["uri"])
        self.body: dict[str, Any] = json.loads(exchange["request"]["body"])
        self.status: int = exchange["response"]["status"]["code"]
        text = exchange["response"]["body"]["string"].decode()
        self.is_stream = text.startswith(("data:", "event:"))
        self.answers: list[dict[str, Any]] = list(_events(text)) if self.is_stream else [json.loads(text)]
        is_text = self.url.path.endswith("/completions") and "/chat/" not in self.url.path
        if self.url.netloc in _PROVIDERS:
            self.provider = "text-completion-openai" if is_text else _PROVIDERS[self.url.netloc]
        else:
            self.provider = "azure_text" if is_text else "azure"

    @property
    def model(self) -> str:
        """The model that is asked for; of a request that leaves it to a stored prompt, the one that answered."""
        if self.provider.startswith("azure"):
            return self.url.path.split("/deployments/")[1].partition("/")[0]
        if self.url.path.endswith("/images/generations"):
            return self.body.get("model", _IMAGE_MODEL)
        return self.body.get("model") or self.answers[0]["model"]

    def arguments(self) -> dict[str, Any]:
        """Return the call of LiteLLM's that sends the recorded request."""
        asked = {**self.body, "model": f"{self.provider}/{self.model}", "api_key": "no-key", "max_retries": 0}
        if self.provider.startswith("azure"):
            version = parse_qs(self.url.query)["api-version"][0]
            asked |= {"api_base": f"https://{self.url.netloc}", "api_version": version}
        if self.provider == "deepseek":
            # LiteLLM's own default is the beta endpoint.
            asked["api_base"] = f"https://{self.url.netloc}"
        if "prompt" in self.body and self.url.path.endswith("/responses"):
            # LiteLLM wants an input even where a stored prompt is all that is asked.
            asked.setdefault("input", [])
        asked.pop("stream", None)
        return {**asked, "stream": True} if self.is_stream else asked


def player() -> vcr.VCR:
    """Return a VCR that only replays, from cassettes of every format that the recordings have."""
    found = vcr.VCR(record_mode="none", serializer="recorded", match_on=["method", "endpoint"])
    found.register_serializer("recorded", _Serializer)
    found.register_matcher("endpoint", _same_endpoint)
    return found


def load(text: str) -> dict[str, Any]:
    """Parse a cassette; bodies are plain bytes whatever their format and encoding were."""
    cassette: dict[str, Any] = yaml.safe_load(text)
    for exchange in cassette["interactions"]:
        response = exchange["response"]
        body = (response.get("body") or {}).get("string", response.pop("content", ""))
        raw = body if isinstance(body, bytes) else body.encode()
        response["body"] = {"string": gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw}
        response.setdefault("status", {"code": response.pop("status_code", None), "message": ""})
        names = ("content-encoding", "content-length", "transfer-encoding")
        response["headers"] = {
            name: value for name, value in response["headers"].items() if name.lower() not in names
        }  # fmt: skip
    return cassette


class _Serializer:
    @staticmethod
    def deserialize(text: str) -> dict[str, Any]:
        return load(text)

    @staticmethod
    def serialize(cassette: Mapping[str, Any]) -> str:
        raise NotImplementedError


def _same_endpoint(one: Any, other: Any) -> None:
    # Older SDKs put two slashes behind Azure's host.
    assert one.path.replace("//", "/") == other.path.replace("//", "/")


def _events(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        name, _, data = line.partition(":")
        if name == "data" and data.strip() != "[DONE]":
            yield json.loads(data)
