"""What is traced in LiteLLM, and under which names: the table that ``patch`` and ``unpatch`` walk."""

from __future__ import annotations

from dataclasses import dataclass

from ddtrace_litellm.extract import families
from ddtrace_litellm.extract.api import Family


@dataclass(frozen=True, slots=True)
class Target:
    """One function of LiteLLM's.

    Attributes:
        name: its name.
        owners: the modules and classes that hold it; those that a version lacks are left out.
        family: its API family.
        asynchronous: a coroutine function.
        router: a method of the Router.
        batch: makes several calls, none of which is another try of the one before.
        called: what its spans call it, where its name alone would not tell.
        signature_of: the function whose positional parameters it takes, where its own signature is ``*args``.
        positional: those parameters, where no function tells.
    """

    name: str
    owners: tuple[str, ...]
    family: Family
    asynchronous: bool = False
    router: bool = False
    batch: bool = False
    called: str = ""
    signature_of: str | None = None
    positional: tuple[str, ...] | None = None

    @property
    def resource(self) -> str:
        """The resource of its spans."""
        name = self.called or self.name
        return f"router.{name}" if self.router else name


def _pair(name: str, owners: tuple[str, ...], family: Family, *, starred: bool = False) -> tuple[Target, Target]:
    """Return a function and its asynchronous twin, which may take ``*args``."""
    twin = Target(f"a{name}", owners, family, asynchronous=True, signature_of=name if starred else None)
    return Target(name, owners, family), twin


def _router(*names: str, family: Family, batch: bool = False) -> tuple[Target, ...]:
    """Return methods of the Router; those whose name does not say that they are asynchronous are not."""
    asynchronous = ("a", "schedule_a")
    return tuple(
        Target(name, ("litellm:Router",), family, name.startswith(asynchronous), router=True, batch=batch)
        for name in names
    )


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

FUNCTIONS = (
    *_pair("completion", _CHAT, families.CHAT),
    *_pair("text_completion", _MAIN, families.TEXT, starred=True),
    *_pair("embedding", _EMBEDDING, families.EMBEDDING, starred=True),
    *_pair("responses", _RESPONSES, families.RESPONSES),
    *_pair("compact_responses", _RESPONSES, families.RESPONSES),
    Target("anthropic_messages", _MESSAGES, families.MESSAGES, asynchronous=True),
    Target("anthropic_messages_handler", _MESSAGES, families.MESSAGES),
    Target("_async_anthropic_messages", _MESSAGES_INTERFACE, families.MESSAGES, asynchronous=True),
    Target("_sync_anthropic_messages", _MESSAGES_INTERFACE, families.MESSAGES),
    *_pair("generate_content", _GENERATE_CONTENT, families.GENERATE_CONTENT),
    *_pair("generate_content_stream", _GENERATE_CONTENT, families.GENERATE_CONTENT),
    *_pair("rerank", _RERANK, families.RERANK),
    *_pair("search", _SEARCH, families.SEARCH),
    Target("search", _VECTOR_STORES, families.SEARCH, called="vector_store_search"),
    Target("asearch", _VECTOR_STORES, families.SEARCH, asynchronous=True, called="avector_store_search"),
    *_pair("image_generation", _IMAGES, families.IMAGE, starred=True),
    *_pair("image_edit", _IMAGES, families.IMAGE),
    *_pair("image_variation", _IMAGES, families.IMAGE, starred=True),
    *_pair("speech", _MAIN, families.SPEECH, starred=True),
    *_pair("transcription", _MAIN, families.TRANSCRIPTION, starred=True),
    *_pair("moderation", _MAIN, families.MODERATION),
    Target("ocr", _OCR, families.OCR, positional=("model", "document")),
    Target("aocr", _OCR, families.OCR, asynchronous=True, positional=("model", "document")),
    *_pair("video_generation", _VIDEO, families.VIDEO),
    *_pair("video_edit", _VIDEO, families.VIDEO),
    *_pair("video_extension", _VIDEO, families.VIDEO),
    *_pair("video_remix", _VIDEO, families.VIDEO),
    Target("batch_completion", _BATCH, families.BATCH, batch=True),
    Target("batch_completion_models", _BATCH, families.BATCH, batch=True),
    Target("batch_completion_models_all_responses", _BATCH, families.BATCH, batch=True),
)
"""LiteLLM's functions."""

ROUTER_METHODS = (
    *_router("completion", "acompletion", family=families.CHAT),
    *_router("text_completion", "atext_completion", family=families.TEXT),
    *_router("embedding", "aembedding", family=families.EMBEDDING),
    *_router("image_generation", "aimage_generation", family=families.IMAGE),
    *_router("arerank", family=families.RERANK),
    *_router("aspeech", family=families.SPEECH),
    *_router("atranscription", family=families.TRANSCRIPTION),
    *_router("schedule_acompletion", family=families.CHAT, batch=True),
    *_router(
        "abatch_completion",
        "abatch_completion_one_model_multiple_requests",
        "abatch_completion_fastest_response",
        family=families.BATCH,
        batch=True,
    ),
)
"""The methods of the Router's class."""

ROUTER_ATTRIBUTES = {
    target.resource if target.name != "amoderation" else "moderation": target
    for target in FUNCTIONS
    if not target.batch and not target.name.startswith("_")
}
"""What ``Router.factory_function`` makes attributes of an instance of, by the ``call_type`` that it is told."""
