import litellm
import pytest
from litellm.types.llms.openai import ResponsesAPIResponse
from openai.types.responses import ResponseFunctionToolCall, ResponseFunctionWebSearch, ResponseReasoningItem

from ddtrace_litellm.extract.metadata import parameters
from ddtrace_litellm.extract.responses import PARAMETERS, read_input, read_response
from ddtrace_litellm.extract.tools import ToolCall
from ddtrace_litellm.extract.usage import Usage, openai_usage
from tests.provider import Provider, Script
from tests.provider import ToolCall as ScriptedCall
from tests.provider import Usage as ScriptedUsage

PNG = "data:image/png;base64,aGk="
PNG_PART = {"mime_type": "image/png", "content": "aGk="}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"a": 1}'}
CALL_PART = {"name": "f", "arguments": {"a": 1}, "tool_id": "call_1", "type": "function"}
MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]}


def asked(items, **more):
    """Return the messages of a request."""
    return read_input({"input": items, **more}).annotations["input_messages"]


def said(*items):
    """Return the messages of a response."""
    return read_response({"output": list(items)}, {}).annotations["output_messages"]


def called(name, arguments, tool_id="1", kind=None):
    """Make the message of a call."""
    part = {"name": name, "arguments": arguments, "tool_id": tool_id, "type": kind or name}
    return {"role": "assistant", "content": "", "tool_calls": [part]}


def answered(result, tool_id="call_1"):
    """Make the message of a call's result."""
    part = {"name": "", "result": result, "tool_id": tool_id, "type": "tool_result"}
    return {"role": "tool", "content": "", "tool_results": [part]}


def test_instructions_come_before_a_text():
    """They are a system message, the text is the user's."""
    assert asked("hi", instructions="be nice") == [
        {"role": "system", "content": "be nice"},
        {"role": "user", "content": "hi"},
    ]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"role": "user", "content": "hi"}, {"role": "user", "content": "hi"}),
        ({"role": "developer", "content": "hi", "type": "message"}, {"role": "developer", "content": "hi"}),
        (MESSAGE, {"role": "assistant", "content": "hello"}),
        (
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "look"},
                    {"type": "input_image", "image_url": PNG},
                    {"type": "input_file", "filename": "a.pdf", "file_data": "aGk="},
                ],
            },
            {"role": "user", "content": "look\n[file: a.pdf]", "image_parts": [PNG_PART]},
        ),
        (
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}}]},
            {"role": "user", "content": "", "audio_parts": [{"mime_type": "audio/mpeg", "content": "aGk="}]},
        ),
        (
            {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            {"role": "assistant", "content": "no"},
        ),
        (REASONING, {"role": "reasoning", "content": "hm"}),
        (CALL, {"role": "assistant", "content": "", "tool_calls": [CALL_PART]}),
        ({"type": "function_call_output", "call_id": "call_1", "output": "21"}, answered("21")),
        ({"type": "custom_tool_call_output", "call_id": "call_1", "output": "21"}, answered("21")),
        (
            {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "21"}]},
            answered("21"),
        ),
        (
            {
                "type": "computer_call_output",
                "call_id": "call_1",
                "output": {"type": "computer_screenshot", "image_url": PNG},
            },
            {**answered(""), "image_parts": [PNG_PART]},
        ),
        (
            {"type": "shell_call_output", "call_id": "call_1", "output": [{"stdout": "21", "stderr": ""}]},
            answered('[{"stdout": "21", "stderr": ""}]'),
        ),
        ({"type": "local_shell_call_output", "id": "call_1", "output": "21"}, answered("21")),
        ({"type": "item_reference", "id": "msg_1"}, {"role": "assistant", "content": "[item_reference: msg_1]"}),
        ({"id": "msg_1"}, {"role": "assistant", "content": "[item_reference: msg_1]"}),
        ({"type": "compaction_trigger"}, {"role": "assistant", "content": "[compaction_trigger]"}),
        ("hi", {"role": "user", "content": "hi"}),
    ],
)
def test_input_items(item, expected):
    """Each kind of item is one message."""
    assert asked([item]) == [expected]


def test_input_items_may_be_objects():
    """People append a response's output to their next input as it is."""
    items = [
        ResponseReasoningItem(id="rs_1", type="reasoning", summary=[{"type": "summary_text", "text": "hm"}]),
        ResponseFunctionToolCall(**CALL),
        ResponseFunctionWebSearch(
            id="1", type="web_search_call", status="completed", action={"type": "search", "query": "q"}
        ),
    ]
    assert asked(items) == [
        {"role": "reasoning", "content": "hm"},
        {"role": "assistant", "content": "", "tool_calls": [CALL_PART]},
        called("web_search_call", {"action": {"type": "search", "query": "q"}}),
    ]


@pytest.mark.parametrize("items", [None, 7, [None], [{}], {"role": "user"}, [REASONING | {"summary": None}]])
def test_input_that_says_nothing(items):
    """It is no message, and no error."""
    assert asked(items) == []


