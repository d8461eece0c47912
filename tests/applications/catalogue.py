"""The frameworks: what to install, and what the model has to say where a framework reads the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.provider import ToolCall

Turn = str | ToolCall
"""What the model says once: a text, or a call of a tool."""


def _city(degrees: int) -> ToolCall:
    return ToolCall("call_city", "City", f'{{"name": "Lisbon", "degrees": {degrees}}}')


def _fields(**values: str) -> str:
    """Return an answer in the form that DSPy asks for."""
    said = [f"[[ ## {name} ## ]]\n{value}\n" for name, value in values.items()]
    return "\n".join([*said, "[[ ## completed ## ]]"])


@dataclass(frozen=True)
class Application:
    """A framework, with the program ``programs/with_<module>.py``.

    Attributes:
        name: what is installed, and shown.
        older_than: the version from which on something of others is broken, ``""`` where nothing is.
        more: what a user of it installs beside it.
        theirs: ddtrace's integration that makes spans of it too, ``""`` where there is none.
        turns: by the model, what it says in turn; after that the provider's default answers.
    """

    name: str
    older_than: str = ""
    more: tuple[str, ...] = ()
    theirs: str = ""
    turns: Mapping[str, Sequence[Turn]] = field(default_factory=dict)

    @property
    def requirements(self) -> list[str]:
        """What to install."""
        return [f"{self.name}<{self.older_than}" if self.older_than else self.name, *self.more]

    @property
    def program(self) -> str:
        """The program's file name."""
        return f"with_{self.name.replace('-', '_')}.py"


APPLICATIONS = (
    Application("crewai", theirs="crewai"),
    Application(
        "dspy",
        turns={
            "gpt-4o-mini": (
                _fields(answer="In Lisbon."),
                _fields(answer="It is by the sea."),
                _fields(next_thought="I ask.", next_tool_name="get_temperature", next_tool_args='{"city": "Lisbon"}'),
                _fields(next_thought="I know.", next_tool_name="finish", next_tool_args="{}"),
                _fields(reasoning="The tool said so.", answer="27 degrees"),
            )
        },
    ),
    # With LLM Observability, the import of a newer one fails in ddtrace's own integration of it (4.16).
    Application("google-adk", "2.9", theirs="google_adk"),
    Application("instructor", turns={"gpt-4o": (_city(127), _city(27), _city(27), _city(27))}),
    Application("langchain-litellm", more=("langchain",), theirs="langchain"),
    Application("llama-index-llms-litellm", theirs="llama_index"),
    Application("openai-agents", theirs="openai_agents"),
    Application(
        "smolagents",
        turns={
            "gpt-4o": (
                ToolCall("call_0", "get_temperature", '{"city": "Lisbon"}'),
                ToolCall("call_1", "final_answer", '{"answer": "27 degrees"}'),
            ),
            "gpt-4.1": (
                'I ask.\n<code>\nwarm = get_temperature("Lisbon")\nprint(warm)\n</code>',
                "I know.\n<code>\nfinal_answer(warm)\n</code>",
            ),
        },
    ),
)
