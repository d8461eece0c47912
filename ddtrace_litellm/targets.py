"""What is traced in LiteLLM, and under which names: the tables that ``patch`` and ``unpatch`` walk."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ddtrace_litellm.extract import (
    a2a,
    batch,
    chat,
    embeddings,
    generate_content,
    guardrail,
    harness,
    images,
    interactions,
    mcp,
    messages,
    moderation,
    ocr,
    passthrough,
    rag,
    rerank,
    responses,
    sandbox,
    search,
    speech,
    text,
    tool,
    tool_loop,
    transcription,
    typed_answers,
    video,
)
from ddtrace_litellm.extract.api import Api


@dataclass(frozen=True, slots=True)
class Target:
    """One function of LiteLLM's.

    Attributes:
        name: its name.
        owners: the modules and classes that hold it; those that a version lacks are left out.
        api: its API.
        asynchronous: a coroutine function.
        router: a method of the Router: what it calls are attempts.
        batch: makes several calls, none of which is another attempt after the one before.
        composed: is made of calls that are traced one by one.
        called: what its spans call it, where its name alone would not tell.
        signature_of: the function whose positional parameters it takes, where its own signature is ``*args``.
        positional: its positional parameters, where no signature tells.
        reads: finds the API of a call, and the arguments as that API has them, where the function takes requests of
            many; ``None`` where those are of no API. Then ``api`` stands for all of them.
        method: its object is an argument too, ``self``.
        runs: the argument that is a function, and what its calls are.
        resource: the resource of its spans.
        never_leaf: it never reaches a provider itself.
    """

    name: str
    owners: tuple[str, ...]
    api: Api
    asynchronous: bool = False
    router: bool = False
    batch: bool = False
    composed: bool = False
    called: str = ""
    signature_of: str | None = None
    positional: tuple[str, ...] = ()
    reads: Callable[[Mapping[str, Any]], passthrough.Exchange | None] | None = None
    method: bool = False
    runs: tuple[str, Target] | None = None
    resource: str = field(init=False)
    never_leaf: bool = field(init=False)

    def __post_init__(self) -> None:
        name = self.called or self.name
        object.__setattr__(self, "resource", f"router.{name}" if self.router else name)
        composed = self.router or self.batch or self.composed
        object.__setattr__(self, "never_leaf", composed or not self.api.asks_provider)

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any) -> Mapping[str, Any]:
        """Return a call's arguments by name. A wrong call binds as far as it goes: LiteLLM raises, not we."""
        named = {**dict(zip(self.positional, args, strict=False)), **kwargs} if args else kwargs
        return {**named, "self": instance} if self.method else named

    def with_signature_of(self, function: Callable[..., Any]) -> Target:
        """Return the target with the positional parameters that ``function`` declares, if it declares any."""
        return replace(self, positional=positional_parameters(function) or self.positional)


def positional_parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's positional parameters, without ``self``."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return tuple(found.name for found in parameters if found.kind in kinds and found.name != "self")


def _pair(
    name: str, owners: tuple[str, ...], api: Api, *, starred: bool = False, composed: bool = False
) -> tuple[Target, Target]:
    """Return a function and its asynchronous twin, which may take ``*args``."""
    signature = name if starred else None
    twin = Target(f"a{name}", owners, api, asynchronous=True, composed=composed, signature_of=signature)
    return Target(name, owners, api, composed=composed), twin


def _router(name: str, api: Api, *positional: str, asynchronous: bool = True, batch: bool = False) -> Target:
    """Return a method of the Router; from 1.110 on all of them are ``(*args, **kwargs)``."""
    return Target(name, (ROUTER,), api, asynchronous, router=True, batch=batch, positional=positional)


def _router_pair(name: str, api: Api, *positional: str) -> tuple[Target, Target]:
    """Return a method of the Router and its asynchronous twin."""
    return _router(name, api, *positional, asynchronous=False), _router(f"a{name}", api, *positional)


