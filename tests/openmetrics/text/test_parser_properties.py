import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ddtrace_litellm.openmetrics.text.memory import Memory
from ddtrace_litellm.openmetrics.text.parser import ParseError, parse
from tests.openmetrics.peers import OPENMETRICS, TEXT, ours, theirs

ODD = [*'\\"', "\n", "\r", "\x85", "\u2028", *"}{,=", " # ", ' le="1"', ',le="1', "Å", "漢", "\x00", "\U0001f600"]
NAMES = st.from_regex(r"[a-z_:][a-z0-9_:]{0,6}", fullmatch=True).filter(lambda name: not name.endswith("_"))
LABEL_NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,6}|[a-z]le", fullmatch=True).filter(
    lambda name: name not in {"le", "quantile"}
)
LABEL_VALUES = st.lists(st.sampled_from(ODD) | st.text(max_size=3), max_size=4).map("".join)
LABELS = st.dictionaries(LABEL_NAMES, LABEL_VALUES, max_size=4)
PLAIN_VALUES = st.text(st.characters(exclude_characters='\\"\n', codec="utf-8"), max_size=8)
COUNTS = st.integers(0, 10**6)
ANY = st.floats().map(repr) | st.integers(-(10**6), 10**6).map(str) | st.sampled_from(["+Inf", "-Inf", "NaN", "1e3"])
AMOUNTS = st.floats(0, 1e12).map(repr) | COUNTS.map(str)
SECONDS = st.integers(0, 2 * 10**12).map(lambda milliseconds: milliseconds / 1000)


def quoted(value):
    """Escape a label's value."""
    return '"' + value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") + '"'


def block(labels, *bound, at=0):
    """Write labels, a bound among them."""
    pairs = [f"{name}={quoted(value)}" for name, value in labels.items()]
    pairs[at:at] = bound
    return "{" + ",".join(pairs) + "}" if pairs else ""


@st.composite
def series(draw, name, kind, labels, strict):
    """Draw the lines of one series."""
    stamp = draw(st.none() | SECONDS)
    time = "" if stamp is None else f" {stamp}" if strict else f" {round(stamp * 1000)}"
    at = draw(st.integers(0, len(labels)))

    def exemplar():
        if not strict or not draw(st.booleans()):
            return ""
        pointed = draw(st.dictionaries(LABEL_NAMES, PLAIN_VALUES, max_size=2))
        when = draw(st.just("") | SECONDS.map(" {}".format))
        return f" # {block(pointed) or '{}'} {draw(ANY)}{when}"

    plain = block(labels)
    if kind == "counter":
        return [f"{name}_total{plain} {draw(AMOUNTS)}{time}{exemplar()}"]
    if kind == "gauge":
        return [f"{name}{plain} {draw(ANY)}{time}"]
    lines = []
    if kind == "summary":
        quantiles = draw(st.lists(st.sampled_from(["0", "0.5", "0.99", "1"]), unique=True))
        lines += [
            f"{name}{block(labels, f'quantile={quoted(quantile)}', at=at)} {draw(AMOUNTS)}{time}"
            for quantile in quantiles
        ]
        count = draw(COUNTS)
    else:
        bounds = sorted(draw(st.sets(st.floats(0, 1e5), max_size=4)))
        count = 0
        for bound in [*map(repr, bounds), "+Inf"]:
            count += draw(COUNTS)
            lines.append(f"{name}_bucket{block(labels, f'le={quoted(bound)}', at=at)} {count}{time}{exemplar()}")
    return [*lines, f"{name}_count{plain} {count}{time}", f"{name}_sum{plain} {draw(AMOUNTS)}{time}"]


@st.composite
def pages(draw, content_type):
    """Draw a page that the format allows."""
    strict = content_type is OPENMETRICS
    lines = []
    for number, name in enumerate(draw(st.lists(NAMES, max_size=4))):
        family, kind = f"{name}_{number}", draw(st.sampled_from(["counter", "gauge", "histogram", "summary"]))
        declared = family + "_total" if kind == "counter" and not strict else family
        if draw(st.booleans()):
            lines.append(f"# HELP {declared} {draw(PLAIN_VALUES)}")
        lines.append(f"# TYPE {declared} {kind}")
        children = draw(st.lists(LABELS, max_size=3, unique_by=lambda labels: tuple(sorted(labels.items()))))
        for labels in children:
            lines += draw(series(family, kind, labels, strict))
        if not strict and draw(st.booleans()):
            lines += draw(st.sampled_from([["", "# a comment"], ["other{} 1 "], ["  "]]))
    return "\n".join([*lines, "# EOF" if strict else "", ""])


def cut(page, places):
    """Cut a page's bytes, at characters' bytes too."""
    body = page.encode()
    ends = sorted({place % (len(body) + 1) for place in places})
    return [body[start:end] for start, end in zip([0, *ends], [*ends, len(body)], strict=True)]


CUTS = st.lists(st.integers(0, 10**6), max_size=5)
usual = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])


@usual
@given(pages(TEXT), CUTS)
def test_text_is_read_as_by_prometheus_client(page, places):
    """Any page in text 0.0.4, cut anywhere, gives the samples of prometheus_client, at first and from memory."""
    memory, expected = Memory(), theirs(page)
    assert ours(cut(page, places), memory=memory) == expected
    assert ours(page, memory=memory) == expected


@usual
@given(pages(OPENMETRICS), CUTS)
def test_openmetrics_is_read_as_by_prometheus_client(page, places):
    """Any page in OpenMetrics, cut anywhere, gives the samples of prometheus_client, at first and from memory."""
    memory, expected = Memory(), theirs(page, OPENMETRICS)
    assert ours(cut(page, places), OPENMETRICS, memory=memory) == expected
    assert ours(page, OPENMETRICS, memory=memory) == expected


@usual
@given(pages(OPENMETRICS), st.integers(0, 10**6))
def test_half_a_page_is_an_error(page, place):
    """A page in OpenMetrics that ends anywhere before its end is refused."""
    half = page.encode()[: place % (len(page.encode()) - 1)]
    with pytest.raises(ParseError):
        list(parse([half], OPENMETRICS))


@usual
@given(st.sampled_from([TEXT, OPENMETRICS]).flatmap(lambda kind: st.tuples(st.just(kind), pages(kind))), st.data())
def test_any_bytes_are_read_or_refused(drawn, data):
    """A page with one change is read or refused, and whether it is does not depend on what is remembered."""
    content_type, page = drawn
    body = bytearray(page.encode())
    place = data.draw(st.integers(0, len(body)))
    body[place : place + data.draw(st.integers(0, 2))] = data.draw(
        st.sampled_from([*'{}"\\,=# \n\r\t1', "le="])
    ).encode()
    memory = Memory()
    list(parse([page.encode()], content_type, memory))
    assert _outcome(body, content_type, memory) == _outcome(body, content_type, Memory())


@example("x 1 1_0\n")
@given(st.text())
@usual
def test_any_text_is_read_or_refused(text):
    """Nothing but a ParseError comes out of the parser, in both formats."""
    for content_type in (TEXT, OPENMETRICS):
        _outcome(text.encode(errors="surrogatepass"), content_type, Memory())


def _outcome(body, content_type, memory):
    try:
        return [*map(repr, parse([bytes(body)], content_type, memory))]  # as text, in which NaN equals itself
    except ParseError as error:
        return str(error)
