"""OpenAI's speech and transcriptions as the tests' provider speaks them."""

from collections.abc import Iterator, Mapping
from typing import Any

from ddtrace_litellm.demo import openai_api
from ddtrace_litellm.demo.answers import Answer, Usage, pieces, words

_Json = Mapping[str, Any]

_SECONDS = 3
# Of input audio, whatever the file holds.
_AUDIO_TOKENS = 30


def speech_answer(request: _Json, text: str | None) -> Answer:
    """Decide what to say to an ``/v1/audio/speech`` body: what it gives to be spoken."""
    spoken = str(request.get("input", ""))
    return Answer(spoken if text is None else text, Usage(words(spoken), 0))


def speech_body(_: _Json, answer: Answer) -> bytes:
    """Return the sound: an MP3's first bytes, then what was spoken."""
    return b"ID3\x04\x00" + answer.text.encode()


def transcription_answer(_: _Json, text: str | None) -> Answer:
    """Decide what to say to an ``/v1/audio/transcriptions`` form: the same words for every recording."""
    heard = "The local provider heard a recording." if text is None else text
    return Answer(heard, Usage(_AUDIO_TOKENS, words(heard)))


def transcription_body(request: _Json, answer: Answer) -> dict[str, Any] | bytes:
    """Return the transcript in the format asked for; Whisper is billed by the second, other models by tokens."""
    wanted = request.get("response_format")
    if wanted == "text":
        return f"{answer.text}\n".encode()
    if "whisper" not in str(request.get("model", "")):
        return {"text": answer.text, "usage": _token_usage(answer)}
    usage = {"type": "duration", "seconds": _SECONDS}
    if wanted != "verbose_json":
        return {"text": answer.text, "usage": usage}
    segment = {"id": 0, "start": 0.0, "end": float(_SECONDS), "text": answer.text}
    return {
        "task": "transcribe",
        "language": "english",
        "duration": float(_SECONDS),
        "text": answer.text,
        "segments": [segment],
        "usage": usage,
    }


def transcription_events(_: _Json, answer: Answer) -> Iterator[bytes]:
    """Yield the events of a streamed transcription."""
    for piece in pieces(answer.text):
        yield openai_api.sse({"type": "transcript.text.delta", "delta": piece})
    yield openai_api.sse({"type": "transcript.text.done", "text": answer.text, "usage": _token_usage(answer)})


def _token_usage(answer: Answer) -> dict[str, Any]:
    tokens_in, tokens_out = answer.usage.input, answer.usage.output
    return {
        "type": "tokens",
        "input_tokens": tokens_in,
        "input_token_details": {"audio_tokens": tokens_in, "text_tokens": 0},
        "output_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }
