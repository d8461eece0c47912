import subprocess
import sys
from pathlib import Path
from time import process_time

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

import ddtrace_litellm
from ddtrace_litellm.openmetrics.samples import Sample
from ddtrace_litellm.openmetrics.text.lines import BATCH, LONGEST_LINE, whole_lines
from ddtrace_litellm.openmetrics.text.memory import Memo, Memory
from ddtrace_litellm.openmetrics.text.parser import IncompletePageError, ParseError, is_openmetrics, parse
from tests.openmetrics.measured import FOLDER, PAGES, needs_data
from tests.openmetrics.peers import OPENMETRICS, ours, theirs

ROOT = Path(ddtrace_litellm.__file__).parents[1]


def pieces(text, size):
    """Cut a page as a network does."""
    body = text.encode()
    return [body[start : start + size] for start in range(0, len(body), size)]


class Families:
    """A collector of the families on a text page; the times of creation, which would clash, are left out."""

    def __init__(self, text):
        self._families = [f for f in text_string_to_metric_families(text) if not f.name.endswith("_created")]

    def collect(self):
        return self._families


@needs_data
@pytest.mark.parametrize("name", PAGES)
class TestLiteLLMsPages:
    """Whole pages of real proxies."""

    def test_text_page_is_read_as_by_prometheus_client(self, name):
        """Every sample of a real page has the family, type, labels and value that prometheus_client reads."""
        page = (FOLDER / name).read_text(encoding="utf-8")
        assert ours(page) == theirs(page) != []

    def test_openmetrics_page_is_read_as_by_prometheus_client(self, name):
        """The same families in the other format, as prometheus_client writes them, are read like that too."""
        registry = CollectorRegistry()
        registry.register(Families((FOLDER / name).read_text(encoding="utf-8")))
        page = generate_latest(registry).decode()
        assert ours(page, OPENMETRICS) == theirs(page, OPENMETRICS) != []

    def test_memory_of_the_page_before_changes_nothing(self, name):
        """A page that is remembered is read as it was at first."""
        page, memory = (FOLDER / name).read_text(encoding="utf-8"), Memory()
        assert ours(page, memory=memory) == ours(page, memory=memory)

    @pytest.mark.parametrize("size", [7, 1448, 1 << 16, 1 << 30])
    def test_pieces_of_any_size_make_the_same_page(self, name, size):
        """Where the network cuts the page makes no difference."""
        page = (FOLDER / name).read_text(encoding="utf-8")
        assert ours(pieces(page, size)) == ours(page)


def test_sample_of_each_kind():
    """Family, type, suffix, series and bound of each kind of sample are told apart."""
    page = (
        "# TYPE c counter\n"
        'c_total{a="x"} 3.0 12.5 # {trace_id="7"} 0.5 11\n'
        'c_created{a="x"} 1.7e9 12.5\n'
        "# TYPE h histogram\n"
        'h_bucket{a="x",le="0.5",z="y"} 1\n'
        'h_bucket{a="x",le="+Inf",z="y"} 2\n'
        'h_count{a="x",z="y"} 2\n'
        'h_sum{a="x",z="y"} 0.75\n'
        "# TYPE s summary\n"
        's{quantile="0.9"} 4\n'
        "# TYPE i info\n"
        'i_info{version="1"} 1\n'
        "bare 1\n"
        "# EOF\n"
    )
    series = (("a", "x"), ("z", "y"))
    assert list(parse([page.encode()], OPENMETRICS)) == [
        Sample("c", "counter", "", (("a", "x"),), "", 3.0),
        Sample("c", "counter", "_created", (("a", "x"),), "", 1.7e9),
        Sample("h", "histogram", "_bucket", series, "0.5", 1.0),
        Sample("h", "histogram", "_bucket", series, "+Inf", 2.0),
        Sample("h", "histogram", "_count", series, "", 2.0),
        Sample("h", "histogram", "_sum", series, "", 0.75),
        Sample("s", "summary", "", (), "0.9", 4.0),
        Sample("i", "info", "_info", (("version", "1"),), "", 1.0),
        Sample("bare", "unknown", "", (), "", 1.0),
    ]


