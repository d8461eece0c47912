import hashlib
import json

import pytest

from ddtrace_litellm.extract import chat, text
from ddtrace_litellm.extract import metadata as extracted
from ddtrace_litellm.masking import strip_credentials

SECRET = "sk-5ecret"
EVERY_SECRET = {
    "api_key": SECRET,
    "headers": {"authorization": SECRET},
    "extra_headers": {"x-api-key": SECRET},
    "model_list": [{"litellm_params": {"api_key": SECRET}}],
    "fallbacks": [{"model": "m", "api_key": SECRET}],
    "secret_fields": {"raw_headers": {"authorization": SECRET}},
    "proxy_server_request": {"headers": {"authorization": SECRET}, "body": SECRET},
    "client": SECRET,
    "litellm_logging_obj": SECRET,
    "aws_secret_access_key": SECRET,
    "azure_ad_token": SECRET,
    "vertex_credentials": SECRET,
    "extra_body": {"key": SECRET},
    "messages": [{"role": "user", "content": SECRET}],
    "prompt": SECRET,
    "api_base": f"https://user:{SECRET}@host/v1?key={SECRET}#{SECRET}",
    "base_url": f"https://{SECRET}@host/v1",
    "metadata": {
        "headers": {"authorization": SECRET, "host": "proxy.example"},
        "requester_metadata": {"headers": {"authorization": SECRET}},
        "user_api_key_auth": SECRET,
        "user_api_key_auth_metadata": {"key": SECRET},
        "user_api_key_metadata": {"key": SECRET},
        "user_api_key_team_metadata": {"key": SECRET},
        "litellm_parent_otel_span": SECRET,
        "previous_models": [{"api_key": SECRET}],
        "user_api_key": SECRET,
        "user_api_key_user_email": SECRET,
        "api_base": SECRET,
        "anything": SECRET,
    },
}

HASH = hashlib.sha256(b"sk-key").hexdigest()


@pytest.mark.parametrize("api", [chat.API, text.API], ids=["chat", "text"])
@pytest.mark.parametrize("contents", [True, False])
def test_no_secret_gets_into_metadata_or_tags(api, contents):
    """Of everything that may hold a key, a header or a credential nothing is recorded."""
    sources = extracted.request_metadata(EVERY_SECRET | {"litellm_metadata": EVERY_SECRET["metadata"]})
    assert len(sources) == 2
    found = [
        extracted.parameters(EVERY_SECRET, api.parameters, contents=contents),
        extracted.session_id(EVERY_SECRET, sources),
        extracted.identity_tags(EVERY_SECRET, sources),
        extracted.request_host(sources),
        extracted.deployment(EVERY_SECRET, sources),
    ]
    assert found == [{"api_base": "https://host/v1", "base_url": "https://host/v1"}, None, {}, "proxy.example", {}]


class Answer:
    """A class such as ``response_format`` takes."""


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ({"temperature": 0, "top_p": None, "stream": False}, {"temperature": 0, "stream": False}),
        ({"stop": ["a", "b"], "stream_options": {"include_usage": True}}, None),
        ({"response_format": Answer}, {"response_format": "Answer"}),
        ({"response_format": Answer()}, {"response_format": "Answer"}),
        ({"timeout": 1.5, "tool_choice": {"type": "function", "function": {"name": "f"}}}, None),
        ({"logit_bias": {50256: -100}}, {"logit_bias": {"50256": -100}}),
        ({"modalities": ("text", "audio"), "thinking": {"type": "enabled", "budget_tokens": 9}},
         {"modalities": ["text", "audio"], "thinking": {"type": "enabled", "budget_tokens": 9}}),
        ({"unheard_of": 1, "tools": [], "mock_response": "x"}, {}),
    ])  # fmt: skip
def test_parameters_that_are_kept(arguments, kept):
    """Those of the allow-list that are set, as values that JSON can hold."""
    found = extracted.parameters(arguments, chat.API.parameters, contents=True)
    assert found == (arguments if kept is None else kept)
    json.dumps(found)


@pytest.mark.parametrize(("contents", "kept"), [(True, {"suffix": "x", "n": 1}), (False, {"n": 1})])
def test_parameters_with_contents_follow_the_capture_switch(contents, kept):
    """A parameter that holds text of the conversation is content."""
    assert extracted.parameters({"suffix": "x", "n": 1}, text.API.parameters, contents=contents) == kept


@pytest.mark.parametrize(
    ("url", "stripped"),
    [
        ("https://host/v1", "https://host/v1"),
        ("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1/"),
        ("https://user:pw@host:8443/v1?key=x#y", "https://host:8443/v1"),
        ("https://user@host", "https://host"),
        ("https://[::1]:8080/v1?x", "https://[::1]:8080/v1"),
        ("gs://bucket/path", "gs://bucket/path"),
        ("/relative/path?key=x", "/relative/path"),
        ("user:pw@host/v1", ""),
        ("pw@host/v1", ""),
        ("https://host:port/v1", ""),
        ("https://[broken/v1", ""),
        ("", ""),
    ],
)
def test_urls_without_what_may_authorise(url, stripped):
    """Scheme, host, port and path; of what is no URL that may be shown, nothing."""
    assert strip_credentials(url) == stripped


@pytest.mark.parametrize(
    ("arguments", "session"),
    [
        ({"litellm_session_id": "s1"}, "s1"),
        ({"metadata": {"session_id": "s1"}}, "s1"),
        ({"metadata": {"litellm_session_id": 7}}, "7"),
        ({"litellm_metadata": {"session_id": "s1"}, "metadata": {"session_id": "s2"}}, "s1"),
        ({"litellm_session_id": "s1", "metadata": {"session_id": "s2"}}, "s1"),
        ({"session_id": "not LiteLLM's"}, None),
        ({"metadata": {"session_id": ["odd"]}}, None),
        ({"metadata": {"session_id": ""}}, None),
        ({"metadata": "odd", "litellm_metadata": None}, None),
        ({}, None),
    ],
    ids=str,
)
def test_session(arguments, session):
    """LiteLLM's parameter comes first, then the metadata."""
    assert extracted.session_id(arguments, extracted.request_metadata(arguments)) == session


