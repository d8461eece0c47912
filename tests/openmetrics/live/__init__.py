"""The scraper beside LiteLLM's real proxy: what arrives on a real socket."""
