"""Hundreds of requests at once, some of which fail, break or are abandoned."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.provider import Provider
from tests.proxy.arrivals import asked_of, leaves
from tests.proxy.callers import Caller
from tests.proxy.configuration import configuration
from tests.proxy.load import Answered, ask_all, mixture
from tests.proxy.server import Proxy

pytestmark = pytest.mark.e2e

COUNT = 300
AT_A_TIME = 16
# What LiteLLM makes up anew for each answer.
_RANDOM = re.compile(rb'"(id|item_id|created|created_at|completed_at)": ?("[^"]*"|[0-9.]+)')


@pytest.fixture(scope="module")
def plain_proxy(upstream: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The same proxy without ddtrace."""
    with Proxy(tmp_path_factory.mktemp("plain"), configuration(upstream.url)) as starting:
        yield starting.wait()


def comparable(answer: Answered) -> tuple[int, bytes, bool]:
    """Return an answer without what differs from request to request."""
    return answer.status, _RANDOM.sub(rb'"\1": _', answer.body), answer.broken


def test_nothing_is_lost_under_load(arrivals, upstream, caller):
    """Each request is one whole trace, and each request to the provider exactly one leaf, however either ended."""
    questions = mixture(COUNT)
    begin = time.monotonic()
    answers = asyncio.run(ask_all(caller, questions, AT_A_TIME))
    took = time.monotonic() - begin
    traces = arrivals.wait(caller.mark, COUNT)
    print(f"{COUNT} requests in {took:.1f} s, {sum(len(trace.spans) for trace in traces)} spans")

    statuses = Counter(answer.status for answer in answers)
    assert statuses == {200: COUNT * 13 // 15, 500: COUNT // 15, 429: COUNT // 15}
    asked = Counter(asked_of(upstream))
    assert asked.total() == COUNT
    assert len(traces) == COUNT
    assert [trace for trace in traces if trace.lost_parents] == []
    assert {trace.roots[0].name for trace in traces} == {"fastapi.request"}
    assert Counter(leaf.llm.model for trace in traces for leaf in leaves(trace)) == asked
    assert [len(leaves(trace)) for trace in traces] == [1] * COUNT


def test_answers_are_those_of_a_proxy_without_tracing(arrivals, plain_proxy, caller):
    """Every answer, the errors and the broken streams too, is byte for byte what an untraced proxy gives."""
    questions = [question for question in mixture(45) if not question.leave]
    plain = Caller(plain_proxy.url)
    expected = asyncio.run(ask_all(plain, questions, 4))
    given = asyncio.run(ask_all(caller, questions, 4))
    for question, ours, theirs in zip(questions, given, expected, strict=True):
        assert comparable(ours) == comparable(theirs), question
    assert len(arrivals.wait(caller.mark, len(questions))) == len(questions)
    assert arrivals.traces(plain.mark) == ()
