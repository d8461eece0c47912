"""What a program can see of the integrations that are active in it."""

import sys

_ENTRY_POINTS = ("completion", "acompletion", "text_completion", "atext_completion")


def entry_points():
    """Yield each name that an integration wraps, with its owner: modules by their names, and the Router."""
    import litellm

    for owner in (litellm, litellm.main, litellm.Router):
        for name in _ENTRY_POINTS:
            yield owner, name
    yield litellm, "get_llm_provider"  # the built-in integration's alone


def layers(owner, name):
    """Return whose wrappers are around one entry point, the outermost first."""
    found = []
    held = vars(owner).get(name, getattr(owner, name))
    while held is not None:
        wrapper = getattr(held, "_self_wrapper", None)
        if wrapper is not None:
            package = wrapper.__module__.partition(".")[0]
            found.append({"ddtrace_litellm": "ours", "ddtrace": "built-in"}.get(package, package))
        held = getattr(held, "__wrapped__", None)
    return found


def state():
    """Return which integrations are active, and the entry points that are wrapped more than once."""
    import litellm

    found = {f"{owner.__name__}.{name}": layers(owner, name) for owner, name in entry_points()}
    return {
        "active": sorted({layer for layers in found.values() for layer in layers}),
        "wrapped": sum(bool(layers) for layers in found.values()),
        "twice": [name for name, layers in found.items() if len(layers) > 1],
        "marker": getattr(litellm, "_datadog_patch", False),
    }


def contents():
    """Return everything that LiteLLM's modules and its Router hold, by owner and name."""
    import litellm

    for owner, name in entry_points():
        getattr(owner, name)  # LiteLLM loads some of them only when they are asked for,
    getattr(litellm, "no_such_name", None)  # and makes preparations when the first such name is
    owners = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "litellm"}
    return {
        (place, name): value
        for place, owner in [*owners.items(), ("Router", litellm.Router)]
        for name, value in vars(owner).items()
        if name not in ("_datadog_patch", "__dd_origin__")  # ddtrace's own marks
    }


def changes(before, after):
    """Return the names that do not hold the same object in both."""
    nothing = object()
    return sorted(
        f"{place}.{name}"
        for place, name in before.keys() | after.keys()
        if before.get((place, name), nothing) is not after.get((place, name), nothing)
    )


def call(url):
    """Make one call to the provider at ``url`` and return the resources of the spans of LiteLLM that finished."""
    import litellm
    from ddtrace.internal import core

    resources = []

    def note(span):
        if span.name == "litellm.request":
            resources.append(span.resource)

    core.on("trace.span_finish", note, "tests")
    message = {"role": "user", "content": "Hello"}
    answer = litellm.completion("openai/gpt-4o-mini", [message], api_base=f"{url}/v1", api_key="sk-local")
    core.reset_listeners("trace.span_finish", note)
    assert answer.choices[0].message.content
    return resources
