"""Which integration a function has: by each way in, and by each variable that says so.

That of a function with the layer alone is looked at where its calls are (``test_lambda_invocations.py``).
"""

import shutil

import pytest

from tests.activation.cases import BUILT_IN, NOTHING, OURS
from tests.aws_lambda.runtime import SITE_PACKAGES, needs_lambda, unpack

pytestmark = [needs_lambda, pytest.mark.e2e]

REDIRECT = {"_HANDLER": "ddtrace_litellm.aws_lambda.handler.handler"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"DD_LLMOBS_ENABLED": "false"}, OURS, marks=pytest.mark.nightly),
        ({"DD_LITELLM_TAKEOVER": "false"}, BUILT_IN),
        ({"DD_TRACE_LITELLM_ENABLED": "false"}, NOTHING),
        pytest.param(
            {"DD_PATCH_MODULES": "litellm:false", "DD_LLMOBS_ENABLED": "false"}, NOTHING, marks=pytest.mark.nightly
        ),
        ({"DD_PATCH_MODULES": "openai:true,litellm:0"}, NOTHING),
        ({"DD_PATCH_MODULES": "openai:false,litellm:true"}, OURS),
    ],
    ids=lambda case: "-".join(case) if isinstance(case, dict) and "active" not in case else "",
)
def test_switches(function, settings, expected):
    """What is active is what the variables say, DD_PATCH_MODULES included, which datadog-lambda does not read."""
    with function(**settings) as running:
        assert running.invoke({"do": "state"}) == expected


def test_without_the_layer(function, bare_machine):
    """Without the layer it is the built-in integration: what the other tests see comes from the layer."""
    with function(on=bare_machine) as running:
        assert running.invoke({"do": "state"}) == BUILT_IN


@pytest.mark.parametrize(("settings", "expected"), [({}, BUILT_IN), (REDIRECT, OURS)], ids=["as it is", "handler"])
def test_function_that_sets_python_path(function, machine, settings, expected):
    """With PYTHONPATH set Lambda reads no .pth file of a layer: the handler is a way in."""
    with function(PYTHONPATH=machine.python_path, **settings) as running:
        assert running.invoke({"do": "state"}) == expected


def test_exec_wrapper_of_a_function_that_does_not(function):
    """The wrapper does no harm where the .pth file is read: the layers stay on the path."""
    with function(wrapper="ddtrace_litellm_run") as running:
        assert running.invoke({"do": "state"}) == OURS


def test_exec_wrapper_of_a_function_that_sets_python_path(function, machine, tmp_path):
    """The exec wrapper is another; a sitecustomize on the function's own PYTHONPATH runs as without it."""
    (tmp_path / "sitecustomize.py").write_text("print('own sitecustomize')")
    path = f"{tmp_path}:{machine.python_path}"
    with function(wrapper="ddtrace_litellm_run", PYTHONPATH=path) as running:
        assert running.invoke({"do": "state"}) == OURS
        assert running.log.count("own sitecustomize") == 1


def test_package_in_the_functions_own_code(function, bare_machine, layer, tmp_path):
    """In the function's own folder the .pth file is read whatever PYTHONPATH is: so it is in container images."""
    unpack(layer, tmp_path)
    task = tmp_path / SITE_PACKAGES
    shutil.copytree(bare_machine.task, task, dirs_exist_ok=True)
    settings = {"LAMBDA_TASK_ROOT": str(task), "PYTHONPATH": bare_machine.python_path}
    with function(on=bare_machine, **settings) as running:
        assert running.invoke({"do": "state"}) == OURS
