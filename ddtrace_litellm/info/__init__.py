"""``ddtrace-litellm info``: whether LiteLLM is traced in this environment, and what is wrong where it is not."""
