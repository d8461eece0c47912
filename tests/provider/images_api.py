"""OpenAI's images as the tests' provider speaks them: every image is the same pixel."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.demo.answers import Answer, Usage, words

_Json = Mapping[str, Any]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
_TOKENS_AN_IMAGE = 16


def answer(request: _Json, text: str | None) -> Answer:
    """Decide what to say to the body of a generation, an edit or a variation; the text is the revised prompt."""
    prompt = str(request.get("prompt", ""))
    tokens_in = words(prompt) + _TOKENS_AN_IMAGE * _images_in(request)
    return Answer(prompt if text is None else text, Usage(tokens_in, _TOKENS_AN_IMAGE * _images_out(request)))


def body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return ``n`` images: as URLs, or as base64 where asked for. GPT Image models know base64 only, and count."""
    counts = "gpt-image" in str(request.get("model", ""))
    encoded = counts or request.get("response_format") == "b64_json"
    data = [
        {"b64_json": PNG} if encoded else {"url": f"https://images.example/{number}.png"}
        for number in range(_images_out(request))
    ]
    if not counts:
        revised = {"revised_prompt": answer.text} if answer.text else {}
        return {"created": 1_700_000_000, "data": [{**image, **revised} for image in data]}
    tokens_in, tokens_out = answer.usage.input, answer.usage.output
    of_images = min(_TOKENS_AN_IMAGE * _images_in(request), tokens_in)
    return {
        "created": 1_700_000_000,
        "background": "opaque",
        "output_format": "png",
        "quality": request.get("quality") or "low",
        "size": request.get("size") or "1024x1024",
        "data": data,
        "usage": {
            "input_tokens": tokens_in,
            "input_tokens_details": {"image_tokens": of_images, "text_tokens": tokens_in - of_images},
            "output_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def _images_in(request: _Json) -> int:
    given = request.get("image") or request.get("image[]") or ()
    return 1 if isinstance(given, str) else len(given)


def _images_out(request: _Json) -> int:
    return int(request.get("n") or 1)
