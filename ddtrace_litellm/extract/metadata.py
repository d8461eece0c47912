"""What of a request goes into a span's metadata and tags: by allow-list, since anything else may be secret."""

import hashlib
import hmac
import re
from collections.abc import Container, Iterable, Mapping
from itertools import islice
from typing import Any

from ddtrace_litellm.config import UserConfig
from ddtrace_litellm.extract.fields import field, sequence, text_of
from ddtrace_litellm.extract.plain import plain, text
from ddtrace_litellm.masking import strip_credentials

_CONTENT = frozenset({"prediction", "suffix"})
_DESCRIBING = frozenset(
    {
        "output_config",
        "output_format",
        "responseJsonSchema",
        "responseSchema",
        "response_format",
        "response_json_schema",
        "response_schema",
        "text",
        "text_format",
        "web_search_options",
    }
)
"""Parameters that may hold a schema with descriptions, or where the user is."""
_FORM = frozenset({"effort", "format", "search_context_size", "strict", "type", "verbosity"})
"""What of those says of which kind they are."""
_SINGLE = frozenset({bool, float, int, str})
_FORMAT = re.compile(r"[a-z0-9_]{1,20}")
_URLS = ("api_base", "base_url")

# The labels that the same things have on LiteLLM's Prometheus metrics, so that one tag finds both.
_IDENTITY_TAGS = {
    "user_api_key_alias": "api_key_alias",
    "user_api_key_hash": "hashed_api_key",
    "user_api_key_team_id": "team",
    "user_api_key_team_alias": "team_alias",
    "user_api_key_org_id": "org_id",
    "user_api_key_org_alias": "org_alias",
    "user_api_key_user_id": "user",
    "user_api_key_end_user_id": "end_user",
    "user_api_key_project_id": "project_id",
    "user_api_key_project_alias": "project_alias",
    "user_api_key_request_route": "route",
}
_CALLER = {
    "api_key": "user_api_key_hash",
    "end_user_id": "user_api_key_end_user_id",
    "key_alias": "user_api_key_alias",
    "org_id": "user_api_key_org_id",
    "organization_alias": "user_api_key_org_alias",
    "project_alias": "user_api_key_project_alias",
    "project_id": "user_api_key_project_id",
    "request_route": "user_api_key_request_route",
    "team_alias": "user_api_key_team_alias",
    "team_id": "user_api_key_team_id",
    "user_id": "user_api_key_user_id",
}
"""What LiteLLM's ``UserAPIKeyAuth`` says of a caller of the proxy (1.72 to 1.110), and what its metadata calls that."""
_USERS = frozenset({"end_user", "safety_identifier", "user"})
"""Tags and parameters that name a user."""
_RESERVED_TAGS = frozenset(_IDENTITY_TAGS.values()) | {
    "agent_service",
    "ddtrace.version",
    "env",
    "error",
    "error_type",
    "integration",
    "language",
    "ml_app",
    "model_group",
    "request_tags",
    "service",
    "session_id",
    "source",
    "version",
}
_HASH = re.compile(r"[0-9a-f]{64}")
_MASTER_KEY = "litellm_proxy_master_key"
"""LiteLLM's word for its master key, in place of a hash."""
MAX_REQUEST_TAGS = 100
"""Request tags read of one call: a caller of a proxy chooses their number."""
MAX_TAG_CHARS = 200
"""Characters kept of a tag's value, as many as Datadog keeps of a tag."""
_LONG_NAME = 6
COST_TAGS = frozenset({"api_key_alias", "end_user", "model_group", "org_alias", "team", "team_alias", "user"})
"""Tags by which people share out costs; those of them that a span has become its cost tags."""


def parameters(arguments: Mapping[str, Any], allowed: Container[str], *, contents: bool) -> dict[str, Any]:
    """Return the request's parameters that are in ``allowed`` and set.

    Args:
        arguments: as ``plain_arguments`` returns them.
        allowed: the names of parameters.
        contents: also those that hold text.
    """
    found = {name: value for name, value in arguments.items() if name in allowed and value is not None}
    if not _SINGLE.issuperset(map(type, found.values())):  # single values are plain already
        found = plain(found)
    for name in _URLS:
        if url := arguments.get(name):
            found[name] = strip_credentials(text_of(url))
    return found if contents else without_contents(found)


