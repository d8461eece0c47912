"""Every function of LiteLLM's with a secret wherever one can be: answered, refused, and with fallbacks.

The secrets look like nothing, so that only their places tell what they are.
"""

import asyncio
import logging
import os
from types import SimpleNamespace

import litellm
from calls import CALLS, function, ways

from tests.tracing.entry_points import aread, read

PROVIDER = SimpleNamespace(url=os.environ["PROVIDER_URL"])


def secret(place):
    """Return the secret of a place."""
    return f"Canary{place}Petal"


def planted(name, status):
    """Return a call's arguments with a secret in each place that LiteLLM takes one in."""
    given = CALLS[name].keywords(PROVIDER.url)
    return {
        **given,
        "api_key": secret("ApiKey"),
        "max_retries": 0,
        "extra_headers": {
            "X-Status": status,
            "X-Api-Key": secret("Header"),
            "Cookie": f"session={secret('Cookie')}",
        },
        "extra_body": {"access_token": secret("Body")},
        "metadata": {
            "deployment_token": secret("Metadata"),
            "user_api_key": secret("ProxyKey"),
            "headers": {"authorization": f"Bearer {secret('ProxyHeader')}"},
        },
        "proxy_server_request": {
            "url": f"http://proxy/v1?key={secret('ProxyUrl')}",
            "headers": {"authorization": f"Bearer {secret('ProxyHeader')}"},
            "body": {"api_key": secret("ProxyBody")},
        },
        "aws_secret_access_key": secret("Aws"),
        "azure_ad_token": secret("Azure"),
        "vertex_credentials": secret("Vertex"),
    }


def fallbacks(given):
    """Return the same call with a first deployment that refuses, which names the key in its error."""
    own = {**given, "extra_headers": {**given["extra_headers"], "X-Status": "401"}, "api_key": secret("First")}
    return {**own, "fallbacks": [{**given, "model": given["model"], "api_key": secret("Fallback")}]}


def attempt(attribute, given):
    """Make a call; what becomes of it is nobody's matter here."""
    try:
        result = function(attribute)(**given)
        if asyncio.iscoroutine(result):
            asyncio.run(_all(result))
        else:
            read(result)
    except Exception:  # what this version cannot do, and what the provider refuses
        return


async def _all(result):
    await aread(await result)


litellm.suppress_debug_info = True
for name in ("LiteLLM", "LiteLLM Router"):
    logging.getLogger(name).disabled = True  # what LiteLLM writes is its own matter
litellm.api_key = secret("OfProcess")
for name in CALLS:
    for _, attribute in ways(name):
        for status in ("200", "401"):
            attempt(attribute, planted(name, status))
attempt("completion", fallbacks(planted("chat", "200")))
