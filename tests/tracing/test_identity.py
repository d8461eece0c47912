"""What identifies a call is known from its start: ddtrace decides by it long before the end."""

import asyncio
import contextlib
import hashlib
import hmac

import ddtrace
import litellm
import pytest
from ddtrace.llmobs import _constants

from tests.provider import Script
from tests.tracing.scenarios import ASK, router, to
from tests.tracing.told import everything

litellm.suppress_debug_info = True
pytestmark = [
    pytest.mark.usefixtures("clean_slate"),
    pytest.mark.filterwarnings("ignore:Router.:DeprecationWarning"),  # LiteLLM 1.109
]
NOISY = {"user_api_key_team_id": "noisy", "session_id": "session-7"}


@pytest.fixture
def rules(monkeypatch, request):
    """A recorder of a process that drops the traces of one team, and whose HTTP requests carry the trace along."""
    setting = ddtrace.config._config.get("_llmobs_sampling_rules")
    if setting is None:
        pytest.skip(f"ddtrace {ddtrace.__version__} has no sampling rules")
    monkeypatch.setattr(setting, "_code_value", '[{"tags": {"team": "noisy"}, "sample_rate": 0}]')
    ddtrace.patch(httpx=True)
    return request.getfixturevalue("recorder")


def _routed(provider, team):
    made = router(provider, ("group", "mistral/m"))
    asyncio.run(made.acompletion("group", ASK, metadata={**NOISY, "user_api_key_team_id": team}))


@pytest.mark.parametrize(("team", "decision"), [("noisy", "0"), ("quiet", "1")])
def test_rule_on_a_team(team, decision, rules, provider):
    """A rule on a tag of ours decides for the trace of a Router call, although headers were injected on the way."""
    _routed(provider, team)
    assert provider.requests[0].headers["x-datadog-trace-id"]
    assert {event["_dd"]["sampling_decision"] for event in rules.events} == {decision}
    assert len(rules.events) == 2


def test_session_travels_with_the_request(rules, provider):
    """The session of the caller is in the headers that the provider gets, for a traced proxy or tool behind it."""
    _routed(provider, "quiet")
    key = getattr(_constants, "PROPAGATED_SESSION_ID_KEY", None)
    assert f"{key}=session-7" in provider.requests[0].headers["x-datadog-tags"]
    assert {event["session_id"] for event in rules.events} == {"session-7"}


def test_identity_is_on_the_event_while_the_call_runs(provider, recorder):
    """Team, end user, request tags, model group and session are there before the provider answers."""
    seen = []

    class Looks(litellm.integrations.custom_logger.CustomLogger):
        def log_pre_api_call(self, model, messages, kwargs):  # noqa: ARG002  # LiteLLM's signature
            span = ddtrace.tracer.current_span()
            seen.append(dict(ddtrace.llmobs._utils.get_llmobs_tags(span)))

    litellm.callbacks, before = [Looks()], litellm.callbacks
    try:
        litellm.completion(
            "mistral/m", ASK, user="ann", metadata={**NOISY, "tags": ["a"], "model_group": "group"}, **to(provider)
        )
    finally:
        litellm.callbacks = before
    expected = {"team": "noisy", "end_user": "ann", "request_tags": "a", "model_group": "group"}
    assert seen[0].items() >= expected.items()
    assert recorder.event["session_id"] == "session-7"


USERS = {"user_api_key_user_id": "bob@example.com", "user_api_key_end_user_id": "carol@example.com"}
IN_CLEAR = ("ann@example.com", "bob@example.com", "carol@example.com")


def _hash(name):
    return hmac.new(b"a key", name.encode(), hashlib.sha256).hexdigest()


def _ask_as_users(provider, **more):
    with contextlib.suppress(litellm.BadRequestError):
        litellm.completion("openai/gpt-4o-mini", ASK, user="ann@example.com", **to(provider), **more)


@pytest.fixture
def hashing(monkeypatch, request):
    """A recorder of a process that hashes users."""
    monkeypatch.setenv("DD_LITELLM_HASH_USERS", "true")
    monkeypatch.setenv("DD_LITELLM_HASH_KEY", "a key")
    return request.getfixturevalue("recorder")


def test_users_are_hashed_everywhere(provider, hashing):
    """User and end user are keyed hashes in tags, parameters and errors, the same for the same name; teams stay."""
    _ask_as_users(provider)
    provider.otherwise = Script(status=400, error="No: ann@example.com, carol@example.com")
    _ask_as_users(provider, metadata={**USERS, "user_api_key_team_id": "team-7"})
    made = router(provider, ("group", "openai/gpt-4o-mini"))
    with contextlib.suppress(litellm.BadRequestError):
        made.completion("group", ASK, user="ann@example.com", metadata=dict(USERS))
    told = everything(hashing)
    assert [name for name in IN_CLEAR if name in told] == []
    first, second, *_ = hashing.events
    assert f"end_user:{_hash('ann@example.com')}" in first["tags"]
    assert first["meta"]["metadata"]["user"] == _hash("ann@example.com")
    assert {f"user:{_hash('bob@example.com')}", f"end_user:{_hash('carol@example.com')}"} <= set(second["tags"])
    assert "team:team-7" in second["tags"]
    if "_dd" in second["meta"]["metadata"]:  # not in ddtrace 4.8
        assert {"user", "end_user"} <= set(second["meta"]["metadata"]["_dd"]["cost_tags"])
    assert "No: ***, ***" in second["meta"]["error"]["message"]


def test_users_without_a_key_are_left_out(provider, monkeypatch, request):
    """Without any key a hash would hide nobody: there is no tag and no parameter."""
    monkeypatch.setenv("DD_LITELLM_HASH_USERS", "true")
    monkeypatch.delenv("DD_API_KEY", raising=False)
    recorder = request.getfixturevalue("recorder")
    _ask_as_users(provider, metadata=dict(USERS))
    assert [name for name in IN_CLEAR if name in everything(recorder)] == []
    assert not [tag for tag in recorder.event["tags"] if tag.startswith(("user:", "end_user:"))]
    assert "user" not in recorder.event["meta"]["metadata"]


def test_users_in_clear(provider, recorder):
    """By default they are as LiteLLM's metrics name them."""
    _ask_as_users(provider, metadata=dict(USERS))
    assert {"user:bob@example.com", "end_user:carol@example.com"} <= set(recorder.event["tags"])
