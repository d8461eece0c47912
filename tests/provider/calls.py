"""A working call of each LiteLLM function that is not chat, with what the provider makes of it."""

import io
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.provider.images_api import PNG

HEARD = "The local provider heard a recording."
CONTENTS = [{"role": "user", "parts": [{"text": "Good day"}]}]


class Call(NamedTuple):
    """A call of a LiteLLM function and what is to come of it.

    Attributes:
        function: the sync function's name; the async one has an ``a`` in front.
        arguments: what it takes, without key and base; files are made anew for each call.
        base: the API's base below the provider's URL.
        path: where it arrives.
        name: what a script for it is found by.
        said: the part of the result that was the provider's to say.
        expected: what that is.
    """

    function: str
    arguments: Callable[[], dict[str, Any]]
    base: str
    path: str
    name: str
    said: Callable[[Any], Any]
    expected: Any

    def keywords(self, url: str) -> dict[str, Any]:
        """Return all arguments for a provider at ``url``."""
        return {**self.arguments(), "api_key": "sk-local", "api_base": url + self.base}


def _image() -> list[io.BytesIO]:
    return [io.BytesIO(b"\x89PNG\r\n\x1a\n\xff\xfe--\r\n")]


def _named_image() -> io.BytesIO:
    (image,) = _image()
    image.name = "cat.png"
    return image


def _recording() -> tuple[str, bytes]:
    return ("day.wav", b"RIFF\x24\x00\x00\x00WAVEfmt \r\n\r\n")