ROUTER = "litellm:Router"

# Since 1.103 litellm.completion is a dispatch shim that never calls litellm.main.completion by name: both are wrapped,
# and so it is with embeddings, Responses, Anthropic's messages and OCR. The shim's own reference to the original is
# not: it would be a second span for one call.
_CHAT = ("litellm", "litellm.main", "litellm.chat_completions", "litellm.chat_completions.dispatch")
_MAIN = ("litellm", "litellm.main")
_EMBEDDING = ("litellm", "litellm.main", "litellm.embeddings", "litellm.embeddings.dispatch")
_RESPONSES = ("litellm", "litellm.responses", "litellm.responses.dispatch", "litellm.responses.main")
_MESSAGES = (
    "litellm",
    "litellm.messages",
    "litellm.messages.dispatch",
    "litellm.llms.anthropic.experimental_pass_through.messages.handler",  # to 1.100
    "litellm.llms.anthropic.pass_through.messages.handler",  # 1.106
    "litellm.llms.anthropic.messages.native.handler",  # 1.109
)
_MESSAGES_INTERFACE = ("litellm.anthropic_interface.messages",)
_GENERATE_CONTENT = ("litellm", "litellm.google_genai", "litellm.google_genai.main")
_IMAGES = ("litellm", "litellm.images.main")
_RERANK = ("litellm", "litellm.rerank_api.main")
_SEARCH = ("litellm", "litellm.search", "litellm.search.main", "litellm.proxy.auth.fallback_model_access")
_VECTOR_STORES = ("litellm.vector_stores", "litellm.vector_stores.main")
_OCR = ("litellm", "litellm.ocr", "litellm.ocr.dispatch", "litellm.ocr.main")
_VIDEO = ("litellm", "litellm.videos", "litellm.videos.main")
_BATCH = ("litellm", "litellm.batch_completion.main")

_INTERACTIONS = ("litellm.interactions", "litellm.interactions.main")
_RAG = ("litellm", "litellm.rag", "litellm.rag.main")
_PASS_THROUGH = ("litellm", "litellm.passthrough", "litellm.passthrough.main")
_PASS_THROUGH_REQUEST = (
    "litellm.proxy.pass_through_endpoints.pass_through_endpoints",
    "litellm.proxy.pass_through_endpoints.codex_passthrough_endpoints",  # 1.109
)

FUNCTIONS = (
    *_pair("completion", _CHAT, chat.API),
    *_pair("text_completion", _MAIN, text.API, starred=True),
    *_pair("embedding", _EMBEDDING, embeddings.API, starred=True),
    *_pair("responses", _RESPONSES, responses.API),
    *_pair("compact_responses", _RESPONSES, responses.API),
    Target("anthropic_messages", _MESSAGES, messages.API, asynchronous=True),
    Target("anthropic_messages_handler", _MESSAGES, messages.API),
    Target("_async_anthropic_messages", _MESSAGES_INTERFACE, messages.API, asynchronous=True),
    Target("_sync_anthropic_messages", _MESSAGES_INTERFACE, messages.API),
    *_pair("generate_content", _GENERATE_CONTENT, generate_content.API),
    *_pair("generate_content_stream", _GENERATE_CONTENT, generate_content.API),
    *_pair("rerank", _RERANK, rerank.API),
    *_pair("search", _SEARCH, search.API),
    Target("search", _VECTOR_STORES, search.API, called="vector_store_search"),
    Target("asearch", _VECTOR_STORES, search.API, asynchronous=True, called="avector_store_search"),
    *_pair("image_generation", _IMAGES, images.API, starred=True),
    *_pair("image_edit", _IMAGES, images.API),
    *_pair("image_variation", _IMAGES, images.API, starred=True),
    *_pair("speech", _MAIN, speech.API, starred=True),
    *_pair("transcription", _MAIN, transcription.API, starred=True),
    *_pair("moderation", _MAIN, moderation.API),
    Target("ocr", _OCR, ocr.API, positional=("model", "document")),
    Target("aocr", _OCR, ocr.API, asynchronous=True, positional=("model", "document")),
    *_pair("video_generation", _VIDEO, video.API),
    *_pair("video_edit", _VIDEO, video.API),
    *_pair("video_extension", _VIDEO, video.API),
    *_pair("video_remix", _VIDEO, video.API),
    Target("llm_passthrough_route", _PASS_THROUGH, chat.API, reads=passthrough.from_sdk),
    Target("allm_passthrough_route", _PASS_THROUGH, chat.API, asynchronous=True, reads=passthrough.from_sdk),
    Target("create", _INTERACTIONS, interactions.API, called="create_interaction"),
    Target("acreate", _INTERACTIONS, interactions.API, asynchronous=True, called="acreate_interaction"),
    *(
        target
        for name in ("extraction", "decisions", "systemone")
        for target in _pair(name, ("litellm", f"litellm.{name}", f"litellm.{name}.main"), typed_answers.API)
    ),
    *_pair("query", _RAG, rag.QUERY, composed=True),
    *_pair("ingest", _RAG, rag.INGEST, composed=True),
    Target("batch_completion", _BATCH, batch.API, batch=True),
    Target("batch_completion_models", _BATCH, batch.API, batch=True),
    Target("batch_completion_models_all_responses", _BATCH, batch.API, batch=True),
)
"""LiteLLM's functions."""

