"""Calls of every kind of decision, to the provider at $PROVIDER_URL, and to a traced proxy at $PROXY_URL."""

import asyncio
import contextlib
import os

import litellm

MODEL = "openai/gpt-4o-mini"
ASK = [{"role": "user", "content": "the secret question"}]
WHERE = {"api_base": f"{os.environ['PROVIDER_URL']}/v1", "api_key": "sk-secret-key"}

litellm.completion(MODEL, ASK, **WHERE)
list(litellm.completion(MODEL, ASK, stream=True, **WHERE))
stream = litellm.completion(MODEL, ASK, stream=True, **WHERE)
next(stream)
del stream
litellm.Router([{"model_name": "fast", "litellm_params": {"model": MODEL, **WHERE}}]).completion("fast", ASK)
asyncio.run(litellm.acompletion(MODEL, ASK, **WHERE))
with contextlib.suppress(litellm.InternalServerError):
    litellm.completion("openai/failing", ASK, max_retries=0, **WHERE)
litellm.completion(MODEL, ASK, **WHERE | {"api_base": f"{os.environ['PROXY_URL']}/v1"})
