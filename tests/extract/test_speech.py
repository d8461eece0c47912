from typing import Any

import httpx
import pytest
from litellm.types.llms.openai import HttpxBinaryResponseContent

from ddtrace_litellm.extract.speech import read_input, read_response


def _asked(**arguments: Any) -> Any:
    return read_input(arguments).annotations["input_messages"]


def _said(response: Any, **arguments: Any) -> Any:
    return read_response(response, arguments).annotations["output_messages"]


def test_text_to_be_spoken():
    """The text, and how it is to be spoken, which is text of the caller's as well."""
    assert _asked(input="Good day") == [{"role": "user", "content": "Good day"}]
    assert _asked(input="Good day", instructions="Be cheerful") == [
        {"role": "system", "content": "Be cheerful"},
        {"role": "user", "content": "Good day"},
    ]


@pytest.mark.parametrize(("given", "content"), [(7, "7"), (["odd"], "['odd']"), (b"odd", "odd")], ids=repr)
def test_malformed_text_does_not_raise(given, content):
    """It is shown as it is."""
    assert _asked(input=given) == [{"role": "user", "content": content}]


class _Unread(httpx.SyncByteStream):
    def __iter__(self):
        raise AssertionError("the body was read")


def test_speech_is_not_read():
    """LiteLLM hands out a body that can be read once; what there is to say is the format."""
    response = HttpxBinaryResponseContent(httpx.Response(200, stream=_Unread()))
    assert _said(response) == [{"role": "assistant", "content": "[audio: mp3]"}]
    assert _said(response, response_format="wav") == [{"role": "assistant", "content": "[audio: wav]"}]
    assert not response.response.is_stream_consumed


def test_no_speech():
    """After an error there is no message."""
    assert _said(None) == []