HISTOGRAM = '# TYPE h histogram\nh_bucket{le="1.0"} 1.0\nh_bucket{le="+Inf"} 2.0\nh_count 2.0\nh_sum 3.0\n'


class TestErrors:
    """What is said of a page that cannot be read."""

    def test_names_line_and_text(self):
        """The message has the number of the line and what is wrong, not the text: whatever it is, it was sent to us."""
        with pytest.raises(ParseError, match=r"^line 3 of the metrics page: it cannot be read$") as error:
            ours("# TYPE x gauge\nx 1\nx many\nx 2\n")
        assert error.value.line == 3

    @pytest.mark.parametrize(
        "line",
        [
            'x{a="sk-secret"} many',
            "x sk-secret",
            "# TYPE x sk-secret",
            "# TYPE sk-secret counter",
            'x{__sk_secret="a"} 1',
            'x{sk_secret="a",sk_secret="b"} 1',
            "sk-secret",
        ],
    )
    def test_shows_nothing_of_the_page(self, line):
        """Whoever answers there may have sent anything, a key as well."""
        with pytest.raises(ParseError) as error:
            ours(f"x 1\n{line}\n")
        assert "secret" not in str(error.value)
        assert len(str(error.value)) < 120

    @pytest.mark.parametrize("size", [1000, BATCH, 1 << 30])
    def test_line_counts_over_all_pieces(self, size):
        """The number is right on a page of many pieces."""
        with pytest.raises(ParseError, match=r"^line 50001 "):
            ours(pieces('x{a="b"} 1\n' * 50_000 + "oops\n", size))

    def test_not_utf8(self):
        """Bytes that are no UTF-8 are an error of their line."""
        with pytest.raises(ParseError, match=r"^line 2 of the metrics page: it is not UTF-8"):
            ours([b'x 1\nx{a="\xc5ngstr\xf6m"} 1\n'])

    @pytest.mark.parametrize("size", [1448, 1 << 16, 1 << 30])
    def test_line_of_16_megabytes(self, size):
        """A line without an end is given up at its bound, however it comes."""
        with pytest.raises(ParseError, match=r"^line 2 of the metrics page: it is longer than 1048576 bytes$"):
            ours(pieces("x 1\n" + "x" * (1 << 24), size))

    @pytest.mark.parametrize("size", [1 << 10, 1 << 16, 1 << 30])
    def test_longest_line(self, size):
        """The bound is exact wherever the pieces are cut: a line that long is read, one byte more is not."""
        line = 'x{a="' + "b" * (LONGEST_LINE - len('x{a=""} 1')) + '"} 1\n'
        page = "y 1\n" * 3 + line + "y 2\n"
        assert len(ours(pieces(page, size))) == 5
        with pytest.raises(ParseError, match=r"^line 4 "):
            ours(pieces(page.replace("x{", "xx{"), size))

    def test_long_line_costs_one_search(self):
        """Small pieces of a long line are not searched again with each piece, which would be quadratic."""
        start = process_time()
        assert sum(map(len, whole_lines(b"x" for _ in range(LONGEST_LINE)))) == LONGEST_LINE
        assert process_time() - start < 4

    @pytest.mark.parametrize("end", ["", "# EO", "x 1\n", 'x{a="'])
    def test_openmetrics_without_its_end(self, end):
        """A page in OpenMetrics that stops early is an error, though its samples went out."""
        samples = parse([b"y 1\n", end.encode()], OPENMETRICS)
        assert next(samples).family == "y"
        with pytest.raises(ParseError):
            list(samples)

    def test_openmetrics_cut_between_lines(self):
        """Where whole lines are missing at the end, the error says so."""
        with pytest.raises(IncompletePageError, match=r"^line 1 .* it is the last, and it is not # EOF"):
            ours("y 1\n", OPENMETRICS)

    def test_text_cut_within_a_value(self):
        """A text page that stops within a line is an error, though the line could be read."""
        with pytest.raises(IncompletePageError, match=r"^line 2 .*no line feed ends it$"):
            ours("x 1\nx 12")

    def test_end_without_a_line_feed(self):
        """The last line of OpenMetrics needs none."""
        assert len(ours("x 1\n# EOF", OPENMETRICS)) == 1


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores", True),
        ("Application/OpenMetrics-Text", True),
        ("text/plain; version=0.0.4", False),
        ("text/plain;version=1.0.0", False),
        ("", False),
    ],
)
def test_content_type(content_type, expected):
    """The media type alone decides which format it is."""
    assert is_openmetrics(content_type) is expected


