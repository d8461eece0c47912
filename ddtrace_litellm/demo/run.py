"""The demo: a tryout of the small app against the local provider, and a check that everything arrived."""

import sys

from ddtrace_litellm.demo import scenarios
from ddtrace_litellm.demo.checks import missing
from ddtrace_litellm.demo.provider import LocalProvider
from ddtrace_litellm.tryout.session import Outcome, tryout


def demo() -> tuple[Outcome, tuple[str, ...]]:
    """Run the demo.

    Returns:
        What came of it, and what is missing: one sentence each, nothing when all is well.

    Raises:
        ddtrace_litellm.tryout.errors.TryoutError: the app or the agent could not be started.
    """
    with LocalProvider(scenarios.BEHAVIOURS, otherwise=scenarios.EVERY_DAY) as provider:
        outcome = tryout(
            [sys.executable, "-m", "ddtrace_litellm.demo.app"],
            {
                "DDTRACE_LITELLM_DEMO_PROVIDER": provider.url,
                # LiteLLM would download its price list otherwise.
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                # A proxy of the user's would not find a provider on this machine.
                "NO_PROXY": "127.0.0.1",
                "no_proxy": "127.0.0.1",
            },
        )
    problems = missing(outcome.traces)
    if outcome.status != 0:
        problems = (f"the app ended with status {outcome.status}", *problems)
    return outcome, problems
