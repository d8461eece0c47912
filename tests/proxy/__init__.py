"""Tests of LiteLLM's proxy under ``ddtrace-run``."""
