"""Runs under ``ddtrace-run``, as the user's program would, and writes down what it finds in its own process.

    ddtrace-run python -m ddtrace_litellm.info.probe FILE [--import MODULE]... [--proxy-config FILE]

It ends without ddtrace's work at exit, and before the first flush: nothing is sent.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import platform
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ddtrace_litellm import is_installed, masking
from ddtrace_litellm.info.processes import installed
from ddtrace_litellm.versions import MALICIOUS_VERSIONS

_AUTO = "ddtrace_litellm.auto"
_FORMS = ("callbacks", "success_callback", "failure_callback")


def main() -> None:
    """Gather the facts, write them to the file, and end."""
    gc.disable()  # collections are a quarter of the time that LiteLLM takes to import
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--import", dest="modules", action="append", default=[])
    parser.add_argument("--proxy-config", type=Path)
    arguments = parser.parse_args()
    found = look(arguments.modules, arguments.proxy_config)
    arguments.file.write_text(json.dumps(found), encoding="utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def look(modules: list[str], proxy_config: Path | None) -> dict[str, Any]:
    """Return what is found, as far as it goes: what fails is among ``failures``, and the rest is there."""
    # First, since what follows imports it.
    found: dict[str, Any] = {"way_in": _way_in(), "python": platform.python_version(), "failures": {}}

    def attempt(what: str, do: Callable[[], Any]) -> None:
        try:
            found[what] = do()
        except BaseException as error:  # a module may also exit
            found["failures"][what] = _said(error)

    if installed("litellm") not in (None, *MALICIOUS_VERSIONS):
        for module in modules:
            attempt(f"import {module}", partial(_import, module))
        attempt("integration", _integration)
        attempt("reported_twice", _reported_twice)
        if proxy_config is not None:
            attempt("proxy_reports_twice", lambda: _proxy_reports_twice(proxy_config))
        if found.get("integration") == "ours":
            attempt("wrapped", _wrapped)
            attempt("unknown_functions", _unknown_functions)
    attempt("export", _export)
    if found.get("integration") == "ours":
        attempt("counters", _counters_of_a_call)
    return found


def _said(error: BaseException) -> str:
    """Return an error's type and place, without its text, which may quote a secret of a module or a configuration."""
    if isinstance(error, masking.SafeError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"ModuleNotFoundError: No module named {error.name!r}"
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{masking.reason(error)}, {last.filename}:{last.lineno}"


def _way_in() -> str | None:
    if _AUTO in sys.modules:
        return _AUTO
    return ".pth" if is_installed() else None


def _import(module: str) -> None:
    importlib.import_module(module)


def _integration() -> str | None:
    import litellm

    held = litellm.completion
    while held is not None:
        module = getattr(getattr(held, "_self_wrapper", None), "__module__", "")
        if module.startswith("ddtrace_litellm."):
            return "ours"
        if module.startswith("ddtrace."):
            return "built-in"
        held = getattr(held, "__wrapped__", None)
    return None


def _wrapped() -> int:
    from ddtrace_litellm.patching import wrapped_names

    return wrapped_names()


def _unknown_functions() -> list[str]:
    from ddtrace_litellm.entry_points import unknown

    return unknown()


def _reported_twice() -> bool:
    from ddtrace_litellm.tracing.double_reporting import reported_twice

    return reported_twice()


def _proxy_reports_twice(path: Path) -> bool:
    from ddtrace_litellm.tracing.double_reporting import reports_twice

    said = _proxy_config(path) or {}
    settings = (said.get("litellm_settings") or {}) if isinstance(said, dict) else None
    if not isinstance(settings, dict):
        raise masking.SafeError("it, or its litellm_settings, is no mapping")
    named = [settings.get(form) or [] for form in _FORMS]
    return any(reports_twice([names] if isinstance(names, str) else names) for names in named)


def _proxy_config(path: Path) -> Any:
    """Return what a proxy's configuration says.

    Raises:
        masking.SafeError: it cannot be read; with the place, as YAML's own words may quote a key.
    """
    import yaml  # comes with litellm[proxy], which is what reads this file

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise masking.SafeError(masking.system_reason(error)) from error
    except UnicodeDecodeError as error:
        raise masking.SafeError("it is not text in UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise masking.SafeError(f"it is not YAML{place}") from error


def _export() -> dict[str, str]:
    from ddtrace_litellm import _ddtrace

    return _ddtrace.export()._asdict()


def _counters_of_a_call() -> dict[str, Any]:
    """Make one call that LiteLLM answers itself, and throw its span away."""
    import litellm
    from ddtrace import tracer
    from ddtrace.llmobs import LLMObs

    from ddtrace_litellm.telemetry import snapshot

    tracer.configure(trace_processors=[_Nothing()])
    if LLMObs.enabled:
        LLMObs.register_processor(lambda _span: None)
    for form in (*_FORMS, "input_callback", "_async_success_callback", "_async_failure_callback"):
        setattr(litellm, form, [])
    litellm.cache = None
    litellm.completion("gpt-4o-mini", [{"role": "user", "content": "ping"}], mock_response="pong")
    return snapshot().as_dict()


class _Nothing:
    """Lets no trace through."""

    def process_trace(self, _trace: Any) -> None:
        return None


if __name__ == "__main__":
    main()
