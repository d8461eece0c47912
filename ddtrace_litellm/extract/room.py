"""What an event has room for: contents that are too large are cut, before ddtrace or Datadog drops the whole of them.

ddtrace (4.8 to 4.16) blanks input and output of an event over 5 MB, and drops a trace over 20 MB, over 10 MB without an
Agent.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ddtrace_litellm.extract.content import ATTACHMENTS, with_attachments_up_to
from ddtrace_litellm.extract.plain import SHORT, clip

EVENT_BYTES = 4_000_000
"""What texts and attachments of an event take as JSON, at most; names, numbers and short texts come on top."""
ATTACHED_TO_EVENT = 3_500_000
"""Characters of all attachments of an event, at most."""
ATTACHED_TO_TRACE = 6_000_000
"""Characters of all attachments of a trace, at most: they leave room for a conversation that each call sends again."""

_LONGEST_ESCAPE = 12  # of an emoji: two \uXXXX
_SHORT_ESCAPES = b'"\\\b\f\n\r\t'
_CONTROL = bytes([*range(32), 127])
_MESSAGES = ("output_messages", "input_messages")


def attached(annotations: Mapping[str, Any]) -> int:
    """Return the characters of all attachments."""
    return sum(
        len(part["content"])
        for name in _MESSAGES
        for message in annotations.get(name, ())
        for kind in ATTACHMENTS
        if kind in message
        for part in message[kind]
    )


def with_attachments_that_fit(
    annotations: Mapping[str, Any], text_chars: int, taken: int
) -> tuple[dict[str, Any], int]:
    """Return the annotations with the attachments that there is room for, the latest first, and markers of the others.

    Args:
        annotations: of one event.
        text_chars: characters of the texts in them, which go before.
        taken: characters of the attachments that the trace has already.

    Returns:
        The annotations, and the characters of the attachments in them.
    """
    free = room = max(min(ATTACHED_TO_EVENT, EVENT_BYTES - text_chars, ATTACHED_TO_TRACE - taken), 0)
    found = dict(annotations)
    for name in _MESSAGES:
        fitting = []
        for message in reversed(annotations.get(name, ())):
            said, room = with_attachments_up_to(message, room)
            fitting.append(said)
        if fitting:
            found[name] = fitting[::-1]
    return found, free - room


def with_texts_that_fit(annotations: dict[str, Any], text_chars: int, attached: int) -> dict[str, Any]:
    """Return the annotations, the longest texts cut where all together are more than an event holds.

    Args:
        annotations: plain values.
        text_chars: characters of the texts in them.
        attached: characters of the attachments in them.
    """
    room = EVENT_BYTES - attached
    if text_chars * _LONGEST_ESCAPE <= room:
        return annotations
    texts = [text for name, value in annotations.items() for text in _texts(value, name)]
    kept = _fitting(texts, room)
    cut = {text: clip(text, size) for text, size in zip(texts, kept, strict=True) if size < len(text)}
    return {name: _replaced(value, name, cut) for name, value in annotations.items()} if cut else annotations


def _texts(value: Any, name: str) -> Iterator[str]:
    if type(value) is str:
        if len(value) > SHORT:
            yield value
    elif type(value) is dict:
        for key, item in value.items():
            yield from _texts(item, key)
    elif type(value) is list and name not in ATTACHMENTS:
        for item in value:
            yield from _texts(item, name)


def _replaced(value: Any, name: str, cut: Mapping[str, str]) -> Any:
    if type(value) is str:
        return cut.get(value, value)
    if type(value) is dict:
        return {key: _replaced(item, key, cut) for key, item in value.items()}
    return [_replaced(item, name, cut) for item in value] if type(value) is list and name not in ATTACHMENTS else value


def _fitting(texts: list[str], room: int) -> list[int]:
    """Return how many characters of each text fit: short ones whole, of the others as much of each."""
    kept = list(map(len, texts))
    sizes = kept  # at least; this bounds what is measured below
    while (share := _share(sizes, room)) is not None or sizes is kept:
        if share is not None:
            kept = [count * share // size if size > share else count for count, size in zip(kept, sizes, strict=True)]
        sizes = [_json_size(text[:count]) for text, count in zip(texts, kept, strict=True)]
    return kept


def _json_size(text: str) -> int:
    """Return the bytes that a text takes as JSON in ASCII, which is what ddtrace measures; a tenth of writing it."""
    plain = text.encode("ascii", "ignore")
    others = len(text.encode("utf-16-le")) // 2 - len(plain)
    unescaped = plain.translate(None, _SHORT_ESCAPES)
    control = len(unescaped) - len(unescaped.translate(None, _CONTROL))
    return 2 * len(plain) - len(unescaped) + 5 * control + 6 * others


def _share(sizes: Iterable[int], room: int) -> int | None:
    """Return what each may take at most for all to fit; ``None`` where they do."""
    ordered = sorted(sizes)
    for number, size in enumerate(ordered):
        share = room // (len(ordered) - number)
        if size > share:
            return share
        room -= size
    return None
