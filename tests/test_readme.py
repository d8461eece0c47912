"""The README says what the code does, where a test can tell."""

import re
from pathlib import Path

import litellm
import pytest

from ddtrace_litellm.info.variables import OWN
from ddtrace_litellm.targets import FUNCTIONS, ROUTER_ENDPOINTS, ROUTER_METHODS
from ddtrace_litellm.tracing.wrappers import is_traced

README = Path(__file__).parents[1] / "README.md"
ROWS = [
    [set(re.findall(r"`(\w+)`", cell)) for cell in line.strip("|").split("|")[1:]]
    for line in README.read_text().partition("## What is traced")[2].partition("\n\nEach under")[0].splitlines()
    if line.startswith("| ") and "functions" not in line
]


def test_table_lists_every_traced_function():
    """The functions of the table are those that are wrapped, with the kind of their spans."""
    listed = {(name, *kind) for functions, _, kind in ROWS for name in functions}
    assert listed == {(target.resource, target.api.kind) for target in FUNCTIONS if not target.name.startswith("_")}


def test_table_lists_every_traced_method_of_the_router():
    """Its methods are the class's and those that its factory makes in some version."""
    methods = {target.name for target in ROUTER_METHODS}
    listed = {name for _, names, _ in ROWS for name in names}
    assert methods <= listed
    assert listed - methods <= {target.name for target in ROUTER_ENDPOINTS}


@pytest.mark.usefixtures("apm_recorder")
def test_table_lists_what_the_installed_router_has():
    """Whatever is traced on a Router of this LiteLLM is in the table."""
    router = litellm.Router(model_list=[{"model_name": "group", "litellm_params": {"model": "mistral/m"}}])
    candidates = {
        prefix + (target.called or target.name) for target in (*FUNCTIONS, *ROUTER_METHODS) for prefix in ("", "a")
    }
    traced = {name for name in candidates if is_traced(getattr(router, name, None))}
    assert traced
    assert traced <= {name for _, names, _ in ROWS for name in names}


def test_variables_are_those_that_info_knows():
    """Each variable of the table is shown by ``ddtrace-litellm info``, with the default of the table."""
    table = README.read_text().partition("\n## Variables")[2].partition("\n## ")[0]
    listed = dict(re.findall(r"^\| `(DD_LITELLM_\w+)` \| (\S+) \|", table, re.MULTILINE))
    assert listed
    assert {name: default.strip("`").replace("none", "") for name, default in listed.items()}.items() <= OWN.items()