def test_ids_of_the_results_that_a_request_hands_in():
    """Those of the items that are outputs."""
    items = ["hi", {"type": "function_call_output", "call_id": "call_1", "output": "21"}]
    assert read_input({"input": items}).tool_result_ids == ["call_1"]


def test_stored_prompt():
    """Its variables are what was asked, unless there is an input."""
    variables = {"question": "Why?", "picture": {"type": "input_image", "image_url": PNG}}
    prompt = {"id": "pmpt_1", "variables": variables}
    expected = {"role": "user", "content": "question: Why?\npicture:", "image_parts": [PNG_PART]}
    assert asked([], prompt=prompt) == [expected]
    assert asked("hi", prompt=prompt) == [{"role": "user", "content": "hi"}]


def test_tools():
    """Functions by name, the provider's own tools by type; nothing else of an MCP server's configuration."""
    tools = [
        {"type": "function", "name": "f", "description": "does", "parameters": {"type": "object"}},
        {"type": "web_search"},
        {"type": "mcp", "server_label": "s", "server_url": "https://s", "headers": {"Authorization": "Bearer x"}},
    ]
    assert read_input({"input": "hi", "tools": tools}).annotations["tool_definitions"] == [
        {"name": "f", "description": "does", "schema": {"type": "object"}},
        {"name": "web_search", "description": "", "schema": {}},
        {"name": "mcp", "description": "", "schema": {}},
    ]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (MESSAGE, {"role": "assistant", "content": "hello"}),
        ({"type": "message", "content": "hello"}, {"role": "assistant", "content": "hello"}),
        (REASONING, {"role": "reasoning", "content": "hm"}),
        (
            {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
            {"role": "reasoning", "content": "hm"},
        ),
        (
            # LiteLLM's bridge.
            {"type": "reasoning", "role": "assistant", "content": [{"type": "output_text", "text": "hm"}]},
            {"role": "reasoning", "content": "hm"},
        ),
        (CALL, called("f", {"a": 1}, "call_1", "function")),
        (
            {"type": "custom_tool_call", "id": "ct_1", "call_id": "call_1", "name": "sum", "input": "4 + 4"},
            called("sum", {"value": "4 + 4"}, "call_1", "custom"),
        ),
        (
            {"type": "web_search_call", "id": "1", "status": "completed", "action": {"type": "search"}},
            called("web_search_call", {"action": {"type": "search"}}),
        ),
        (
            {"type": "file_search_call", "id": "1", "queries": ["q"], "results": [{"text": "long"}]},
            called("file_search_call", {"queries": ["q"]}),
        ),
        (
            {"type": "code_interpreter_call", "id": "1", "code": "print()", "container_id": "c", "outputs": None},
            called("code_interpreter_call", {"code": "print()"}),
        ),
        ({"type": "tool_search_call", "id": "1", "arguments": {"a": 1}}, called("tool_search_call", {"a": 1})),
        ({"type": "some_new_call", "id": "1"}, called("some_new_call", {})),
        (
            {"type": "mcp_approval_request", "id": "1", "name": "f", "arguments": "{}", "server_label": "s"},
            called("f", {}, kind="mcp_approval_request"),
        ),
        (
            {"type": "image_generation_call", "id": "1", "result": "aGk=", "revised_prompt": "a cat"},
            {
                **called("image_generation_call", {"revised_prompt": "a cat"}),
                "image_parts": [PNG_PART],
            },
        ),
        (
            {"type": "image_generation_call", "id": "1", "result": "aGk=", "output_format": "webp"},
            {
                **called("image_generation_call", {}),
                "image_parts": [{"mime_type": "image/webp", "content": "aGk="}],
            },
        ),
        (
            {"type": "image_generation_call", "id": "1", "result": "aGk=", "output_format": "tiff"},
            {**called("image_generation_call", {}), "content": "[image: image/tiff]"},
        ),
        ({"type": "mcp_list_tools", "id": "1", "tools": []}, {"role": "assistant", "content": "[mcp_list_tools: 1]"}),
    ],
)
def test_output_items(item, expected):
    """Each kind of item is one message."""
    assert said(item) == [expected]


def test_call_that_the_provider_has_run():
    """An MCP server's result stands beside its call, and the caller has nothing to answer."""
    item = {"type": "mcp_call", "id": "1", "name": "f", "arguments": "{}", "output": "hello"}
    result = {"name": "f", "result": "hello", "tool_id": "1", "type": "tool_result"}
    expected = {**called("f", {}, kind="mcp_call"), "tool_results": [result]}
    assert said(item) == [expected]
    assert read_response({"output": [item]}, {}).tool_calls == []


def test_messages_of_a_stored_prompt():
    """The response has them as its instructions; a text there is what the request gave."""
    message = {"role": "system", "content": "be nice"}
    assert read_response({"output": [], "instructions": [message]}, {}).rendered == [message]
    assert not read_response({"output": [], "instructions": "be nice"}, {}).rendered