PASS_THROUGH_REQUEST = Target(
    "pass_through_request",
    _PASS_THROUGH_REQUEST,
    chat.API,
    asynchronous=True,
    reads=passthrough.from_proxy,
)
"""What the proxy's pass-through routes end in, each but a Router model's (1.72 to 1.110)."""

PASSED_THROUGH = frozenset({"pass_through_endpoint", "allm_passthrough_route", "llm_passthrough_route"})
"""``Logging.call_type`` of such requests (1.72 to 1.110)."""

_EXECUTE = "execute_tool"
_TOOL_LOOP = ("litellm", "litellm.tool_loop")

_LOOPS = tuple(
    Target(
        name,
        _TOOL_LOOP,
        tool_loop.API,
        asynchronous=asynchronous,
        runs=(_EXECUTE, Target(_EXECUTE, (), tool.API, asynchronous=asynchronous, positional=("tool_call",))),
    )
    for name, asynchronous in (("run_tool_loop", False), ("arun_tool_loop", True))
)
"""LiteLLM's loops of a model and tools (1.108), which a function of the program's runs."""

_A2A = ("litellm.a2a_protocol", "litellm.a2a_protocol.main")

AGENTS = (
    *_LOOPS,
    # Every turn of an agent comes this way, of a session too (1.108).
    Target("turn_events", ("litellm.harness.runtime:AsyncSession",), harness.API, called="agent.turn", method=True),
    Target(
        "_tool_outcome",
        ("litellm.harness.handlers.tool_loop_handler",),
        tool.API,
        asynchronous=True,
        called="agent.execute_tool",
    ),
    Target("asend_message", _A2A, a2a.API, asynchronous=True),
    Target("asend_message_streaming", _A2A, a2a.API),  # returns a stream, and is no coroutine function
)
"""LiteLLM's own agents, and what asks those of others."""

_SANDBOX = ("litellm", "litellm.sandbox", "litellm.sandbox.main")
SANDBOXES = tuple(
    Target(name, _SANDBOX, sandbox.API, asynchronous=True) for name in ("arun_code", "acode_interpreter_tool")
)
"""What runs code at a sandbox's provider (1.95); the second makes a sandbox for it, and throws it away."""

AGENT_NAME = ("litellm.a2a_protocol.main", "_get_a2a_model_info")
"""What LiteLLM reads an agent's name from its card with (1.85 to 1.110)."""

