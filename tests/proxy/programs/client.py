"""A program that asks LiteLLM's proxy through LiteLLM: the proxy's URL, the key and the mark are its arguments."""

import sys

import litellm

url, key, mark = sys.argv[1:]
litellm.completion(
    "litellm_proxy/chat",
    messages=[{"role": "user", "content": "hi"}],
    api_base=url,
    api_key=key,
    extra_headers={"x-test-id": mark},
)
