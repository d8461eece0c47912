"""What LiteLLM has and this package does not know: after a release of LiteLLM, these tests say what to look at."""

import importlib
import pkgutil

import litellm
import pytest

from ddtrace_litellm import get_version, patch, unpatch
from ddtrace_litellm.entry_points import entry_points, left_out_as, traced_names, unknown
from ddtrace_litellm.left_out import REASONS
from ddtrace_litellm.openmetrics.names import families
from ddtrace_litellm.versions import NEWEST_TESTED
from tests.declared_families import declared

needs_newest = pytest.mark.skipif(
    tuple(map(int, get_version().split(".")[:2])) < NEWEST_TESTED["litellm"],
    reason="what the newest LiteLLM does not have, older ones may",
)

# Left out, but not in the newest LiteLLM as it is here: their modules need packages that the tests do without, or they
# are of an older one.
NOT_HERE = {
    "Router.get_model_group_io_token_usage",
    "a2a_protocol.send_message",
    "proxy._experimental.mcp_server.operations.call_mcp_tool",
    "proxy._experimental.mcp_server.server.call_mcp_tool",
    "proxy.mcp_server.operations.call_mcp_tool",
    "proxy.mcp_server.server.call_mcp_tool",
}


@pytest.fixture(autouse=True, scope="module")
def every_package():
    """Import LiteLLM's packages that `import litellm` does not, as far as what they need is installed."""
    for module in pkgutil.iter_modules(litellm.__path__):
        if module.ispkg and module.name != "proxy":
            try:
                importlib.import_module(f"litellm.{module.name}")
            except (ImportError, TypeError):  # TypeError: of a2a_protocol without the A2A SDK
                continue


def test_every_entry_point_is_known():
    """An entry point of LiteLLM is either in the table of targets or, with a reason, in that of those left out."""
    assert unknown() == []


def test_none_is_traced_and_left_out():
    """What is traced is not said to be left out."""
    traced = traced_names()
    assert [name for name, names in entry_points().items() if names & traced and names & REASONS.keys()] == []


def test_what_is_traced_is_found():
    """The search finds the functions and the Router's methods that are traced, so that it would find others."""
    found = set().union(*entry_points().values())
    assert {"completion", "aembedding", "anthropic_messages", "image_edit", "aresponses"} <= found
    assert {"Router.completion", "Router.acompletion", "Router.aresponses", "Router.aimage_edit"} <= found


def test_patched_and_not_the_same_are_found():
    """Wrappers of ours neither hide an entry point nor are taken for one."""
    before = entry_points()
    patch()
    try:
        assert entry_points() == before
    finally:
        unpatch()


@needs_newest
def test_no_left_out_name_is_left_over():
    """Every name that is left out is one that LiteLLM has."""
    assert set(REASONS) - {left_out_as(name) for name in entry_points()} - NOT_HERE == set()


def test_every_declared_family_has_a_metric():
    """Every family of metrics that LiteLLM declares is in the table of metrics."""
    assert sorted(declared() - set(families())) == []


@needs_newest
def test_no_metric_is_left_over():
    """Every family that is to be in LiteLLM still is: of one that is not, the table tells the last release."""
    still = {metric.family for metric in families().values() if not metric.until}
    assert sorted(family for family in still - declared() if family.startswith("litellm_")) == []
