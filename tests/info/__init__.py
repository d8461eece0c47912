"""``ddtrace-litellm info``."""
