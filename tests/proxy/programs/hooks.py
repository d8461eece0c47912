"""What the proxy's configuration names: who its callers are, and a guardrail. Both need no database."""

import asyncio
import json
import os

import litellm
from fastapi import HTTPException, Request
from litellm.integrations.custom_guardrail import CustomGuardrail, log_guardrail_information
from litellm.proxy._types import UserAPIKeyAuth


async def authenticate(request: Request, api_key: str) -> UserAPIKeyAuth:
    """Tell who the caller with this key is, and what settings a test gives the key and its team."""
    if api_key == os.environ["TEST_POOR_KEY"]:
        raise litellm.BudgetExceededError(current_cost=2.0, max_budget=1.0)
    if api_key == os.environ["TEST_CLEAR_KEY"]:
        return UserAPIKeyAuth(api_key=api_key)
    if api_key != os.environ["TEST_CALLER_KEY"]:
        raise HTTPException(status_code=401, detail="Who are you?")
    return UserAPIKeyAuth(
        api_key=api_key,
        key_alias="the-key",
        team_id="team-7",
        team_alias="The Team",
        org_id="org-3",
        organization_alias="The Organisation",
        user_id="user-5",
        end_user_id="end-user-9",
        request_route=request.url.path,
        **json.loads(request.headers.get("x-test-settings", "{}")),
    )


class NoForbiddenWords(CustomGuardrail):
    """Rejects requests that say "forbidden", and hides what is whispered."""

    async def async_pre_call_hook(self, *_who_and_cache: object, data: dict, **_more: object) -> dict:
        """Look at the request before it is routed."""
        if "forbidden" in str(data.get("messages")):
            raise HTTPException(status_code=400, detail="That word is not allowed here.")
        for message in data.get("messages") or ():
            if isinstance(message.get("content"), str) and "whispered" in message["content"]:
                message["content"] = "hidden"
        return data


class LooksOn(CustomGuardrail):
    """Rejects requests that say "interrupt" while the model answers, and answers to those that say "refuse"."""

    @log_guardrail_information
    async def async_moderation_hook(self, data: dict, **_more: object) -> None:
        """Look at the request beside the call."""
        if "interrupt" in str(data.get("messages")):
            await asyncio.sleep(0.5)  # at once, and LiteLLM would cancel the call before it has asked the provider
            raise HTTPException(status_code=400, detail="Interrupted.")

    @log_guardrail_information
    async def async_post_call_success_hook(self, data: dict, **_more: object) -> None:
        """Look at the answer."""
        if "refuse" in str(data.get("messages")):
            raise HTTPException(status_code=400, detail="Not this answer.")
