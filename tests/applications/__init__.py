"""Programs of other frameworks over LiteLLM, under ``ddtrace-run``: ``python -m tests.applications``."""