_MCP_SERVERS = ("litellm.proxy.mcp_server", "litellm.proxy._experimental.mcp_server")  # from 1.109, before
_MCP_CLIENTS = ("litellm.mcp_client", "litellm.experimental_mcp_client")  # from 1.109, before
_LOCAL_TOOLS = tuple(f"{package}.{name}" for package in _MCP_SERVERS for name in ("operations", "server"))


def _mcp(name: str, *owners: str, called: str = "", method: bool = False) -> Target:
    """Return what calls a tool of an MCP server; its own name would not tell."""
    return Target(name, owners, mcp.API, asynchronous=True, called=f"mcp.{called or name}", method=method)


TOOLS = (
    _mcp("call_tool", *(f"{package}.mcp_server_manager:MCPServerManager" for package in _MCP_SERVERS), method=True),
    _mcp("_handle_local_mcp_tool", *_LOCAL_TOOLS, called="call_local_tool"),
    _mcp("call_tool", *(f"{package}.client:MCPClient" for package in _MCP_CLIENTS), method=True),
    _mcp("call_openai_tool", *(f"{package}.tools" for package in _MCP_CLIENTS)),
    _mcp("call_mcp_tool", *(f"{package}.tools" for package in _MCP_CLIENTS)),
)
"""What calls a tool: the manager of servers, for a gateway and within a call of a model; and the SDK's client."""

ROUTER_METHODS = (
    *_router_pair("completion", chat.API, "model", "messages"),
    *_router_pair("text_completion", text.API, "model", "prompt"),
    *_router_pair("embedding", embeddings.API, "model", "input"),
    *_router_pair("image_generation", images.API, "prompt", "model"),
    _router("arerank", rerank.API, "model", "query", "documents"),
    _router("aspeech", speech.API, "model", "input", "voice"),
    _router("atranscription", transcription.API, "model", "file"),
    _router("schedule_acompletion", chat.API, "model", "messages", "priority", batch=True),
    _router("abatch_completion", batch.API, "models", "messages", batch=True),
    _router("abatch_completion_one_model_multiple_requests", batch.API, "model", "messages", batch=True),
    _router("abatch_completion_fastest_response", batch.API, "model", "messages", batch=True),
)
"""The methods of the Router's class, in every version."""

ROUTER_FACTORY_CALL_TYPES = {
    target.resource if target.name != "amoderation" else "moderation": replace(target, router=True)
    for target in FUNCTIONS
    if not (target.batch or target.composed or target.name.startswith("_"))
}
"""What ``Router.factory_function`` makes attributes of an instance of (to 1.109), by the ``call_type`` that it is told.

Its call type for ``amoderation`` is ``moderation``."""

ROUTER_ENDPOINTS = (
    *(
        replace(
            target,
            name=target.called or target.name,
            owners=(ROUTER,),
            called="",
            signature_of=None,
            positional=("input", "model") if target.name in {"aresponses", "amoderation"} else (),
        )
        for target in ROUTER_FACTORY_CALL_TYPES.values()
    ),
    Target("aanthropic_messages", (ROUTER,), messages.API, asynchronous=True, router=True),
)
"""The same as methods of the Router's class, which they are from 1.110 on (``litellm.router_rust``)."""

_LOGGING = "litellm.litellm_core_utils.litellm_logging:Logging"
PROVIDER_REQUEST = (_LOGGING, "pre_call")
"""What LiteLLM calls before each request to a provider, its Rust routes included (1.72 to 1.110)."""

NO_PROVIDERS = frozenset({"call_mcp_tool", "list_mcp_tools"})
"""What LiteLLM logs in the same way though it asks no provider: ``Logging.call_type`` (1.85 to 1.110)."""

_CACHING_HANDLER = "litellm.caching.caching_handler:LLMCachingHandler"
_HTTP_HANDLER = "litellm.llms.custom_httpx.llm_http_handler:BaseLLMHTTPHandler"
STREAM_BUILDER = ("litellm", "stream_chunk_builder")
"""What LiteLLM calls at the end of a chat or a text stream, to put it together for its callbacks (1.72 to 1.110)."""

