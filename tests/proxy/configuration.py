"""The proxy's configuration, what its provider does for which model, and all that may never leave it."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from tests.checkout import CHECKOUT
from tests.provider import Behaviour, Script

MASTER_KEY = "sk-master-secret-9f8e7d6c5b4a39281706f5e4d3c2b1a0"
CALLER_KEY = "sk-caller-secret-0a1b2c3d4e5f60718293a4b5c6d7e8f9"
UNKNOWN_KEY = "sk-unknown-secret-00112233445566778899aabbccddeeff"
POOR_KEY = "sk-poor-secret-ffeeddccbbaa99887766554433221100"
CLEAR_KEY = "clear-secret-a0b1c2d3e4f5061728394a5b6c7d8e9f"
COOKIE = "session=cookie-secret-1f2e3d4c5b6a"
CALLER_HASH = hashlib.sha256(CALLER_KEY.encode()).hexdigest()
_PROVIDER_KEY = "sk-provider-secret-5a6b7c8d9e0f"
GEMINI_KEY = "gemini-secret-7c8d9e0f1a2b"
_QUOTED_KEY = "clear-provider-secret-6b7c8d9e0f1a"
SECRETS = (
    MASTER_KEY,
    CALLER_KEY,
    CLEAR_KEY,
    UNKNOWN_KEY,
    POOR_KEY,
    COOKIE.partition("=")[2],
    _PROVIDER_KEY,
    _QUOTED_KEY,
    GEMINI_KEY,
)

BEHAVIOURS: Mapping[str, Behaviour] = {
    "gpt-fails": Script(status=500, error="The provider failed."),
    "gpt-quotes": Script(status=401, error=f"Incorrect key {_QUOTED_KEY}, not {CALLER_KEY}", error_type="invalid_key"),
    "gpt-limited": Script(status=429, error="Slow down.", error_type="rate_limit_error"),
    "gpt-cut": Script(cut_after=4, pace=0.1, text="one two three four five"),
    "gpt-cut-at-once": Script(cut_after=0),
    "gpt-slow": Script(pace=0.3, text="one two three four five six seven eight nine ten"),
    "gpt-late": Script(delay=4),
    "claude-slow": Script(pace=0.3, text="one two three four five six seven eight nine ten"),
}


def configuration(provider_url: str, presidio_url: str = "http://127.0.0.1:9") -> dict[str, Any]:
    """Return the proxy's configuration, whose provider and whose Presidio are at these URLs."""
    openai_url = f"{provider_url}/v1"

    def model(group: str, name: str, url: str = openai_url, **more: Any) -> dict[str, Any]:
        return {
            "model_name": group,
            "litellm_params": {"model": name, "api_base": url, "api_key": _PROVIDER_KEY, **more},
            "model_info": {"id": f"{group}-{name.rpartition('/')[2]}"},
        }

    return {
        "model_list": [
            model("chat", "openai/gpt-4o-mini"),
            model("claude", "anthropic/claude-sonnet-4-5", provider_url),
            model("text", "text-completion-openai/gpt-3.5-turbo-instruct"),
            model("embedding", "openai/text-embedding-3-small"),
            model("rerank", "cohere/rerank-v3.5", provider_url),
            model("image", "openai/gpt-image-1"),
            model("speech", "openai/tts-1"),
            model("transcription", "openai/whisper-1"),
            model("moderation", "openai/omni-moderation-latest"),
            model("gemini", "gemini/gemini-2.5-flash", f"{provider_url}/v1beta"),
            {
                "model_name": "bedrock-claude",
                "litellm_params": {
                    "model": "bedrock/anthropic.claude-haiku-4-5-20251001-v1:0",
                    "aws_bedrock_runtime_endpoint": provider_url,
                    "aws_access_key_id": "local",
                    "aws_secret_access_key": _PROVIDER_KEY,
                    "aws_region_name": "us-east-1",
                },
            },
            model("interactive", "gemini/gemini-2.5-flash", provider_url),
            model("two", "openai/gpt-fails", order=1),
            model("two", "openai/gpt-4o-mini", order=2),
            model("fails", "openai/gpt-fails"),
            model("quotes", "openai/gpt-quotes", api_key=_QUOTED_KEY),
            model("limited", "openai/gpt-limited"),
            model("falls-back", "openai/gpt-fails"),
            model("cut", "openai/gpt-cut"),
            model("cut-at-once", "openai/gpt-cut-at-once"),
            model("slow", "openai/gpt-slow"),
            model("late", "openai/gpt-late"),
            model("claude-slow", "anthropic/claude-slow", provider_url),
        ],
        "router_settings": {
            "num_retries": 0,
            "disable_cooldowns": True,  # a test's failures are no business of the next one's
            "fallbacks": [{"falls-back": ["chat"]}, {"cut-at-once": ["chat"]}],
        },
        "litellm_settings": {
            "num_retries": 0,
            "cache": True,
            "cache_params": {"type": "local", "mode": "default_off"},
        },
        "guardrails": [
            {
                "guardrail_name": "no-forbidden-words",
                "litellm_params": {"guardrail": "hooks.NoForbiddenWords", "mode": "pre_call", "default_on": True},
            },
            {
                "guardrail_name": "masks",
                "litellm_params": {
                    "guardrail": "presidio",
                    "mode": "pre_call",
                    "presidio_analyzer_api_base": presidio_url,
                    "presidio_anonymizer_api_base": presidio_url,
                },
            },
            {
                "guardrail_name": "looks-on",
                "litellm_params": {"guardrail": "hooks.LooksOn", "mode": ["during_call", "post_call"]},
            },
        ],
        "general_settings": {"master_key": MASTER_KEY, "custom_auth": "hooks.authenticate"},
    }


_OBFUSCATION = "DD_TRACE_OBFUSCATION_QUERY_STRING_REGEXP"


def obfuscation() -> dict[str, str]:
    """Return the environment that the documentation tells to hide keys in URLs with."""
    text = (CHECKOUT / "docs" / "privacy.md").read_text()
    return {_OBFUSCATION: re.search(rf"{_OBFUSCATION}='(.+)'", text)[1]}


def passed_through_to(provider_url: str) -> dict[str, str]:
    """Return the environment in which the pass-through routes of the proxy end at ``provider_url``."""
    names = ("ANTHROPIC", "GEMINI", "OPENAI")
    keys = {f"{name}_API_KEY": _PROVIDER_KEY for name in names}
    # LiteLLM sends Gemini's in the query of the URL.
    more = {"GEMINI_API_KEY": GEMINI_KEY, **obfuscation()}
    return {f"{name}_API_BASE": provider_url for name in names} | keys | more
