"""OpenAI's videos as the tests' provider speaks them: a video made or remixed is queued, a video asked for is ready."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.demo.answers import Answer, Usage

_Json = Mapping[str, Any]


def answer(request: _Json, text: str | None) -> Answer:
    """Decide what to say to a ``/v1/videos`` body; seconds are billed, not tokens."""
    return Answer(str(request.get("prompt", "")) if text is None else text, Usage(0, 0))


def created_body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return a video that has just been ordered."""
    return {
        "id": "video_local",
        "object": "video",
        "created_at": 1_700_000_000,
        "status": "queued",
        "progress": 0,
        "model": request.get("model", ""),
        "prompt": answer.text,
        "seconds": str(request.get("seconds") or 4),
        "size": request.get("size") or "720x1280",
        "error": None,
    }


def remixed_body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return a video that has just been ordered to be made of another one."""
    return {**created_body({**request, "model": "sora-2"}, answer), "remixed_from_video_id": request.get("model")}


def stored_body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return a finished video."""
    made = created_body({**request, "model": "sora-2"}, answer)
    return {**made, "id": request.get("model"), "status": "completed", "progress": 100, "completed_at": 1_700_000_060}
