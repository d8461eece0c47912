"""Every API, and a request, a response and a stream that each finds its own contents in."""

import json
import pkgutil
from dataclasses import dataclass
from importlib import import_module

from ddtrace_litellm import extract
from ddtrace_litellm.extract.api import Api

_MODULES = [import_module(f"{extract.__name__}.{module.name}") for module in pkgutil.iter_modules(extract.__path__)]
# A guardrail's has neither a request nor a response, but a verdict: test_guardrail.py has its switches and bounds.
APIS = {
    module.__name__.rpartition(".")[2]: api
    for module in _MODULES
    if isinstance(api := getattr(module, "API", None), Api) and api.name != "guardrail"
}
STREAMED = {name: api for name, api in APIS.items() if api.streaming is not None}

MARK = "MARK"
_PART = {"type": "text", "text": MARK}
_ITEM = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": MARK}]}
ASKED = {
    "arguments": {"note": MARK},
    "contents": [{"role": "user", "parts": [{"text": MARK}]}],
    "code": MARK,
    "config": {"system_instruction": MARK},
    "document": {"document_name": MARK, "document_url": f"https://host/{MARK}", "image_url": f"https://host/{MARK}"},
    "documents": [MARK, {"text": MARK}],
    "file": (MARK, MARK.encode()),
    "image": [(MARK, MARK.encode())],
    "input": [MARK],
    "input_reference": (MARK, MARK.encode()),
    "instructions": MARK,
    "mask": (MARK, MARK.encode()),
    "messages": [{"role": "user", "content": MARK, "name": MARK}, {"role": "tool", "content": [_PART]}],
    "metadata": {"note": MARK},
    "prediction": {"type": "content", "content": MARK},
    "prompt": MARK,
    "query": MARK,
    "questions": [{"instructions": MARK}],
    "request": {"params": {"message": {"role": "user", "parts": [{"kind": "text", "text": MARK}]}}},
    "suffix": MARK,
    "system": MARK,
    "systemInstruction": MARK,
    "tool_call": {"id": "c", "function": {"name": "f", "arguments": MARK}},
    "tools": [
        {"type": "function", "name": "f", "description": MARK, "parameters": {"title": MARK}},
        {"functionDeclarations": [{"name": "f", "description": MARK, "parameters": {"title": MARK}}]},
    ],
    "video": (MARK, MARK.encode()),
}
"""What every API asks with, and none may say where contents are not captured."""
ANSWERED = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": MARK}]}, "finishReason": "STOP"}],
    "answers": {"city": {"type": "text", "value": MARK}},
    "choices": [{"finish_reason": "stop", "text": MARK, "message": {"role": "assistant", "content": MARK}}],
    "content": [_PART],
    "steps": [{"type": "model_output", "content": [_PART]}],
    "data": [{"embedding": MARK, "url": f"https://host/{MARK}", "revised_prompt": MARK, "title": MARK}],
    "document_annotation": MARK,
    "id": MARK,
    "output": [_ITEM],
    "pages": [{"markdown": MARK}],
    "results": [
        {
            "index": 0,
            "document": {"text": MARK},
            "title": MARK,
            "url": MARK,
            "snippet": MARK,
            "flagged": True,
            "categories": {MARK: True},
        }
    ],
    "result": {"kind": "message", "role": "assistant", "parts": [{"kind": "text", "text": MARK}]},
    "role": "assistant",
    "stdout": MARK,
    "text": MARK,
}
"""What every API answers."""


def _event(**data):
    return f"data: {json.dumps(data)}\n\n".encode()


@dataclass
class Text:
    """An event of an agent of LiteLLM's, by its name."""

    delta: str


STREAM = [
    Text(MARK),
    {"choices": [{"index": 0, "text": MARK, "delta": {"role": "assistant", "content": MARK}}]},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "item_0", "delta": MARK},
    _event(type="content_block_start", index=0, content_block={"type": "text", "text": ""}),
    _event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": MARK}),
    _event(candidates=ANSWERED["candidates"]),
    {"result": ANSWERED["result"]},
    {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": MARK}},
]
"""What every API streams; each API picks what is its own."""
