"""Three requests to the provider at $PROVIDER_URL in one workflow: a plain call, a stream and a Router call."""

import os

import litellm
from ddtrace.llmobs import LLMObs

MESSAGES = [{"role": "user", "content": "Hello"}]
WHERE = {"api_base": f"{os.environ['PROVIDER_URL']}/v1", "api_key": "sk-local"}
MODEL = "openai/gpt-4o-mini"

with LLMObs.workflow("app"):
    litellm.completion(MODEL, MESSAGES, **WHERE)
    for _chunk in litellm.completion(MODEL, MESSAGES, stream=True, **WHERE):
        pass
    router = litellm.Router([{"model_name": "fast", "litellm_params": {"model": MODEL, **WHERE}}])
    router.completion("fast", MESSAGES)
