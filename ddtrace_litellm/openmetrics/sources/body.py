"""The body of an answer: decompressed, whole, and no larger than it may be."""

import zlib
from collections.abc import Iterator
from http.client import HTTPResponse, IncompleteRead
from urllib.parse import SplitResult

from ddtrace_litellm.openmetrics.sources.endpoint import Endpoint
from ddtrace_litellm.openmetrics.sources.failures import EmptyAnswerError, FetchError, in_words, where


def body(response: HTTPResponse, url: SplitResult, endpoint: Endpoint) -> Iterator[bytes]:
    """Yield the body as it comes.

    Raises:
        EmptyAnswerError: it has not a byte.
        FetchError: it is not whole, is not in the encoding that it says, or is too large.
    """
    compressed = response.headers.get("Content-Encoding", "").strip().lower() == "gzip"
    size = 0
    with in_words(url, endpoint):
        raw = _raw(response, endpoint.piece)
        for piece in _gunzip(raw, 2 * endpoint.piece) if compressed else raw:
            size += len(piece)
            if size > endpoint.largest_page:
                raise FetchError(f"{where(url)} has more than {endpoint.largest_page} bytes")
            yield piece
    if not size:
        hint = ": a name[] in it has to be a sample's name, with _total or _count" if "name[]" in url.query else ""
        raise EmptyAnswerError(f"{where(url)} is empty{hint}")


def _raw(response: HTTPResponse, at_most: int) -> Iterator[bytes]:
    # http.client itself notices an end that is too early only where the answer comes in chunks.
    expected, got = response.length, 0
    while piece := response.read(at_most):
        got += len(piece)
        yield piece
    if expected is not None and got < expected:
        raise IncompleteRead(b"", expected - got)


def _gunzip(pieces: Iterator[bytes], at_most: int) -> Iterator[bytes]:
    decompressor = zlib.decompressobj(wbits=31)
    for piece in pieces:
        pending = piece
        while pending and not decompressor.eof:
            if text := decompressor.decompress(pending, at_most):
                yield text
            pending = decompressor.unconsumed_tail
    if not decompressor.eof:
        raise IncompleteRead(b"")
