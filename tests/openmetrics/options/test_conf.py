import os
import subprocess
import sys

import pytest

from ddtrace_litellm.openmetrics.options.conf import read_conf
from ddtrace_litellm.openmetrics.options.fields import OptionError
from ddtrace_litellm.openmetrics.options.instance import Instance, instance


def conf(directory, text, encoding="utf-8"):
    """Return the path of a file with this text."""
    path = directory / "conf.yaml"
    path.write_text(text, encoding=encoding)
    return path


def test_instances(tmp_path):
    """Each instance is read, with what all of them have; what is only for an Agent's own use is passed over."""
    path = conf(
        tmp_path,
        """\
ad_identifiers: [litellm]
init_config:
  service: all
instances:
  - openmetrics_endpoint: http://localhost:4000/metrics
    tags: [a:b]
  - {}
  -
""",
    )
    options = {"openmetrics_endpoint": "http://localhost:4000/metrics", "tags": ["a:b"]}
    of_all = {"service": "all"}
    assert read_conf(path) == [instance(options, of_all), instance({}, of_all), instance({}, of_all)]
    assert read_conf(str(conf(tmp_path, "init_config:\ninstances: [{}]"))) == [Instance()]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": it is not a mapping with instances"),
        ("- a", ": it is not a mapping with instances"),
        ("init_config: {}", ": it has no list of instances"),
        ("instances: []", ": it has no list of instances"),
        ("instances: {a: b}", ": it has no list of instances"),
        ("init_config: a\ninstances: [{}]", ": init_config is not a mapping"),
        ("instances: [{}, a]", ", instance 2: it is not a mapping of options"),
        ("instances: [{}, {tags: a}]", ", instance 2: tags: its value (a str) is not a list"),
        ("instances:\n  - password: 'hunter2\n", ", line 3: it is not YAML: found unexpected end of stream"),
        ("a: *hunter2", ", line 1: it is not YAML: see there"),
        ("a: !hunter2 b", ", line 1: it is not YAML: see there"),
        ('a: "\\hunter2"', ", line 1: it is not YAML: see there"),
        ("a: 2026-13-45", ": it is not YAML: see there"),
        ("a: b: c", ", line 1: it is not YAML: mapping values are not allowed here"),
        ("a: [b", ", line 1: it is not YAML: see there"),
        ("instances: \x07", ": it is not YAML: see there"),
        ("a: !!python/object/apply:os.getcwd []", ", line 1: it is not YAML: "),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, message):
    """The message names the file and the place, and quotes nothing of a file that may hold a key."""
    path = conf(tmp_path, text)
    with pytest.raises(OptionError) as caught:
        read_conf(path)
    assert str(caught.value).startswith(f"{path}{message}")
    assert "hunter2" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    """A missing file, a directory and one that is no text are errors in words."""
    for path, message in (
        (tmp_path / "none.yaml", "it cannot be read: No such file or directory"),
        (tmp_path, "it cannot be read: Is a directory"),
        (conf(tmp_path, "a: \xe9", "latin-1"), "it is not a text in UTF-8"),
    ):
        with pytest.raises(OptionError) as caught:
            read_conf(path)
        assert str(caught.value) == f"{path}: {message}"


def test_without_pyyaml(tmp_path, monkeypatch):
    """Where it is not installed, the message says how to install it."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(OptionError, match=r"PyYAML is needed .*: pip install ddtrace-litellm\[openmetrics\]$"):
        read_conf(conf(tmp_path, "instances: [{}]"))


def test_pyyaml_is_imported_only_to_read_a_file():
    """A process that has no such file does not pay for it, nor for what an Agent has."""
    script = (
        "import sys; import ddtrace_litellm.openmetrics.options.conf, ddtrace_litellm.openmetrics.pipeline.collector;"
        "print({'yaml', 'datadog', 'datadog_checks', 'prometheus_client', 'requests'} & sys.modules.keys())"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    assert ended.stdout == "set()\n"
