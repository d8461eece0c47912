"""The demo's local provider with everything that tests want of one on top: faults, odd answers, more endpoints.

Use::

    with Provider({"gpt-4o-mini": Script(cut_after=3)}) as provider:
        litellm.completion("openai/gpt-4o-mini", ..., api_base=f"{provider.url}/v1", api_key="sk-local")
    assert provider.requests[0].body["stream"]
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ddtrace_litellm.demo import anthropic_api, openai_api
from ddtrace_litellm.demo.answers import Answer, ToolCall, Usage
from ddtrace_litellm.demo.provider import Behaviour, ConnectionCut, LocalProvider, Reply, Request, Route
from tests.provider import (
    audio_api,
    bedrock_api,
    cohere_api,
    embeddings_api,
    gemini_api,
    images_api,
    interactions_api,
    mistral_api,
    moderations_api,
    responses_api,
    tavily_api,
    vector_stores_api,
    videos_api,
)
from tests.provider.addresses import addressed

__all__ = ["Behaviour", "ConnectionCut", "Provider", "Reply", "Request", "Script", "ToolCall", "Usage"]

_RERANK = Route(cohere_api.answer, cohere_api.body, cohere_api.error_body)
_IMAGES = Route(images_api.answer, images_api.body, openai_api.error_body)


@dataclass(frozen=True)
class Script(Behaviour):
    """What one model does, in more detail than the demo needs.

    Attributes:
        fail_first: only so many requests get ``status``, or are dropped; later ones are answered.
        drop: cut the connection instead of answering, before the first byte.
        cut_after: cut the connection after so many events of a stream; 0 is right behind the headers.
        error_event_after: after so many events of a stream send an error as an event, and end.
        garbage_after: after so many events of a stream send one that is no JSON, then go on.
        headers: more response headers, on errors as well.
        reply_body: this JSON in place of an answer, on whatever path, known or not.
        reasoning: thoughts before the answer.
        tool_calls: calls to make, whatever was asked.
        finish_reason: in OpenAI's words.
        usage: token counts in place of counted words; Usage(0, 0) is a provider that reports nothing.
        extra: more members for the message (``refusal``, ``audio``, ``annotations``) or Anthropic's top level.
    """

    fail_first: int | None = None
    drop: bool = False
    cut_after: int | None = None
    error_event_after: int | None = None
    garbage_after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reply_body: Any = None
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    usage: Usage | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class Provider(LocalProvider):
    """The local provider, which also follows a :class:`Script`, and speaks every API that LiteLLM has a function for.

    A script is found by the model, which may be in the path: see :func:`tests.provider.addresses.addressed`.
    """

    routes: ClassVar[Mapping[str, Route]] = {
        **LocalProvider.routes,
        "/v1/responses": Route(responses_api.answer, responses_api.body, openai_api.error_body, responses_api.events),
        "/v1/responses/compact": Route(responses_api.answer, responses_api.compacted_body, openai_api.error_body),
        "/v1/responses/*": Route(responses_api.stored_answer, responses_api.stored_body, openai_api.error_body),
        "/v1/responses/*/cancel": Route(
            responses_api.stored_answer, responses_api.cancelled_body, openai_api.error_body
        ),
        "/v1/embeddings": Route(embeddings_api.answer, embeddings_api.body, openai_api.error_body),
        "/v1/images/generations": _IMAGES,
        "/v1/images/edits": _IMAGES,
        "/v1/images/variations": _IMAGES,
        "/v1/audio/speech": Route(audio_api.speech_answer, audio_api.speech_body, openai_api.error_body),
        "/v1/audio/transcriptions": Route(
            audio_api.transcription_answer,
            audio_api.transcription_body,
            openai_api.error_body,
            audio_api.transcription_events,
        ),
        "/v1/moderations": Route(moderations_api.answer, moderations_api.body, openai_api.error_body),
        "/v1/videos": Route(videos_api.answer, videos_api.created_body, openai_api.error_body),
        "/v1/videos/*": Route(videos_api.answer, videos_api.stored_body, openai_api.error_body),
        "/v1/videos/*/remix": Route(videos_api.answer, videos_api.remixed_body, openai_api.error_body),
        "/v1/vector_stores/*/search": Route(vector_stores_api.answer, vector_stores_api.body, openai_api.error_body),
        "/v1/vector_stores/*/files": Route(
            vector_stores_api.answer, vector_stores_api.attached_body, openai_api.error_body
        ),
        "/v1/files": Route(vector_stores_api.answer, vector_stores_api.uploaded_body, openai_api.error_body),
        "/v1/rerank": _RERANK,
        "/v2/rerank": _RERANK,
        "/v1/ocr": Route(mistral_api.answer, mistral_api.body, mistral_api.error_body),
        "/v1beta/models/*:generateContent": Route(
            gemini_api.answer, gemini_api.body, gemini_api.error_body, gemini_api.events
        ),
        "/model/*/invoke": Route(
            anthropic_api.answer, anthropic_api.body, anthropic_api.error_body, bedrock_api.events
        ),
        "/v1beta/interactions": Route(
            interactions_api.answer, interactions_api.body, gemini_api.error_body, interactions_api.events
        ),
        "/search": Route(tavily_api.answer, tavily_api.body, tavily_api.error_body),
    }

    def behaviour(self, request: Request) -> Behaviour:
        """Return what to do for the model, and do it to so many requests only as the script says."""
        chosen = super().behaviour(request)
        if isinstance(chosen, Script) and chosen.fail_first is not None and self._seen(request) > chosen.fail_first:
            return replace(chosen, status=200, drop=False)
        return chosen

    def reply(self, request: Request) -> Reply:
        """Answer as the model's script says."""
        request = addressed(request)
        script = self.behaviour(request)
        if not isinstance(script, Script):
            return super().reply(request)
        if script.drop:
            raise ConnectionCut
        reply = super().reply(request)
        if script.reply_body is not None:
            reply = Reply(script.status, script.reply_body)
        return replace(reply, headers=script.headers)

    def answer(self, request: Request, behaviour: Behaviour, route: Route) -> Answer:
        """Say what the script says in place of the default answer."""
        said = super().answer(request, behaviour, route)
        if not isinstance(behaviour, Script):
            return said
        calls = behaviour.tool_calls or said.tool_calls
        return replace(
            said,
            text="" if behaviour.tool_calls and behaviour.text is None else said.text,
            tool_calls=calls,
            reasoning=behaviour.reasoning,
            finish_reason=behaviour.finish_reason or ("tool_calls" if calls else said.finish_reason),
            usage=behaviour.usage or said.usage,
            extra=behaviour.extra,
        )

    def paced(self, events: Iterator[bytes], behaviour: Behaviour) -> Iterator[bytes]:
        """Send a stream's events, and break it where the script says."""
        if not isinstance(behaviour, Script):
            yield from super().paced(events, behaviour)
            return
        number = -1
        for number, event in enumerate(super().paced(events, behaviour)):
            if number == behaviour.cut_after:
                raise ConnectionCut
            if number == behaviour.error_event_after:
                yield openai_api.sse(openai_api.error_body(behaviour.error, behaviour.error_type))
                return
            if number == behaviour.garbage_after:
                yield b"data: {this is no JSON\n\n"
            yield event
        if behaviour.cut_after is not None and behaviour.cut_after > number:
            raise ConnectionCut

    def _seen(self, request: Request) -> int:
        received = [addressed(other) for other in self.requests]
        return sum(other.model == request.model and other.path == request.path for other in received)
