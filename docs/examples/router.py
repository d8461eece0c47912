"""A Router with a fallback: its span shows each attempt, and why the first one failed.

OPENAI_API_KEY=... ANTHROPIC_API_KEY=... DD_LLMOBS_ENABLED=1 DD_LLMOBS_ML_APP=router ddtrace-run python router.py
"""

import litellm

MODELS = [
    {"model_name": "large", "litellm_params": {"model": "openai/gpt-4o"}},
    {"model_name": "backup", "litellm_params": {"model": "anthropic/claude-sonnet-4-5"}},
]


def ask(question: str) -> str:
    """Return the answer of the first model that answers."""
    router = litellm.Router(model_list=MODELS, fallbacks=[{"large": ["backup"]}], num_retries=0)
    response = router.completion(model="large", messages=[{"role": "user", "content": question}])
    return str(response.choices[0].message.content)


if __name__ == "__main__":
    print(ask("Does a fallback show up as well?"))
