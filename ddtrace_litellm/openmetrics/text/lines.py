"""A page's bytes, as they come from the network, cut into batches of whole lines."""

from collections.abc import Iterable, Iterator

BATCH = 1 << 17
"""Bytes of a batch. Decoding or splitting a whole page at once would hold the interpreter's lock for 0.1 s and more."""
LONGEST_LINE = 1 << 20
"""Bytes. LiteLLM's lines have up to 1 kB; a label's value may be a header of a request, 64 kB at most."""


class LineTooLongError(ValueError):
    """The line behind the last batch is longer than ``LONGEST_LINE``."""


def whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    r"""Cut behind line feeds and nowhere else; only the last batch of a page may lack one at its end.

    No other character ends a line: label values hold ``\r``, U+0085 and U+2028 as they are.

    Raises:
        LineTooLongError: wherever the pieces were cut.
    """
    pending = bytearray()
    for piece in pieces:
        for start in range(0, len(piece), BATCH):
            before = len(pending)
            pending += piece[start : start + BATCH]
            if len(pending) < BATCH:
                continue
            # What already was as large as a batch has no line feed: a long line is searched once.
            end = pending.rfind(b"\n", before if before >= BATCH else 0) + 1
            _check_first(pending)
            if end:
                yield bytes(pending[:end])
                del pending[:end]
    if pending:
        yield bytes(pending)


def _check_first(pending: bytearray) -> None:
    """Refuse a long line; only the first can be one, what comes behind it is shorter than a batch."""
    if len(pending) > LONGEST_LINE and not 0 <= pending.find(b"\n") <= LONGEST_LINE:
        raise LineTooLongError