def without_contents(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a request without what its parameters say: of a schema, that it is one."""
    left = {name: _form(value) if name in _DESCRIBING else value for name, value in described.items()}
    return {name: value for name, value in left.items() if value is not None and name not in _CONTENT}


def _form(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _form(item) for name, item in value.items() if name in _FORM}
    return value if isinstance(value, bool) or (isinstance(value, str) and _FORMAT.fullmatch(value)) else None


def hash_users(described: dict[str, Any], users: UserConfig) -> None:
    """Replace what names a user among tags or parameters by its hash, where it is not to be in clear."""
    if not users.hashed:
        return
    for name in described.keys() & _USERS:
        named = str(described.pop(name))[:MAX_TAG_CHARS].encode(errors="surrogatepass")
        if users.key:
            described[name] = hmac.digest(users.key, named, "sha256").hex()


def users_of(arguments: Mapping[str, Any]) -> set[str]:
    """Return the users that a call names, but for names so short that they are in many words."""
    named = [arguments.get("user"), arguments.get("safety_identifier")]
    for source in request_metadata(arguments):
        named += [source.get(name) for name, tag in _IDENTITY_TAGS.items() if tag in _USERS]
    return {name for name in map(str, named) if len(name) >= _LONG_NAME}


def request_metadata(arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return LiteLLM's metadata of the call: ``metadata`` and, for its proxy and Router, ``litellm_metadata``."""
    found = [arguments[name] for name in ("litellm_metadata", "metadata") if name in arguments]
    return [source for source in found if source and isinstance(source, dict)] if found else found


def session_id(arguments: Mapping[str, Any], metadata: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the session that the caller put the call in, from LiteLLM's parameter or from its metadata."""
    for source in (arguments, *metadata):
        value = source.get("litellm_session_id") or (source.get("session_id") if source is not arguments else None)
        if value and (session := _label(value)):
            return session
    return None


def of_caller(caller: Any) -> dict[str, Any]:
    """Return who calls, as LiteLLM's metadata of a call to a model has it; ``caller``: its ``UserAPIKeyAuth``."""
    return {ours: value for name, ours in _CALLER.items() if (value := field(caller, name))}


def identity_tags(arguments: Mapping[str, Any], metadata: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return who asked, and the request's own tags.

    LiteLLM's request tags are free text: all of them are in ``request_tags``; one of the form ``key:value`` is a tag of
    that name too, unless it is a name that ddtrace or this module uses (a caller must not move a span to another
    service or key). Of more than :data:`MAX_REQUEST_TAGS` the rest is a number.
    """
    tags: dict[str, str] = {}
    labels: dict[str, None] = {}
    left_out = 0
    if (user := arguments.get("user")) and (user := _label(user)):
        tags["end_user"] = user
    for source in metadata:
        for name in source.keys() & _IDENTITY_TAGS.keys():
            if (value := source[name]) and (label := _label(value)):
                tags[_IDENTITY_TAGS[name]] = label if name != "user_api_key_hash" else _hashed(text(value))
        if given := sequence(source.get("tags")):
            labels.update((text(label)[:MAX_TAG_CHARS], None) for label in islice(given, MAX_REQUEST_TAGS))
            left_out = max(left_out, len(given) - MAX_REQUEST_TAGS)
    for label in labels:
        key, separator, value = label.partition(":")
        if separator and key and value and key not in _RESERVED_TAGS:
            tags.setdefault(key, value)
    if labels:
        tags["request_tags"] = ",".join([*labels, f"({left_out} more)"] if left_out else labels)
    return tags


# Of LiteLLM's record of an auto-router's choice (1.100), what quotes no request.
_DECISION = (
    "cause",
    "classifier_model",
    "escalated",
    "request_type",
    "routed_model",
    "router_model_name",
    "router_type",
    "score",
    "tier",
)


def routing_decision(metadata: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what an auto-router has chosen, and why; empty where none has."""
    for source in metadata:
        if decision := source.get("routing_decision"):
            said = plain({name: value for name in _DECISION if (value := field(decision, name)) is not None})
            return {"routing_decision": said} if said else {}
    return {}


def applied_guardrails(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names of the guardrails that LiteLLM's proxy has noted for a request; empty where there are none."""
    for source in request_metadata(arguments):
        if names := sequence(source.get("applied_guardrails")):
            return {"applied_guardrails": [text(name)[:MAX_TAG_CHARS] for name in names[:MAX_REQUEST_TAGS]]}
    return {}


def _label(value: Any) -> str:
    """Return what a tag says: text or a number of any type; ``""`` for a value with others inside."""
    read = value if type(value) is str else plain(value)
    return text(read[:MAX_TAG_CHARS]) if type(read) is str else str(read) if type(read) is int else ""


def _hashed(key: str) -> str:
    """Return the hash of a key. LiteLLM leaves a key in clear that its user's own authentication made (1.106)."""
    return key if _HASH.fullmatch(key) or key == _MASTER_KEY else hashlib.sha256(key.encode()).hexdigest()


def request_host(metadata: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the ``Host`` that the proxy's caller asked, from the request headers in the metadata."""
    for source in metadata:
        host = field(source.get("headers"), "host")
        if isinstance(host, str):
            return host
    return None


def deployment(arguments: Mapping[str, Any], metadata: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return which deployment of which model group the Router chose for this call; empty for a direct call."""
    found: dict[str, str] = {}
    for source in metadata:
        model_info = arguments.get("model_info") or source.get("model_info")
        for name, value in (("model_group", source.get("model_group")), ("deployment_id", field(model_info, "id"))):
            if value and (label := _label(value)):
                found[name] = label
    return found
