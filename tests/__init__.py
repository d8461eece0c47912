"""The tests of ddtrace-litellm."""
