"""Metrics as the bodies of requests to Datadog's API, none of them larger than it takes."""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ddtrace_litellm.metrics.batch import Distribution, Record, ServiceCheck, Status
from ddtrace_litellm.metrics.sanitizing import host, merged, message, metric_name, tag

LARGEST = 5_242_880
"""Bytes of a body before compression."""
LARGEST_COMPRESSED = 512_000

_VALUES_OF_AN_ITEM = 10_000
_TYPES = {"count": 1, "gauge": 3}


class Kind(NamedTuple):
    """One kind of request.

    Attributes:
        path: where it goes.
        opening, closing: what is around its items.
        compressed: whether the body is.
        repeatable: whether it is harmless that it arrives twice. Of two points of a series with the same time the
            later one counts; the values of distributions are added.
        oldest: seconds after which its values are refused.
    """

    path: str
    opening: bytes
    closing: bytes
    compressed: bool
    repeatable: bool
    oldest: float


SERIES = Kind("/api/v2/series", b'{"series":[', b"]}", compressed=True, repeatable=True, oldest=3600.0)
DISTRIBUTIONS = SERIES._replace(path="/api/v1/distribution_points", repeatable=False)
CHECKS = Kind("/api/v1/check_run", b"[", b"]", compressed=False, repeatable=True, oldest=600.0)


class Payload(NamedTuple):
    """One request's body.

    Attributes:
        kind: of the request.
        body: as it is sent.
        values: how many items it has.
        at: the time of its values, seconds since 1970.
    """

    kind: Kind
    body: bytes
    values: int
    at: float


class Sender(NamedTuple):
    """Who sends: what is equal in everything.

    Attributes:
        hostname: of what has none of its own.
        tags: of everything, behind its own.
        interval: seconds between two pages.
    """

    hostname: str
    tags: tuple[str, ...]
    interval: int


def payloads(kind: Kind, items: Sequence[bytes], at: float) -> Iterator[Payload]:
    """Yield as few bodies as there can be. An item that is too large alone is left out.

    Args:
        kind: of the request.
        items: in JSON.
        at: the time of their values, seconds since 1970.
    """
    if sum(map(len, items)) + len(items) + len(kind.opening) < LARGEST:
        body = kind.opening + b",".join(items) + kind.closing
        body = zlib.compress(body) if kind.compressed else body
        if len(body) <= LARGEST_COMPRESSED:
            if items:
                yield Payload(kind, body, len(items), at)
            return
    if len(items) > 1:
        yield from _both(kind, items, at)


def halves(payload: Payload) -> list[Payload]:
    """Return the payload in two, as Datadog takes it for too large; nothing if it has one item only."""
    content = json.loads(zlib.decompress(payload.body) if payload.kind.compressed else payload.body)
    items = [_json(item) for item in (content if isinstance(content, list) else content["series"])]
    return [*_both(payload.kind, items, payload.at)] if len(items) > 1 else []


def _both(kind: Kind, items: Sequence[bytes], at: float) -> Iterator[Payload]:
    middle = len(items) // 2
    yield from payloads(kind, items[:middle], at)
    yield from payloads(kind, items[middle:], at)


def series(records: Iterable[Record], sender: Sender, at: int) -> list[bytes]:
    """Return counts and gauges."""
    kept = (
        Record(
            metric_name(each.name),
            each.type,
            each.value,
            tuple(dict.fromkeys((*map(tag, each.tags), *sender.tags))),
            each.unit,
            host(each.hostname) or sender.hostname,
        )
        for each in records
    )
    return [
        _json(
            {
                "metric": each.name,
                "type": _TYPES[each.type],
                "points": [{"timestamp": at, "value": each.value}],
                "tags": [*each.tags],
                "resources": [{"type": "host", "name": each.hostname}],
            }
            | ({"interval": sender.interval} if each.type == "count" else {})
            | ({"unit": each.unit} if each.unit else {})
        )
        for each in merged(kept)
    ]


def distributions(found: Iterable[Distribution], sender: Sender, at: int) -> list[bytes]:
    """Return distributions; each value is written as often as it was observed."""
    items = []
    for distribution in found:
        values = [value for value, times in distribution.points() for _ in range(times)]
        items += [
            _json(
                {
                    "metric": metric_name(distribution.name),
                    "type": "distribution",
                    "points": [[at, values[first : first + _VALUES_OF_AN_ITEM]]],
                    "tags": [*map(tag, distribution.tags), *sender.tags],
                    "host": host(distribution.hostname) or sender.hostname,
                }
            )
            for first in range(0, len(values), _VALUES_OF_AN_ITEM)
        ]
    return items


def checks(results: Iterable[ServiceCheck], sender: Sender, at: int) -> list[bytes]:
    """Return service checks; Datadog keeps no message of one that is ok."""
    return [
        _json(
            {
                "check": metric_name(result.name),
                "status": int(result.status),
                "tags": [*map(tag, result.tags), *sender.tags],
                "host_name": host(result.hostname) or sender.hostname,
                "timestamp": at,
            }
            | ({} if result.status is Status.OK else {"message": message(result.message)})
        )
        for result in results
    ]


def _json(item: dict[str, Any]) -> bytes:
    return json.dumps(item, separators=(",", ":")).encode()
