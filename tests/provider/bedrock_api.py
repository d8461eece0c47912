"""Bedrock's stream of Anthropic's Messages as the tests' provider sends it: the events in AWS's binary frames."""

import base64
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from ddtrace_litellm.demo import anthropic_api
from ddtrace_litellm.demo.answers import Answer

_STRING = 7
_HEADERS = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}


def events(request: Mapping[str, Any], answer: Answer) -> Iterator[bytes]:
    """Yield a frame for each event of Anthropic's."""
    for event in anthropic_api.events(request, answer):
        data = event.partition(b"data: ")[2].strip()
        yield _frame(json.dumps({"bytes": base64.b64encode(data).decode()}).encode())


def _frame(payload: bytes) -> bytes:
    headers = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(value)) + value.encode()
        for name, value in _HEADERS.items()
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    frame = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return frame + struct.pack("!I", zlib.crc32(frame))
