"""What is written from the models of the options: the specification of the Agent's check and the table of the docs.

``python -m tests.openmetrics.generate_options`` writes both; Datadog's own tool makes ``conf.yaml.example``
of the specification.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ddtrace_litellm import openmetrics
from ddtrace_litellm.openmetrics.options.fields import place_of
from ddtrace_litellm.openmetrics.options.models import InstanceModel
from tests.checkout import CHECKOUT

SPEC = Path(openmetrics.__file__).parent / "assets" / "configuration" / "spec.yaml"
TABLE = CHECKOUT / "docs" / "metrics-options.md"

_HEAD = """\
# Options of the scraper

<!-- Written by `python -m tests.openmetrics.generate_options`. -->

The options of an instance in a `conf.yaml`, for the Agent's check and, by `DD_LITELLM_OPENMETRICS_CONFIG`, without an
Agent. The last column says what is different there.

| Option | Default | Meaning | Without an Agent |
|---|---|---|---|
"""


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes texts of several lines as they are."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def spec_yaml() -> str:
    """Return the text of spec.yaml: the options of the Agent's own check, with what ours adds and says otherwise."""
    ours, overrides = [], {}
    for name, field in InstanceModel.model_fields.items():
        place, meaning = place_of(field), f"{field.description}\n"
        if place.ours is not None:
            ours.append({"name": name, "description": meaning, "value": dict(place.ours)})
        elif place.instead is not None:
            overrides[f"{name}.description"] = meaning
            overrides.update({f"{name}.{part}": value for part, value in place.instead.items()})
    instances: list[Any] = [*ours, {"template": "instances/openmetrics", "overrides": overrides}]
    options = [
        {"template": "init_config", "options": [{"template": "init_config/openmetrics"}]},
        {"template": "instances", "options": instances},
    ]
    spec = {"name": "LiteLLM", "files": [{"name": "litellm.yaml", "options": options}]}
    return str(yaml.dump(spec, Dumper=_Dumper, sort_keys=False, width=1000))


def table() -> str:
    """Return the page of the docs."""
    rows = []
    for name, field in sorted(InstanceModel.model_fields.items()):
        place, meaning = place_of(field), " ".join((field.description or "").split())
        without = f"refused: {place.not_in_process}" if place.not_in_process else place.no_effect
        default = field.default if isinstance(field.default, bool | int | float | str) else None
        shown = "" if default in (None, "") else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        rows.append(f"| `{name}` | {shown} | {meaning} | {without} |\n")
    return _HEAD + "".join(rows)


def main() -> None:
    """Write both files."""
    SPEC.write_text(spec_yaml(), "utf-8")
    TABLE.write_text(table(), "utf-8")


if __name__ == "__main__":
    main()
