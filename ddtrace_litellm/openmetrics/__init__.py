"""The LiteLLM Proxy's metrics as Datadog metrics: read, named, and turned into steps."""
