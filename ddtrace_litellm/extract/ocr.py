"""OCR: a document, and the text of its pages."""

from typing import Any

from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output
from ddtrace_litellm.extract.choices import message_of
from ddtrace_litellm.extract.content import Content, add_image
from ddtrace_litellm.extract.fields import field, fields_of, text_of
from ddtrace_litellm.extract.files import file_marker
from ddtrace_litellm.extract.plain import abridged

PARAMETERS = CALL_PARAMETERS | {"image_limit", "image_min_size", "include_image_base64", "pages"}


def read_input(arguments: Arguments) -> Input:
    """Read which document it is: an image is attached where it came as data; any other data is a marker."""
    document = fields_of(arguments.get("document"))
    content = Content()
    if image := document.get("image_url"):
        content.text = add_image(content, image)
    else:
        file = document.get("document_url") or document.get("file") or document.get("document_name")
        content.text = file_marker("document", file)
    return Input({"input_messages": [message_of("user", content)]})


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Read the Markdown of the pages, one message each, and last what the model filled the caller's schema with."""
    texts = [field(page, "markdown") for page in abridged(field(response, "pages"), "pages")]
    if annotation := field(response, "document_annotation"):
        texts.append(annotation)
    messages = [{"role": "assistant", "content": text_of(text)} for text in texts]
    pages_processed = field(field(response, "usage_info"), "pages_processed")
    billed_units = {"pages_processed": pages_processed} if pages_processed else {}
    return Output({"output_messages": messages}, billed_units=billed_units)


API = Api(
    name="ocr",
    kind="llm",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
)
