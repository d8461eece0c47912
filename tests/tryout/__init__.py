"""Tests of ``ddtrace-litellm try``."""