IDENTITY = {
    "user_api_key_alias": "alias",
    "user_api_key_hash": HASH,
    "user_api_key_team_id": "team id",
    "user_api_key_team_alias": "team",
    "user_api_key_org_id": 7,
    "user_api_key_org_alias": None,
    "user_api_key_user_id": "user",
    "user_api_key_end_user_id": {"odd": 1},
    "user_api_key_request_route": "/v1/chat/completions",
}


@pytest.mark.parametrize(
    ("arguments", "tags"),
    [
        ({}, {}),
        ({"user": "ann"}, {"end_user": "ann"}),
        ({"user": 7}, {"end_user": "7"}),
        ({"user": {"id": 7}}, {}),
        (
            {"metadata": IDENTITY},
            {
                "api_key_alias": "alias",
                "hashed_api_key": HASH,
                "team": "team id",
                "team_alias": "team",
                "org_id": "7",
                "user": "user",
                "route": "/v1/chat/completions",
            },
        ),
        ({"user": "ann", "metadata": {"user_api_key_end_user_id": "bob"}}, {"end_user": "bob"}),
        ({"metadata": {"tags": ["a", "b"]}}, {"request_tags": "a,b"}),
        ({"metadata": {"tags": ["a", "a"]}, "litellm_metadata": {"tags": ["a"]}}, {"request_tags": "a"}),
        ({"metadata": {"tags": ["stage:beta"]}}, {"request_tags": "stage:beta", "stage": "beta"}),
        ({"metadata": {"tags": ["url:http://x"]}}, {"request_tags": "url:http://x", "url": "http://x"}),
        ({"metadata": {"tags": [":x", "x:", 7, None]}}, {"request_tags": ":x,x:,7,None"}),
        ({"metadata": {"tags": "odd"}}, {}),
        ({"metadata": {"tags": []}}, {}),
    ],
    ids=str,
)
def test_who_asked(arguments, tags):
    """Identity by allow-list and the request's own tags, which are also one list."""
    assert extracted.identity_tags(arguments, extracted.request_metadata(arguments)) == tags


@pytest.mark.parametrize("name", ["env", "service", "ml_app", "session_id", "team", "api_key_alias", "error"])
def test_a_request_tag_cannot_take_a_reserved_name(name):
    """A caller moves no span to another service or key by a tag."""
    sources = [{"tags": [f"{name}:forged"], "user_api_key_alias": "alias"}]
    tags = extracted.identity_tags({}, sources)
    assert tags == {"api_key_alias": "alias", "request_tags": f"{name}:forged"}


@pytest.mark.parametrize(
    ("metadata", "host"),
    [({"headers": {"host": "h"}}, "h"), ({"headers": "odd"}, None), ({"headers": {"host": 7}}, None), ({}, None)],
)
def test_host_of_the_proxys_caller(metadata, host):
    """The one header that is recorded."""
    assert extracted.request_host([metadata]) == host


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"metadata": {"model_group": "g", "model_info": {"id": "d"}}}, {"model_group": "g", "deployment_id": "d"}),
        ({"metadata": {"model_group": "g"}, "model_info": {"id": "d"}}, {"model_group": "g", "deployment_id": "d"}),
        ({"metadata": {"model_group": "g", "model_info": "odd"}}, {"model_group": "g"}),
        ({"metadata": {"model_group": ["odd"], "model_info": {"id": None}}}, {}),
        ({"metadata": {"other": 1}}, {}),
    ],
    ids=str,
)
def test_deployment_that_the_router_chose(arguments, found):
    """Group and id, from where the Router leaves them."""
    assert extracted.deployment(arguments, extracted.request_metadata(arguments)) == found


@pytest.mark.parametrize(
    ("value", "tag"),
    [(HASH, HASH), ("sk-key", HASH), ("litellm_proxy_master_key", "litellm_proxy_master_key")],
    ids=["hash", "key", "master key"],
)
def test_key_is_hashed_where_litellm_left_it_in_clear(value, tag):
    """A proxy's own authentication may hand on a key as it is; LiteLLM's word for its master key is no secret."""
    sources = extracted.request_metadata({"metadata": {"user_api_key_hash": value}})
    assert extracted.identity_tags({}, sources) == {"hashed_api_key": tag}


def test_more_tags_than_anybody_needs_are_a_number():
    """Of 40,000 request tags a hundred are read, twice in a Router's call, and the rest is counted once."""
    read = []

    class Tag:
        def __init__(self, number):
            self.number = number

        def __str__(self):
            read.append(self.number)
            return f"tag-{self.number}"

    many = [Tag(number) for number in range(40_000)]
    tags = extracted.identity_tags({}, [{"tags": many}, {"tags": many}])
    named = tags["request_tags"].split(",")
    assert (named[0], named[99], named[100:]) == ("tag-0", "tag-99", ["(39900 more)"])
    assert len(read) == 200


def test_long_tags_are_cut():
    """A tag is cut where Datadog cuts it, whoever chose it."""
    long = "x" * 10_000
    tags = extracted.identity_tags({"user": long}, [{"tags": [f"team_name:{long}"], "user_api_key_alias": long}])
    assert {name: len(value) for name, value in tags.items()} == {
        "end_user": 200,
        "api_key_alias": 200,
        "team_name": 200 - len("team_name:"),
        "request_tags": 200,
    }
