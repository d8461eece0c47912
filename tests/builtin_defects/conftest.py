"""What the regression tests of ddtrace's built-in integration share: how to ask the local provider.

Each test pins what that integration (4.16 with LiteLLM 1.106) got wrong; the number in its docstring is the defect's,
so that tests of one defect can be found together.
"""

import litellm
import pytest

from tests.provider import Script

MESSAGES = [{"role": "user", "content": "hello"}]


@pytest.fixture
def reach(provider):
    """Arguments that lead a call to the provider."""
    return {"api_base": f"{provider.url}/v1", "api_key": "sk-local"}


@pytest.fixture
def ask(reach):
    """Arguments of a chat call to the provider, without a model."""
    return {"messages": MESSAGES, **reach}


@pytest.fixture
def routed(provider, reach):
    """A Router whose group ``a`` fails and falls back to group ``b``; more arguments are the Router's."""
    provider.behaviours["fail"] = Script(status=500)

    def build(**arguments):
        def deployment(group, model):
            params = {"model": model, "max_retries": 0, **reach}
            return {"model_name": group, "litellm_params": params, "model_info": {"id": f"id of {group}"}}

        models = [deployment("a", "mistral/fail"), deployment("b", "mistral/m")]
        return litellm.Router(model_list=models, fallbacks=[{"a": ["b"]}], **{"num_retries": 0, **arguments})

    return build
