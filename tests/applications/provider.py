"""The provider of the applications: it says what an application needs to hear, and keeps what it has said."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ddtrace_litellm.demo.answers import Answer, words
from ddtrace_litellm.demo.provider import Behaviour, Request, Route
from tests.applications.catalogue import Turn
from tests.provider import Provider


class SpeakingInTurns(Provider):
    """The tests' provider, whose models say what is in ``turns`` first.

    Attributes:
        answered: each request with its answer, in order.
    """

    def __init__(self, turns: Mapping[str, Sequence[Turn]]) -> None:
        super().__init__()
        self._turns = {model: iter(said) for model, said in turns.items()}
        self.answered: list[tuple[Request, Answer]] = []

    def answer(self, request: Request, behaviour: Behaviour, route: Route) -> Answer:
        """Say what is next for the model, else the default answer."""
        said = super().answer(request, behaviour, route)
        turn = next(self._turns.get(request.model, iter(())), None)
        if isinstance(turn, str):
            usage = replace(said.usage, output=words(turn))
            said = Answer(turn, usage)
        elif turn is not None:
            said = Answer("", said.usage, (turn,), "tool_calls")
        self.answered.append((request, said))
        return said
