"""The JSON objects in the binary frames in which Bedrock streams what a model says."""

import base64
import json
import sys
from typing import Any

_FRAMES = "botocore.eventstream"


class FrameParser:
    """Parses one stream with botocore, which LiteLLM signs its requests to Bedrock with.

    Where botocore is not loaded, or the bytes are not in frames, nothing is found.
    """

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        frames = sys.modules.get(_FRAMES)
        self._buffer: Any = frames.EventStreamBuffer() if frames is not None else None

    def feed(self, chunk: Any) -> list[Any]:
        """Return the JSON objects of the frames that ``chunk`` completes."""
        if self._buffer is None or not isinstance(chunk, bytes):
            return []
        try:
            self._buffer.add_data(chunk)
            return [json.loads(base64.b64decode(json.loads(frame.payload)["bytes"])) for frame in self._buffer]
        except Exception:  # an error is a frame of another form, and botocore has its own for what is no frame
            self._buffer = None
            return []

    def close(self) -> list[Any]:
        """Return nothing: half a frame says nothing."""
        return []