class TestMemory:
    """What is kept, and how much of it."""

    def test_equal_labels_are_one_object(self):
        """Samples of one series share their labels, on one page and from page to page, buckets included."""
        memory = Memory()
        page = [HISTOGRAM.replace("{", '{a="b",').replace("h_count", 'h_count{a="b"}').encode()]
        first, second = list(parse(page, memory=memory)), list(parse(page, memory=memory))
        assert len({id(sample.labels) for sample in first[:3] + second[:3]}) == 1

    def test_page_ends_a_generation(self):
        """Labels that two pages did not have are forgotten."""
        memory = Memory()
        for body in (b'# TYPE x gauge\nx{a="b"} 1\n', b"# TYPE x gauge\nx{} 1\n", b"# TYPE x gauge\nx{} 1\n"):
            list(parse([body], memory=memory))
        assert [*memory.blocks, *memory.blocks._older] == ["{"]

    def test_value_unused_for_a_generation_is_forgotten(self):
        """A value survives one generation in which nobody asked for it, not two."""
        made = []
        memo = Memo(lambda text: made.append(text) or text.upper(), 1000)
        assert memo["a"] == memo["a"] == "A"
        memo.age()
        assert memo["a"] == "A"
        memo.age()
        memo.age()
        assert memo["a"] == "A"
        assert made == ["a", "a"]

    def test_generation_has_a_limit(self):
        """However many texts there are, two generations of the limit are kept."""
        memo = Memo(len, 10_000)
        assert all(memo[str(number)] for number in range(10_000))
        assert len(memo) + len(memo._older) <= 200

    def test_failure_is_not_kept(self):
        """A text that the function refuses is refused each time."""
        memo = Memo(float, 1000)
        for _ in range(2):
            with pytest.raises(ValueError, match=r"could not convert"):
                memo["x"]
        assert not memo

    def test_is_flat(self):
        """A page of 50 MB with 2,000 series of 18 buckets, each in five families, needs a few megabytes."""
        program = """
from ddtrace_litellm.openmetrics.text.parser import parse
def page(series):
    for family in range(5):
        yield b"# TYPE h%d histogram\\n" % family
        for number in range(series):
            labels = b'alias="%d",key="%064d",le="%%d",model="%s",user="user-%d"' % (number, number, b"m" * 150, number)
            yield b"".join(b"h%d_bucket{%s} %d\\n" % (family, labels % bound, bound) for bound in range(18))
def peak():
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
for sample in parse(page(20)): pass
before = peak()
print(sum(map(len, page(2000))), sum(1 for sample in parse(page(2000))), peak() - before)
"""
        if not Path("/proc/self/status").exists():
            pytest.skip("the peak is read from /proc")
        command = [sys.executable, "-S", "-c", program]
        run = subprocess.run(command, check=True, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)})
        length, samples, kilobytes = map(int, run.stdout.split())
        assert length > 50_000_000
        assert samples == 5 * 2000 * 18
        assert kilobytes < 8_000


def test_batches_are_small():
    """No batch of lines is larger than the bound that keeps the interpreter's lock free, however large the piece."""
    body = b'x{a="b"} 1\n' * 100_000
    batches = list(whole_lines([body]))
    assert b"".join(batches) == body
    assert max(map(len, batches)) < 2 * BATCH
    assert all(batch.endswith(b"\n") for batch in batches)


def test_imports_the_standard_library_only():
    """The parser runs where nothing is installed."""
    program = (
        "import sys, ddtrace_litellm.openmetrics.text.parser;"
        "print({m.partition('.')[0] for m in sys.modules} - sys.stdlib_module_names - {'__main__', 'ddtrace_litellm'})"
    )
    command = [sys.executable, "-S", "-c", program]
    run = subprocess.run(command, check=True, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)})
    assert run.stdout.strip() == "set()"
