"""An Agent's ``conf.yaml``, read in process."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.options.fields import OptionError
from ddtrace_litellm.openmetrics.options.instance import Instance, instance


def read_conf(path: str | Path) -> list[Instance]:
    """Read the instances of a file.

    Raises:
        OptionError: it cannot be read, or has an instance that cannot be used; the message names file and instance.
    """
    conf, place = _load(Path(path)), masking.path(str(path))
    if not isinstance(conf, Mapping):
        raise OptionError(f"{place}: it is not a mapping with instances")
    init_config, instances = conf.get("init_config") or {}, conf.get("instances")
    if not isinstance(init_config, Mapping):
        raise OptionError(f"{place}: init_config is not a mapping")
    if not (isinstance(instances, list) and instances):
        raise OptionError(f"{place}: it has no list of instances")
    return [_instance(f"{place}, instance {n}", options, init_config) for n, options in enumerate(instances, 1)]


def _instance(where: str, options: Any, init_config: Mapping[str, Any]) -> Instance:
    # `- {}` is the registry of this process with every default, and so is a `-` with nothing behind it.
    if not isinstance(options, Mapping | None):
        raise OptionError(f"{where}: it is not a mapping of options")
    try:
        return instance(options or {}, init_config)
    except OptionError as error:
        raise OptionError(f"{where}: {error}") from None


def _load(path: Path) -> Any:
    place = masking.path(str(path))
    try:
        import yaml
    except ImportError:
        raise OptionError(
            f"{place}: PyYAML is needed to read it, which is not installed: pip install ddtrace-litellm[openmetrics]"
        ) from None
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"{place}: it cannot be read: {masking.system_reason(error)}") from None
    except UnicodeDecodeError:
        raise OptionError(f"{place}: it is not a text in UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise OptionError(f"{place}{where}: it is not YAML: {_problem(error)}") from None
    except (ValueError, RecursionError):  # of a number or a date
        raise OptionError(f"{place}: it is not YAML: see there") from None


def _problem(error: Any) -> str:
    # What PyYAML quotes is of the file, and may be a key, but for the names of its tokens.
    text = getattr(error, "problem", None)
    return text if isinstance(text, str) and _OF_PYYAML.fullmatch(text) else "see there"


_OF_PYYAML = re.compile(r"(?:[^'\"]|'<[a-z ]+>')*")
