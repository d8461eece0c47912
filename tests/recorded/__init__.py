"""Recorded provider traffic: the requests as calls of LiteLLM's, and what the providers answered, read on its own.

Nothing here uses the code under test: answers are parsed from the recorded JSON and server-sent events.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.recorded import anthropic_messages, openai_chat, openai_responses
from tests.recorded.recording import Recording, player
from tests.recorded.said import Said

__all__ = ["CHAT", "MESSAGES", "MESSAGES_BY_CHAT", "RESPONSES", "TEXT", "Api", "Recording", "Said", "player"]


class Api(NamedTuple):
    """How a recorded request is made through LiteLLM, and its answer read.

    Attributes:
        function: of LiteLLM's.
        arguments: what it takes to ask the recorded question.
        said: what the provider answered, in the words in which the function hands it on.
    """

    function: str
    arguments: Callable[[Recording], dict[str, Any]]
    said: Callable[[Recording], Said]


CHAT = Api("completion", Recording.arguments, openai_chat.said)
TEXT = Api("text_completion", Recording.arguments, openai_chat.said)
RESPONSES = Api("responses", Recording.arguments, openai_responses.said)
MESSAGES = Api("anthropic_messages", Recording.arguments, anthropic_messages.said)
MESSAGES_BY_CHAT = Api("completion", anthropic_messages.chat_arguments, anthropic_messages.said_by_chat)
