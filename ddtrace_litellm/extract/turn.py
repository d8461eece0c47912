"""One turn of a conversation in APIs whose messages are lists of typed parts: Anthropic's and Google's."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ddtrace_litellm.extract.api import Output
from ddtrace_litellm.extract.choices import Choice, Message, all_text, finish_reasons, output_messages, result_message
from ddtrace_litellm.extract.content import Content
from ddtrace_litellm.extract.tools import ToolCall


@dataclass(slots=True)
class Result:
    """What a tool gave back.

    Attributes:
        name: the tool's, ``""`` where nobody tells.
        tool_id: the id of the call.
        type: the API's word for it.
        content: text, and images beside it.
    """

    name: str
    tool_id: str
    type: str
    content: Content


@dataclass(slots=True)
class Turn:
    """What the parts of one message say, in the order within each kind.

    Attributes:
        role: in LLM Observability's words; the model is ``assistant``.
        texts: pieces of text, and markers of what cannot be shown.
        content: the attachments.
        reasoning: the model's thoughts.
        calls: calls the model asked for, those that the provider carries out itself included.
        results: results that the program hands in, or the provider's own tools.
        finish_reason: why the model stopped, in the API's words.
    """

    role: str
    texts: list[str] = field(default_factory=list)
    content: Content = field(default_factory=Content)
    reasoning: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    finish_reason: str = ""

    def choice(self) -> Choice:
        """Return the turn without its results, as a chat response would have it."""
        # A model's text is cut anywhere (citations, stream pieces), a person's parts are things of their own.
        separator = "" if self.role == "assistant" else "\n"
        content = Content(separator.join(filter(None, self.texts)), self.content.image_parts, self.content.audio_parts)
        return Choice(self.role, content, "\n".join(filter(None, self.reasoning)), self.calls, self.finish_reason)

    def messages(self) -> list[Message]:
        """Return the turn's messages: reasoning, what was said, and each result, which follows the model's call."""
        results = [result_message(given.content, given.name, given.tool_id, given.type) for given in self.results]
        choice = self.choice()
        if results and not all_text(choice) and choice.content == Content():
            return results
        said = output_messages([choice])
        return said + results if self.role == "assistant" else results + said


def output(turns: Iterable[Turn], program_call: str) -> Output:
    """Return what the model's turns say. ``program_call``: the type of the calls that the program has to carry out."""
    turns = tuple(turns)
    choices = [turn.choice() for turn in turns]
    return Output(
        {"output_messages": [message for turn in turns for message in turn.messages()]},
        finish_reasons(choices),
        [call for choice in choices for call in choice.tool_calls if call.type == program_call],
        "".join(map(all_text, choices)),
    )