CALLS = {
    "rerank": Call(
        "rerank",
        lambda: {
            "model": "cohere/rerank-v3.5",
            "query": "black cats",
            "documents": ["dogs bark", "black cats purr", "cats purr"],
            "top_n": 2,
            "return_documents": True,
        },
        "",
        "/v2/rerank",
        "rerank-v3.5",
        lambda ranked: (
            [(result["index"], result["relevance_score"], result["document"]["text"]) for result in ranked.results],
            ranked.meta["billed_units"]["search_units"],
        ),
        ([(1, 1.0, "black cats purr"), (2, 0.5, "cats purr")], 1),
    ),
    "rerank v1": Call(
        "rerank",
        lambda: {"model": "cohere/rerank-english-v3.0", "query": "cats", "documents": ["dogs bark", "cats purr"]},
        "/v1/rerank",
        "/v1/rerank",
        "rerank-english-v3.0",
        lambda ranked: [result["index"] for result in ranked.results],
        [1, 0],
    ),
    "GPT image": Call(
        "image_generation",
        lambda: {"prompt": "a black cat", "model": "openai/gpt-image-1", "n": 2},
        "/v1",
        "/v1/images/generations",
        "gpt-image-1",
        lambda made: (
            [image.b64_json for image in made.data],
            made.usage.input_tokens,
            made.usage.output_tokens,
        ),
        ([PNG, PNG], 3, 32),
    ),
    "DALL-E image": Call(
        "image_generation",
        lambda: {"prompt": "a black cat", "model": "openai/dall-e-3"},
        "/v1",
        "/v1/images/generations",
        "dall-e-3",
        lambda made: [(image.url, image.revised_prompt) for image in made.data],
        [("https://images.example/0.png", "a black cat")],
    ),
    "Azure image": Call(
        "image_generation",
        lambda: {"prompt": "a black cat", "model": "azure/painter", "api_version": "2024-10-21"},
        "",
        "/openai/deployments/painter/images/generations",
        "painter",
        lambda made: len(made.data),
        1,
    ),
    "image edit": Call(
        "image_edit",
        lambda: {"image": _image(), "prompt": "a hat", "model": "openai/gpt-image-1"},
        "/v1",
        "/v1/images/edits",
        "gpt-image-1",
        lambda made: (made.data[0].b64_json, made.usage.input_tokens, made.usage.output_tokens),
        (PNG, 18, 16),
    ),
    # LiteLLM sends neither the model nor anything else but the image.
    "image variation": Call(
        "image_variation",
        lambda: {"image": _named_image(), "model": "openai/dall-e-2"},
        "/v1",
        "/v1/images/variations",
        "",
        lambda made: [image.url for image in made.data],
        ["https://images.example/0.png"],
    ),
    "speech": Call(
        "speech",
        lambda: {"model": "openai/tts-1", "input": "Good day", "voice": "alloy"},
        "/v1",
        "/v1/audio/speech",
        "tts-1",
        lambda spoken: spoken.content,
        b"ID3\x04\x00Good day",
    ),
    "Azure speech": Call(
        "speech",
        lambda: {"model": "azure/speaker", "input": "Good day", "voice": "alloy", "api_version": "2024-10-21"},
        "",
        "/openai/deployments/speaker/audio/speech",
        "speaker",
        lambda spoken: spoken.content,
        b"ID3\x04\x00Good day",
    ),
    "Whisper": Call(
        "transcription",
        lambda: {"model": "openai/whisper-1", "file": _recording()},
        "/v1",
        "/v1/audio/transcriptions",
        "whisper-1",
        lambda heard: (heard.text, heard.duration),
        (HEARD, 3.0),
    ),
    "transcription": Call(
        "transcription",
        lambda: {"model": "openai/gpt-4o-mini-transcribe", "file": _recording()},
        "/v1",
        "/v1/audio/transcriptions",
        "gpt-4o-mini-transcribe",
        lambda heard: heard.text,
        HEARD,
    ),
    "Azure transcription": Call(
        "transcription",
        lambda: {"model": "azure/listener", "file": _recording(), "api_version": "2024-10-21"},
        "",
        "/openai/deployments/listener/audio/transcriptions",
        "listener",
        lambda heard: heard.text,
        HEARD,
    ),
    "compaction": Call(
        "compact_responses",
        lambda: {"model": "openai/gpt-4o-mini", "input": "Good day"},
        "/v1",
        "/v1/responses/compact",
        "gpt-4o-mini",
        lambda response: (response.object, len(response.output), response.usage.input_tokens),
        ("response.compaction", 2, 2),
    ),
    "stored response": Call(
        "get_responses",
        lambda: {"response_id": "resp_7", "custom_llm_provider": "openai"},
        "/v1",
        "/v1/responses/resp_7",
        "resp_7",
        lambda response: (response.status, response.output[0].content[0].text, response.usage.output_tokens),
        ("completed", "The local provider remembers.", 4),
    ),
    "cancelled response": Call(
        "cancel_responses",
        lambda: {"response_id": "resp_7", "custom_llm_provider": "openai"},
        "/v1",
        "/v1/responses/resp_7/cancel",
        "resp_7",
        lambda response: (response.status, response.output),
        ("cancelled", []),
    ),
    "Azure response": Call(
        "responses",
        lambda: {"model": "azure/writer", "input": "Good day", "api_version": "2024-10-21"},
        "",
        "/openai/responses",
        "writer",
        lambda response: response.output[0].content[0].text,
        "The local provider heard: Good day",
    ),
    "OCR": Call(
        "ocr",
        lambda: {
            "model": "mistral/mistral-ocr-latest",
            "document": {"type": "document_url", "document_url": "https://docs.example/a.pdf"},
        },
        "/v1",
        "/v1/ocr",
        "mistral-ocr-latest",
        lambda read: ([page.markdown for page in read.pages], read.usage_info.pages_processed),
        (["# The local provider\n\nread a page."] * 2, 2),
    ),
    "search": Call(
        "search",
        lambda: {"query": "cats", "search_provider": "tavily"},
        "",
        "/search",
        "",
        lambda found: [(page.url, page.snippet) for page in found.results],
        [("https://pages.example/0", "About: cats"), ("https://pages.example/1", "About: cats")],
    ),
    "video": Call(
        "video_generation",
        lambda: {"prompt": "a black cat", "model": "openai/sora-2", "seconds": "8"},
        "/v1",
        "/v1/videos",
        "sora-2",
        lambda video: (video.status, video.model, video.seconds),
        ("queued", "sora-2", "8"),
    ),
    "finished video": Call(
        "video_status",
        lambda: {"video_id": "video_7", "custom_llm_provider": "openai"},
        "/v1",
        "/v1/videos/video_7",
        "video_7",
        lambda video: (video.status, video.progress),
        ("completed", 100),
    ),
    "remixed video": Call(
        "video_remix",
        lambda: {"video_id": "video_7", "prompt": "a hat", "custom_llm_provider": "openai"},
        "/v1",
        "/v1/videos/video_7/remix",
        "video_7",
        lambda video: (video.status, video.remixed_from_video_id),
        ("queued", "video_7"),
    ),
    "embedding": Call(
        "embedding",
        lambda: {"model": "openai/text-embedding-3-small", "input": ["one two", "three"]},
        "/v1",
        "/v1/embeddings",
        "text-embedding-3-small",
        lambda embedded: ([item["embedding"] for item in embedded.data], embedded.usage.prompt_tokens),
        ([[0.25, -0.5, 0.75]] * 2, 3),
    ),
    "Azure embedding": Call(
        "embedding",
        lambda: {"model": "azure/embedder", "input": ["one two", "three"], "api_version": "2024-10-21"},
        "",
        "/openai/deployments/embedder/embeddings",
        "embedder",
        lambda embedded: embedded.usage.prompt_tokens,
        3,
    ),
    "Gemini": Call(
        "generate_content",
        lambda: {"model": "gemini/gemini-2.5-flash", "contents": CONTENTS},
        "/v1beta",
        "/v1beta/models/gemini-2.5-flash:generateContent",
        "gemini-2.5-flash",
        lambda generated: (
            generated.candidates[0]["content"]["parts"][0]["text"],
            generated.usageMetadata["promptTokenCount"],
            generated.modelVersion,
        ),
        ("The local provider heard: Good day", 2, "gemini-2.5-flash"),
    ),
}
