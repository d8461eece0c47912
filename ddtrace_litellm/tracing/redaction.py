"""Whether LiteLLM was told not to log what is said in a call: then it is on no span either.

The order is that of LiteLLM's ``should_redact_message_logging`` (the same in 1.72 to 1.110): the header that switches
redaction off, the call's own parameter, the headers that switch it on, the setting of the process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import litellm
from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.litellm_core_utils import initialize_dynamic_callback_params

_PARAMETER = "turn_off_message_logging"
_ENABLE = ("x-litellm-enable-message-redaction", "litellm-enable-message-redaction")
_DISABLE = "litellm-disable-message-redaction"
_TEXTS = {"true": True, "false": False}
_LOGGING_ONLY = "logging_only"
# LiteLLM 1.72 reads the parameter among the arguments alone, 1.85 not at all. Where it does not, a caller may ask for
# redaction, but not out of it.
_READ = getattr(initialize_dynamic_callback_params, "_supported_callback_params", None)
_ARGUMENT_MAY_OPT_OUT = _READ is None or _PARAMETER in _READ
_METADATA_MAY_OPT_OUT = _READ is not None and _PARAMETER in _READ


def is_redacted(arguments: Mapping[str, Any], metadata: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether LiteLLM logs no contents of a call, or nothing at all.

    Args:
        arguments: the call's. The proxy adds what a key's or a team's settings say.
        metadata: LiteLLM's, of the call; the proxy adds the request's headers.
    """
    if arguments.get("no-log") is True and not litellm.global_disable_no_log_param:
        return True
    return _is_turned_off(arguments, metadata) or any(map(_rewrites_what_is_logged, litellm.callbacks))


def _is_turned_off(arguments: Mapping[str, Any], metadata: Sequence[Mapping[str, Any]]) -> bool:
    if not metadata and _PARAMETER not in arguments:
        return litellm.turn_off_message_logging is True
    headers = [found for source in metadata if (found := source.get("headers")) and isinstance(found, dict)]
    if headers and headers[0].get(_DISABLE):
        return False
    told = _told(arguments, may_opt_out=_ARGUMENT_MAY_OPT_OUT)
    for source in metadata:
        if told is None:
            told = _told(source, may_opt_out=_METADATA_MAY_OPT_OUT)
    if told is not None:
        return told
    return litellm.turn_off_message_logging is True or any(found.get(name) for found in headers for name in _ENABLE)


def _told(owner: Mapping[str, Any], *, may_opt_out: bool) -> bool | None:
    if _PARAMETER not in owner:
        return None
    value = owner[_PARAMETER]
    told = _TEXTS.get(value.strip().lower()) if isinstance(value, str) else value if isinstance(value, bool) else None
    return told if told or may_opt_out else None


def _rewrites_what_is_logged(callback: Any) -> bool:
    """Whether a callback is a guardrail in mode ``logging_only`` with a hook of its own for what is logged.

    What it hides is known only after the call, in another thread. One without such a hook only looks (1.109).
    """
    return (
        isinstance(callback, CustomGuardrail)
        and _LOGGING_ONLY in _modes(callback.event_hook)
        and (
            type(callback).async_logging_hook is not CustomGuardrail.async_logging_hook
            or type(callback).logging_hook is not CustomGuardrail.logging_hook
        )
    )


def _modes(event_hook: Any) -> Iterator[Any]:
    """Yield the modes of a guardrail, for whichever tags they hold."""
    if isinstance(event_hook, (str, type(None))):
        yield event_hook
    elif isinstance(event_hook, list):
        yield from event_hook
    else:
        for modes in (*event_hook.tags.values(), event_hook.default):
            yield from _modes(modes)
