"""The table of API families: a new one is one entry here and one module beside."""

from ddtrace_litellm.extract import chat, chunks, text, usage
from ddtrace_litellm.extract.family import Family, Streaming
from ddtrace_litellm.extract.metadata import CHAT_PARAMETERS, TEXT_PARAMETERS

CHAT = Family(
    name="completion",
    kind="llm",
    parameters=CHAT_PARAMETERS,
    read_input=chat.read_input,
    read_response=chat.read_response,
    read_usage=usage.usage_of,
    streaming=Streaming(chunks.assemble, chunks.detector, usage.reported_usage),
)
TEXT = Family(
    # The same name: text_completion() is a completion() beneath.
    name="completion",
    kind="llm",
    parameters=TEXT_PARAMETERS,
    read_input=text.read_input,
    read_response=text.read_response,
    read_usage=usage.usage_of,
    streaming=Streaming(chunks.assemble, chunks.detector, usage.reported_usage),
)