PROVIDER_RESPONSES = (
    ("litellm.main", "maybe_run_chat_completion_agentic_loop"),  # 1.108
    (_HTTP_HANDLER, "_call_agentic_completion_hooks"),  # 1.85
    (_HTTP_HANDLER, "_call_agentic_chat_completion_hooks"),  # 1.85
    ("litellm.llms.openai.openai:OpenAIChatCompletion", "_call_agentic_completion_hooks_openai"),  # 1.85
    (_CACHING_HANDLER, "_combine_cached_embedding_response_with_api_result"),  # 1.72
    (_CACHING_HANDLER, "combine_cached_embedding_response_with_api_result"),  # 1.106
)
"""What LiteLLM hands a provider's response to, to ask again with the results of tools that it has run itself, or to add
the embeddings that its cache has had."""

PROMPT_RENDERERS = ((_LOGGING, "get_chat_completion_prompt"), (_LOGGING, "async_get_chat_completion_prompt"))
"""What LiteLLM makes the model and the messages of a managed prompt with, other hooks too (1.72 to 1.110)."""

LAST_EVENT = ("litellm.responses.mcp.stream_round_billing:StreamedRoundBilling", "charge_final_round")
"""What LiteLLM hands the last event of a stream of Responses to, before it adds the usage of earlier rounds (1.109)."""

GUARDRAIL = Target("guardrail", (), guardrail.API)
"""A run of a guardrail, which has a span when it is over."""

_CUSTOM_GUARDRAIL = "litellm.integrations.custom_guardrail:CustomGuardrail"
_PROXY_LOGGING = "litellm.proxy.utils:ProxyLogging"
GUARDRAIL_RECORD = (_CUSTOM_GUARDRAIL, "add_standard_logging_guardrail_information_to_request_data")
"""What every guardrail of LiteLLM's tells its verdict, and one of the user's where it is decorated (1.72 to 1.110)."""

GUARDRAIL_ASKED = (_CUSTOM_GUARDRAIL, "should_run_guardrail")
"""What says whether a guardrail applies to a request, inside those of :data:`GUARDRAIL_RUNS` that ask it (1.72)."""

_PROCESS = ("callback", "data", "user_api_key_dict", "call_type")
_MEASURED = ("callback", "coro", "hook_type", "data")
GUARDRAIL_RUNS = (
    (_PROXY_LOGGING, "_process_guardrail_callback", "pre_call", _PROCESS),  # 1.80
    (_PROXY_LOGGING, "_run_guardrail_with_metrics", "", _MEASURED),  # 1.95
    (_CUSTOM_GUARDRAIL, "async_pre_call_deployment_hook", "pre_call", ("data",)),  # 1.80
    (_CUSTOM_GUARDRAIL, "async_post_call_success_deployment_hook", "post_call", ("data",)),  # 1.80
)
"""What runs one guardrail: in the proxy before, during and after a call, in the SDK before and after it.

With its mode, where no argument says it, and its positional parameters."""

SCREENING = (_PROXY_LOGGING, "pre_call_hook")
"""What runs the guardrails of a request to the proxy, before it is routed (1.72 to 1.110)."""

END_OF_PROXY = ("litellm.proxy.proxy_server", "proxy_shutdown_event")
"""What the proxy calls when it has answered its last request (1.72 to 1.110)."""

_BY_RESOURCE = {target.resource: target for target in FUNCTIONS}
SCREENED = {
    **_BY_RESOURCE,
    "aanthropic_messages": _BY_RESOURCE["anthropic_messages"],
    "audio_transcription": _BY_RESOURCE["atranscription"],  # 1.72
    "embeddings": _BY_RESOURCE["aembedding"],  # 1.72
}
"""What a request to the proxy asks for, by the ``call_type`` that its guardrails are told."""
