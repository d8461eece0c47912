"""The table of API families: a new one is one entry here and one module beside."""

from ddtrace_litellm.extract import (
    batch,
    chat,
    chat_stream,
    embeddings,
    generate_content,
    generate_content_stream,
    images,
    messages,
    messages_stream,
    moderation,
    ocr,
    rerank,
    responses,
    responses_stream,
    speech,
    text,
    usage,
    video,
)
from ddtrace_litellm.extract.api import Family, Streaming

_CHUNKS = Streaming(chat_stream.assemble, chat_stream.detector, usage.reported_usage)

CHAT = Family(
    "completion",
    "llm",
    chat.PARAMETERS,
    chat.read_input,
    chat.read_response,
    usage.usage_of,
    carries=True,
    streaming=_CHUNKS,
)
# The same name: text_completion() is a completion() beneath.
TEXT = Family(
    "completion",
    "llm",
    text.PARAMETERS,
    text.read_input,
    text.read_response,
    usage.usage_of,
    carries=True,
    streaming=_CHUNKS,
)
RESPONSES = Family(
    "responses",
    "llm",
    responses.PARAMETERS,
    responses.read_input,
    responses.read_response,
    usage.openai_usage,
    carries=True,
    streaming=Streaming(responses_stream.assemble, responses_stream.detector),
)
MESSAGES = Family(
    "anthropic_messages",
    "llm",
    messages.PARAMETERS,
    messages.read_input,
    messages.read_response,
    messages.read_usage,
    carries=True,
    streaming=Streaming(messages_stream.assemble, messages_stream.detector),
)
GENERATE_CONTENT = Family(
    "generate_content",
    "llm",
    generate_content.PARAMETERS,
    generate_content.read_input,
    generate_content.read_response,
    generate_content.read_usage,
    carries=True,
    settings=generate_content.settings,
    streaming=Streaming(generate_content_stream.assemble, generate_content_stream.detector),
)
EMBEDDING = Family(
    "embedding",
    "embedding",
    embeddings.PARAMETERS,
    embeddings.read_input,
    embeddings.read_response,
    usage.usage_of,
)
RERANK = Family(
    "rerank",
    "retrieval",
    rerank.RERANK_PARAMETERS,
    rerank.read_input,
    rerank.read_ranking,
    rerank.rerank_usage,
)
SEARCH = Family(
    "search",
    "retrieval",
    rerank.SEARCH_PARAMETERS,
    rerank.read_input,
    rerank.read_findings,
    usage.no_usage,
)
IMAGE = Family("image", "llm", images.PARAMETERS, images.read_input, images.read_response, usage.openai_usage)
SPEECH = Family("speech", "llm", speech.SPEECH_PARAMETERS, speech.read_spoken, speech.read_speech, usage.no_usage)
TRANSCRIPTION = Family(
    "transcription",
    "llm",
    speech.TRANSCRIPTION_PARAMETERS,
    speech.read_recording,
    speech.read_transcript,
    usage.openai_usage,
)
MODERATION = Family(
    "moderation",
    "llm",
    moderation.PARAMETERS,
    moderation.read_input,
    moderation.read_response,
    usage.no_usage,
    provider="openai",
)
OCR = Family("ocr", "llm", ocr.PARAMETERS, ocr.read_input, ocr.read_response, usage.no_usage)
VIDEO = Family("video", "llm", video.PARAMETERS, video.read_input, video.read_response, usage.no_usage)
BATCH = Family("batch", "workflow", frozenset(), batch.read_input, batch.read_response, usage.no_usage)
