"""The demo: a tryout of the small app against the local provider, and a check that everything arrived."""

import sys

from ddtrace_litellm.demo import scenarios
from ddtrace_litellm.demo.checks import missing
from ddtrace_litellm.demo.provider import LocalProvider
from ddtrace_litellm.tryout.session import Audience, Outcome, tryout


def demo(audience: Audience) -> Outcome:
    """Run the demo.

    Args:
        audience: who is told what happens.

    Raises:
        ddtrace_litellm.tryout.errors.TryoutError: the app or the agent could not be started.
    """
    with LocalProvider(scenarios.BEHAVIOURS, otherwise=scenarios.EVERY_DAY) as provider:
        return tryout(
            [sys.executable, "-m", "ddtrace_litellm.demo.app"],
            audience,
            {
                "DDTRACE_LITELLM_DEMO_PROVIDER": provider.url,
                # LiteLLM would download its price list otherwise.
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                # A proxy of the user's would not find a provider on this machine.
                "NO_PROXY": "127.0.0.1",
                "no_proxy": "127.0.0.1",
            },
        )


def problems(outcome: Outcome) -> tuple[str, ...]:
    """Return what is missing of the demo: one sentence each, nothing when all is well."""
    failed = () if outcome.status == 0 else (f"the app ended with status {outcome.status}",)
    return *failed, *missing(outcome.traces)
