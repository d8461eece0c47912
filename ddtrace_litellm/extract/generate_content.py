"""Google's generateContent: what a request asks and a response says, part by part.

The REST API writes names in camelCase, Google's SDK in snake_case, and LiteLLM takes both.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ddtrace_litellm.extract import turn
from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output, Streaming
from ddtrace_litellm.extract.content import Content, add_audio, add_image
from ddtrace_litellm.extract.fields import fields_of, number, sequence, text_of
from ddtrace_litellm.extract.generate_content_stream import assemble, first_content_detector
from ddtrace_litellm.extract.plain import abridged
from ddtrace_litellm.extract.tools import ToolCall, tool_definitions_from
from ddtrace_litellm.extract.turn import Result, Turn
from ddtrace_litellm.extract.usage import Usage
from ddtrace_litellm.masking import strip_credentials

_SETTINGS = {
    "audio_timestamp": "audioTimestamp",
    "candidate_count": "candidateCount",
    "frequency_penalty": "frequencyPenalty",
    "image_config": "imageConfig",
    "max_output_tokens": "maxOutputTokens",
    "media_resolution": "mediaResolution",
    "presence_penalty": "presencePenalty",
    "response_json_schema": "responseJsonSchema",
    "response_logprobs": "responseLogprobs",
    "response_mime_type": "responseMimeType",
    "response_modalities": "responseModalities",
    "response_schema": "responseSchema",
    "safety_settings": "safetySettings",
    "speech_config": "speechConfig",
    "stop_sequences": "stopSequences",
    "thinking_config": "thinkingConfig",
    "tool_config": "toolConfig",
    "top_k": "topK",
    "top_p": "topP",
}
# Not config itself: beside the settings it holds the system instruction, and headers in http_options.
PARAMETERS = CALL_PARAMETERS | {
    *_SETTINGS,
    *_SETTINGS.values(),
    "logprobs",
    "seed",
    "stream",
    "temperature",
}
"""Parameters that may go into metadata, of the request or of its ``config``, in both spellings."""

_CONFIGS = ("config", "generationConfig", "generation_config")
_PROGRAM_CALL = "function_call"
_NO_CONTENT = frozenset({"thought", "thoughtSignature", "thought_signature", "videoMetadata", "video_metadata"})


def settings(arguments: Arguments) -> Arguments:
    """Return the arguments with what is in ``config``."""
    found: dict[str, Any] = {}
    for name in _CONFIGS:
        found |= fields_of(arguments.get(name))
    return {**found, **arguments}


def read_input(arguments: Arguments) -> Input:
    """Read the system instruction, the contents and the tools of a request."""
    sources = [arguments, *(fields_of(arguments.get(name)) for name in _CONFIGS)]
    system = _first(sources, "systemInstruction", "system_instruction")
    turns = [*_turns(system, "system"), *_turns(arguments.get("contents"), "user")]
    annotations: dict[str, Any] = {"input_messages": [message for said in turns for message in said.messages()]}
    if tools := _first(sources, "tools", "tools"):
        annotations["tool_definitions"] = tool_definitions_from(list(_declarations(tools)), None)
    return Input(annotations, [result.tool_id for said in turns for result in said.results if _is_programs(result)])


def read_response(response: Any, arguments: Arguments) -> Output:  # noqa: ARG001
    """Read a response, or what a stream's chunks make up; a refused prompt has a reason and no candidates."""
    fields = fields_of(response)
    turns = [_candidate(fields_of(candidate)) for candidate in abridged(fields.get("candidates"), "candidates")]
    said = turn.output(turns, _PROGRAM_CALL)
    if turns:
        return said
    feedback = fields_of(_either(fields, "promptFeedback", "prompt_feedback"))
    return said._replace(finish_reason=text_of(_either(feedback, "blockReason", "block_reason")))


def read_usage(response: Any) -> Usage | None:
    """Read the tokens. What the provider's tools brought in and what was thought are counted apart by Google."""
    usage = fields_of(_either(fields_of(response), "usageMetadata", "usage_metadata"))

    def count(camel: str, snake: str) -> "float | None":
        return number(_either(usage, camel, snake))

    thoughts = count("thoughtsTokenCount", "thoughts_token_count")
    prompt = count("promptTokenCount", "prompt_token_count") or 0
    input_tokens = prompt + (count("toolUsePromptTokenCount", "tool_use_prompt_token_count") or 0)
    output_tokens = (count("candidatesTokenCount", "candidates_token_count") or 0) + (thoughts or 0)
    if not input_tokens and not output_tokens:
        return None
    read = count("cachedContentTokenCount", "cached_content_token_count")
    return Usage(input_tokens, output_tokens, cache_read_tokens=read, reasoning_tokens=thoughts)


def _either(fields: Mapping[str, Any], camel: str, snake: str) -> Any:
    found = fields.get(camel)
    return fields.get(snake) if found is None else found


def _first(sources: Sequence[Mapping[str, Any]], camel: str, snake: str) -> Any:
    return next((found for source in sources if (found := _either(source, camel, snake))), None)


