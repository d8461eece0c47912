"""``ddtrace-litellm try``: run a program against a local ddapm-test-agent and show what Datadog would have received."""