def test_output_apart_from_its_messages():
    """The calls that wait for an answer and all that was written are known beside the messages."""
    search = {"type": "web_search_call", "id": "1", "action": {"query": "q"}}
    custom = {"type": "custom_tool_call", "call_id": "call_2", "name": "sum", "input": "4 + 4"}
    response = {"status": "completed", "output": [REASONING, search, MESSAGE, CALL, custom]}
    output = read_response(response, {})
    assert len(output.annotations["output_messages"]) == 5
    assert output.tool_calls == [ToolCall("f", '{"a": 1}', "call_1"), ToolCall("sum", "4 + 4", "call_2", "custom")]
    assert output.all_text == 'hmweb_search_call{"action": {"query": "q"}}hellof{"a": 1}sum4 + 4'


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (None, ""),
        ({"status": "completed"}, "completed"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "max_output_tokens"),
        ({"status": "incomplete", "incomplete_details": None}, "incomplete"),
        ({"status": "failed", "error": {"code": "server_error", "message": "m"}}, "server_error"),
        ({"status": "failed"}, "failed"),
    ],
)
def test_finish_reason(response, expected):
    """The status, or what is known of why it is a bad one."""
    output = read_response(response, {})
    assert output.finish_reason == expected
    assert output.annotations == {"output_messages": []}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ({"input_tokens": 0, "output_tokens": 0}, None),
        ({"input_tokens": 20, "output_tokens": 7, "input_tokens_details": None}, Usage(20, 7)),
        (
            {
                "input_tokens": 36,
                "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 11},
                "output_tokens": 7,
                "output_tokens_details": {"reasoning_tokens": 3},
            },
            Usage(36, 7, 5, 11, reasoning_tokens=3),
        ),
        ({"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}, Usage(20, 7)),
    ],
)
def test_usage(usage, expected):
    """The names of Responses or those of Chat; nothing where nothing was counted."""
    assert openai_usage({"usage": usage}) == expected


def test_parameters():
    """They are LiteLLM's, and none that holds contents, a secret or a tool."""
    arguments = {"max_output_tokens": 5, "extra_headers": {}, "prompt": {}, "metadata": {}, "tools": [], "api_key": "x"}
    assert parameters(arguments, PARAMETERS, contents=True) == {"max_output_tokens": 5}


def complete(body):
    """LiteLLM 1.72 takes a response with all fields only."""
    absent = ("max_output_tokens", "previous_response_id", "reasoning", "text", "truncation", "user", "error")
    return {**dict.fromkeys(absent), "id": "resp_1", "object": "response", "created_at": 1_700_000_000, **body}


def test_response_of_litellm():
    """What LiteLLM makes of a provider's answer is read like the answer."""
    body = complete(
        {
            "model": "gpt-4o-mini",
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
            "instructions": None,
            "metadata": {},
            "output": [
                {**REASONING, "status": "completed"},
                {**CALL, "status": "completed"},
                {
                    **MESSAGE,
                    "id": "msg_1",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": "hello", "annotations": []}],
                },
            ],
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": {
                "input_tokens": 36,
                "input_tokens_details": {"cached_tokens": 5},
                "output_tokens": 7,
                "output_tokens_details": {"reasoning_tokens": 3},
                "total_tokens": 43,
            },
        }
    )
    with Provider({"gpt-4o-mini": Script(reply_body=body)}) as provider:
        response = litellm.responses(
            "hi", "openai/gpt-4o-mini", api_base=f"{provider.url}/v1", api_key="sk-local", max_output_tokens=7
        )
    assert isinstance(response, ResponsesAPIResponse)
    output = read_response(response, {})
    assert output.annotations["output_messages"] == [
        {"role": "reasoning", "content": "hm"},
        {"role": "assistant", "content": "", "tool_calls": [CALL_PART]},
        {"role": "assistant", "content": "hello"},
    ]
    assert output.finish_reason == "max_output_tokens"
    assert output.tool_calls == [ToolCall("f", '{"a": 1}', "call_1")]
    usage = openai_usage(response)
    assert usage is not None
    assert usage[:3] == (36, 7, 5)
    assert usage.reasoning_tokens == 3


def test_response_over_chat():
    """LiteLLM's bridge from Chat has items of its own classes."""
    script = Script(
        text="hello", tool_calls=(ScriptedCall("call_1", "f", '{"a": 1}'),), usage=ScriptedUsage(input=20, output=7)
    )
    with Provider({"m": script}) as provider:
        response = litellm.responses("hi", "hosted_vllm/m", api_base=f"{provider.url}/v1", api_key="sk-local")
    output = read_response(response, {})
    assert output.annotations["output_messages"] == [
        {"role": "assistant", "content": "hello"},
        {"role": "assistant", "content": "", "tool_calls": [CALL_PART]},
    ]
    usage = openai_usage(response)
    assert usage is not None
    assert usage[:2] == (20, 7)