def _declarations(tools: Any) -> Iterator[dict[str, Any]]:
    """Yield each declared function, and each tool of the provider's by its name alone."""
    for tool in map(fields_of, sequence(tools) or (tools,)):
        for name, value in tool.items():
            if name not in {"functionDeclarations", "function_declarations"}:
                if value is not None:
                    yield {"name": name}
                continue
            for function in map(fields_of, sequence(value)):
                schema = _either(function, "parametersJsonSchema", "parameters_json_schema")
                yield {**function, "parameters": function.get("parameters") or schema}


def _turns(contents: Any, role: str) -> Iterator[Turn]:
    """Yield the turns of ``contents``: text, a part, a content, or a list of them; parts in a row are one turn."""
    loose: list[Any] = []
    for item in sequence(contents) or (contents,):
        content = fields_of(item)
        if "parts" not in content:
            loose.append(item)
            continue
        if loose:
            yield _turn(role, loose)
            loose = []
        said_by = text_of(content.get("role")) or role
        yield _turn(role if role == "system" else said_by, content["parts"])
    if any(loose):
        yield _turn(role, loose)


def _candidate(candidate: Mapping[str, Any]) -> Turn:
    content = fields_of(candidate.get("content"))
    said = _turn(text_of(content.get("role")) or "model", content.get("parts"))
    said.finish_reason = text_of(_either(candidate, "finishReason", "finish_reason"))
    return said


def _turn(role: str, parts: Any) -> Turn:
    said = Turn("assistant" if role == "model" else role)
    for raw in abridged(parts, "parts") or (parts,):
        if isinstance(raw, str):
            said.texts.append(raw)
            continue
        part = fields_of(raw)
        if isinstance(text := part.get("text"), str):
            (said.reasoning if part.get("thought") else said.texts).append(text)
            continue
        for name, value in part.items():
            if value is not None and name not in _NO_CONTENT:
                read = _PART_READERS.get(name)
                if read is None:
                    said.texts.append(f"[{name}]")
                else:
                    read(said, fields_of(value))
    return said


def _is_programs(result: Result) -> bool:
    return result.type == "function_response" and bool(result.tool_id)


def _function_call(said: Turn, call: Mapping[str, Any]) -> None:
    arguments = json.dumps(call.get("args") or {}, default=str)
    said.calls.append(ToolCall(text_of(call.get("name")), arguments, text_of(call.get("id")), _PROGRAM_CALL))


def _function_response(said: Turn, response: Mapping[str, Any]) -> None:
    given = response.get("response")
    text = given if isinstance(given, str) else "" if given is None else json.dumps(given, default=str)
    name, tool_id = text_of(response.get("name")), text_of(response.get("id"))
    said.results.append(Result(name, tool_id, "function_response", Content(text)))


def _code(said: Turn, code: Mapping[str, Any]) -> None:
    arguments = json.dumps({"language": code.get("language"), "code": code.get("code")}, default=str)
    said.calls.append(ToolCall("code_execution", arguments, text_of(code.get("id")), "executable_code"))


def _code_result(said: Turn, result: Mapping[str, Any]) -> None:
    # Of a failure the outcome is all that is sure to be there.
    text = text_of(result.get("output")) or text_of(result.get("outcome"))
    said.results.append(Result("code_execution", text_of(result.get("id")), "code_execution_result", Content(text)))


def _inline_data(said: Turn, blob: Mapping[str, Any]) -> None:
    mime_type, data = text_of(_either(blob, "mimeType", "mime_type")).partition(";")[0], text_of(blob.get("data"))
    if data and mime_type.startswith("image/"):
        marker = add_image(said.content, f"data:{mime_type};base64,{data}")
    elif data and mime_type.startswith("audio/"):
        marker = add_audio(said.content, data, mime_type.removeprefix("audio/"))
    else:
        marker = f"[file: {mime_type}]"
    said.texts.append(marker)


def _file_data(said: Turn, file: Mapping[str, Any]) -> None:
    mime_type = text_of(_either(file, "mimeType", "mime_type"))
    kind = "image" if mime_type.startswith("image/") else "file"
    address = strip_credentials(text_of(_either(file, "fileUri", "file_uri")))
    said.texts.append(f"[{kind}: {address or mime_type}]")


_PART_READERS: dict[str, Callable[[Turn, Mapping[str, Any]], None]] = {
    "codeExecutionResult": _code_result,
    "code_execution_result": _code_result,
    "executableCode": _code,
    "executable_code": _code,
    "fileData": _file_data,
    "file_data": _file_data,
    "functionCall": _function_call,
    "functionResponse": _function_response,
    "function_call": _function_call,
    "function_response": _function_response,
    "inlineData": _inline_data,
    "inline_data": _inline_data,
}


API = Api(
    name="generate_content",
    kind="llm",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
    read_usage=read_usage,
    serves_other_apis=True,
    settings=settings,
    streaming=Streaming(assemble, first_content_detector),
)
