import sys

import pytest

from ddtrace_litellm.openmetrics.text.parser import ParseError, parse
from tests.openmetrics.peers import OPENMETRICS, ours, outcome, theirs

HISTOGRAM = '# TYPE h histogram\nh_bucket{le="1.0"} 1.0\nh_bucket{le="+Inf"} 2.0\nh_count 2.0\nh_sum 3.0\n'

NUMBERS = ("Inf", "+Inf", "-Inf", "NaN", "nan", "1e3", "1E-3", "-0", "+5", ".5", "5.", "infinity")

READ_IN_TEXT = {
    "names that are none": '1x{a="b"} 1\na b{c="d"} 1\na-b{c="d"} 1\n',
    "empty terms": 'x{=} 1\nx{a="b", ,c="d"} 1\n',
    "carriage return behind a name": "x\r 1\n",
    "counter": "# TYPE x_total counter\nx_total 1\n",
    "counter without its suffix": "# TYPE x counter\nx 1\n",
    "counter declared without its suffix": "# TYPE x counter\nx_total 1\n",
    "times of creation": "# TYPE x_total counter\nx_total 1\n# TYPE x_created gauge\nx_created 1.7e9\n",
    "interleaved families": "# TYPE x gauge\nx 1\ny 2\nx 3\n",
    "help only": "# HELP x It has\nx 1\ny 2\n",
    "help behind type": "# TYPE x gauge\n# HELP x It has\nx 1\n",
    "untyped": "# TYPE x untyped\nx 1\n",
    "name of a family alone in a histogram": HISTOGRAM + "h 1\nh_count 3\n",
    "blank lines, comments, help without text": "\n# a comment\n# TYPE\tx gauge\n#\n# HELP x\n\nx 1\n",
    "space everywhere": '  x{ a = "b" , c="d" , }  1  2 \n\tx\t1\t2\nx {a="b"}1\n',
    "comma in front": 'x{,a="b"} 1\nx{,} 2\n',
    "carriage return": 'x 1\r\nx{a="b"} 1\r\n',
    "characters that end lines elsewhere": 'x{a="1\r2\x853\u20284\u20295\x0b6\x0c7\x1c8\x1d9\x1e0"} 1\n',
    "empty labels": "x{} 1\n",
    "numbers": "".join(f'x{{a="b"}} {number}\n' for number in NUMBERS),
    "time stamps": "x 1 1700000000000\nx 1 -5\nx 1 2 3\nx 1 # {} 2 7\n",
    "escapes": r'x{a="\\ \" \n \x \\\" \\n"} 1' + "\n",
    "label values like syntax": 'x{a="} 1 # {b=",c=",le=",d="{\\"}"} 1\n',
    "quoted names": '# TYPE "x.y" gauge\n{"x.y",a="b"} 1\n{a="b","x.z"} 2\n{"x"} 3\nx{"a.b"="c"} 1\n',
    "labels with the name": '{__name__="x",a="b"} 1\n',
    "duplicate series": 'x{a="b"} 1\nx{a="b"} 2\n',
    "histogram that is not whole": '# TYPE h histogram\nh_bucket{le="2"} 5\nh_bucket{le="1"} 6\nh_bucket 7\n',
    "bound anywhere": "# TYPE h histogram\n"
    'h_bucket{le="1"} 1\nh_bucket{le="2",a="b"} 1\nh_bucket{a="b",le="1"} 1\nh_bucket{a="b",le="1",c="d"} 1\n',
    "labels behind the bound": "# TYPE h histogram\n"
    'h_bucket{a="b",le="1",c="d"} 1\nh_bucket{a="b",le="1",c="e"} 1\nh_bucket{a="b",le="2",c="e"} 1\n',
    "buckets around the count": "# TYPE h histogram\n"
    'h_bucket{a="b",le="1"} 1\nh_count{a="b"} 2\nh_bucket{a="b",le="2"} 1\n',
    "bucket behind another family": '# TYPE h histogram\nh_bucket{le="1"} 1\nother 1\nh_bucket{le="2"} 1\n',
    "bound that is no number": '# TYPE h histogram\nh_bucket{a="b",le="x"} 1\n',
    "labels like the bound": '# TYPE h histogram\nh_bucket{a=",le=",b=",c",le="1",role="2"} 1\n'
    'h_bucket{role="2",le="1"} 1\nh_bucket{a="{le=\\"3",le="1"} 1\nh_bucket{quantile="1",le="2"} 1\n',
    "bound of another type": 'x_bucket{le="1",a="b"} 1\n# TYPE y gauge\ny{le="1",quantile="2"} 1\n',
    "summary": '# TYPE s summary\ns{quantile="0.5",a="b"} 1\ns 1\ns_sum{a="b"} 1\ns_count{a="b"} 1\n',
    "nothing": "",
}  # fmt: skip
REFUSED_IN_TEXT = {
    "underscore in a number": "x 1_000\n",
    "hexadecimal number": "x 0x10\n",
    "no value": "x\n",
    "no value behind labels": 'x{a="b"}\n',
    "unclosed quote": 'x{a="b} 1\n',
    "unclosed labels": 'x{a="b" 1\n',
    "escaped quote at the end": 'x{a="b\\"} 1\n',
    "label twice": 'x{a="b",a="c"} 1\n',
    "labels opened twice": '# TYPE s summary\ns{a="b"{quantile="1"} 1\n',
    "bound twice": '# TYPE h histogram\nh_bucket{le="1",a="b",le="2"} 1\n',
    "label twice in a known family": '# TYPE x gauge\nx{a="b",a="c"} 1\n',
    "reserved label in a known family": '# TYPE x gauge\nx{__a="b"} 1\n',
    "bound cut out of a value": '# TYPE h histogram\nh_bucket{a=",le="1",b="} 1\n',
    "bound with an escaped quote": '# TYPE h histogram\nh_bucket{le="\\",z="1"} 1\n',
    "second bound with an escaped quote": '# TYPE h histogram\nh_bucket{le="1",z="1"} 1\nh_bucket{le="\\",z="1"} 1\n',
    "counter without a name": "# TYPE _total counter\n_total 1\n",
    "two commas": 'x{a="b",,c="d"} 1\n',
    "label without quotes": "x{a=b} 1\n",
    "label without value": "x{a} 1\n",
    "label name that is none": 'x{a.b="c"} 1\n',
    "reserved label": 'x{__a="b"} 1\n',
    "name twice": '{"x","y"} 1\nx{__name__="y"} 1\n',
    "labels without a name": '{a="b"} 1\n',
    "type that is none": "# TYPE x meter\n",
    "type missing": "# TYPE x\n",
    "type of nothing": "# TYPE\n",
    "help of a name that is none": "# HELP 1x text\n",
    "web page": "<html>\n",
    "JSON": '{"error": "no key"}\n',
}
READ_IN_OPENMETRICS = {
    "two spaces in a type's line": "# TYPE  x gauge\nx 1\n",
    "space in front of labels": '# TYPE "x " gauge\nx {a="b"} 1\n',
    "bound NaN in lower case": '# TYPE h histogram\nh_bucket{le="nan"} 1\nh_bucket{le="+Inf"} 1\n',
    "counter": '# TYPE x counter\nx_total{a="b"} 1\nx_created{a="b"} 1.7e9\n',
    "histogram": HISTOGRAM,
    "two series, labels in another order": "# TYPE h histogram\n"
    'h_bucket{a="b",le="1.0",c="d"} 1\nh_bucket{c="d",a="b",le="+Inf"} 1\nh_bucket{a="e",le="+Inf"} 1\n',
    "negative bounds in the series before": "# TYPE h histogram\n"
    'h_bucket{a="b",le="-1"} 1\nh_bucket{a="b",le="+Inf"} 1\n'
    'h_bucket{a="c",le="+Inf"} 1\nh_count{a="c"} 1\nh_sum{a="c"} 1\n',
    "gauge histogram": '# TYPE h gaugehistogram\nh_bucket{le="-1"} 1\nh_bucket{le="+Inf"} 2\nh_gcount 2\nh_gsum -3\n',
    "summary": '# TYPE s summary\ns{quantile="0.5"} NaN\ns{quantile="1"} 1\ns_count 1\ns_sum 2\n',
    "unit": "# TYPE x_seconds gauge\n# UNIT x_seconds seconds\n# HELP x_seconds Text\nx_seconds 1\n",
    "empty help": "# HELP x \nx 1\n",
    "information and states": '# TYPE i info\ni_info{a="b"} 1\ni_info{a="c"} 1\n'
    '# TYPE s stateset\ns{s="on"} 1\ns{s="off"} 0\n',
    "information of two times": '# TYPE i info\ni_info{a="b"} 1 5\ni_info{a="c"} 1 4\n',
    "numbers": "".join(f"x{rank} {number}\n" for rank, number in enumerate(NUMBERS)),
    "space in labels": 'x{ a = "b" , c="d" } 1\n',
    "empty labels": "x{} 1\n",
    "time stamps": "x 1 12\nx 2 12.5\ny 3 1e3\n",
    "exemplars": '# TYPE x counter\nx_total 1 # {} 2\nx_created 5\n# TYPE h histogram\n'
    'h_bucket{le="1.0"} 1 # {a="} # {",b="c"} 0.5 12.25\nh_bucket{le="2.0"} 1 # {a="b"} 1 8\n'
    'h_bucket{le="+Inf"} 2\n',
    "characters that end lines elsewhere": 'x{a="1\r2\x853\u20284\u20295\x0b6"} 1\n',
    "escapes": r'x{a="\\ \" \n \x \\\" \\n"} 1' + "\n",
    "quoted names": '# TYPE "x.y" gauge\n{"x.y",a="b"} 1\n{a="c","x.y"} 1\n{"x"} 1\n',
    "bound anywhere": "# TYPE h histogram\n"
    + "".join(f"h_bucket{{{labels}}} 1\n" for labels in ('le="1",a="b"', 'a="b",le="+Inf"', 'c="d",le="+Inf",e="f"')),
    "nothing": "",
}  # fmt: skip
REFUSED_IN_OPENMETRICS = {
    "underscore in a number": "x 1_000\n",
    "hexadecimal number": "x 0x10\n",
    "no value": "x\n",
    "unclosed quote": 'x{a="b} 1\n',
    "label twice": 'x{a="b",a="c"} 1\n',
    "exemplar without a value": '# TYPE x counter\nx_total 1 # {a="b"}\n',
    "text behind the end": "# EOF\nx 1\n",
}  # fmt: skip
AGAINST_A_RULE_OF_OPENMETRICS = {
    "counter declared with its suffix": "# TYPE x_total counter\nx_total 1\n",
    "counter without its suffix": "# TYPE x counter\nx 1\n",
    "interleaved families": "# TYPE x gauge\nx 1\ny 2\nx 3\n",
    "family of a counter's sample": "# TYPE x counter\nx_total 1\n# TYPE x_created gauge\nx_created 1\n",
    "type behind samples": "x 1\n# TYPE x gauge\n",
    "two types": "# TYPE x gauge\n# TYPE x gauge\nx 1\n",
    "untyped": "# TYPE x untyped\nx 1\n",
    "unit that is not in the name": "# TYPE x gauge\n# UNIT x seconds\nx 1\n",
    "unit of an information": "# TYPE x_s info\n# UNIT x_s s\nx_s_info 1\n",
    "blank line": "\nx 1\n",
    "comment": "# a comment\nx 1\n",
    "help without text": "# HELP x\nx 1\n",
    "leading space": " x 1\n",
    "space behind the value": "x 1 \n",
    "no space behind labels": 'x{a="b"}1\n',
    "two spaces": "x  1\n",
    "comma at the end of labels": 'x{a="b",} 1\n',
    "comma in front": 'x{,a="b"} 1\n',
    "carriage return": "x 1\r\n",
    "quoted name without a type": '{"x.y"} 1\n',
    "name that is none": 'a b{c="d"} 1\n',
    "time stamp that is none": "x 1 NaN\n",
    "time stamps that run backwards": "x 1 5\nx 1 4\n",
    "only one time stamp": "x 1 5\nx 1\n",
    "NaN in a counter": "# TYPE x counter\nx_total NaN\n",
    "negative counter": '# TYPE x counter\nx_total{a="b"} -1\n',
    "negative sum": HISTOGRAM.replace("3.0", "-3.0"),
    "NaN in a sum": HISTOGRAM.replace("3.0", "NaN"),
    "half an observation": HISTOGRAM.replace('1.0"} 1.0', '1.0"} 1.5'),
    "bucket without bound": HISTOGRAM.replace('{le="1.0"}', ""),
    "bound that is no number": HISTOGRAM.replace('"1.0"', '"x"'),
    "bound NaN": HISTOGRAM.replace('"1.0"', '"NaN"'),
    "infinity without its sign": HISTOGRAM.replace("+Inf", "Inf"),
    "no +Inf bucket": HISTOGRAM.replace('h_bucket{le="+Inf"} 2.0\n', ""),
    "count differs from +Inf": HISTOGRAM.replace("h_count 2.0", "h_count 3.0"),
    "count without sum": HISTOGRAM.replace("h_sum 3.0\n", ""),
    "sum without count": HISTOGRAM.replace("h_count 2.0\n", ""),
    "sum with negative bounds": HISTOGRAM.replace('"1.0"', '"-1.0"'),
    "negative sum without negative bounds": HISTOGRAM.replace("histogram", "gaugehistogram")
    .replace("_count", "_gcount")
    .replace("_sum 3.0", "_gsum -3.0"),
    "bounds that fall": '# TYPE h histogram\nh_bucket{le="2"} 1\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\n',
    "buckets that fall": '# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\n',
    "quantile above 1": '# TYPE s summary\ns{quantile="2"} 1\n',
    "no quantile": "# TYPE s summary\ns 1\n",
    "negative quantile": '# TYPE s summary\ns{quantile="0.5"} -1\n',
    "state beyond 0 and 1": '# TYPE s stateset\ns{s="on"} 2\n',
    "state without its label": '# TYPE s stateset\ns{a="on"} 1\n',
    "information of 2": "# TYPE i info\ni_info 2\n",
    "exemplar of a gauge": '# TYPE x gauge\nx 1 # {a="b"} 1\n',
    "exemplar of a sum": HISTOGRAM.replace("3.0", '3.0 # {a="b"} 1'),
    "exemplar that is too long": f'# TYPE x counter\nx_total 1 # {{a="{"b" * 128}"}} 1\n',
    "exemplar without labels": "# TYPE x counter\nx_total 1 # 1\n",
    "exemplar with text behind its labels": '# TYPE x counter\nx_total 1 # {a="b"}} 1\n',
    "exemplar with half a label": "# TYPE x counter\nx_total 1 # {a} 1\n",
}  # fmt: skip
TWICE_IN_OPENMETRICS = {
    "duplicate series": '# TYPE x counter\nx_total{a="b"} 1\nx_total{a="b"} 2\nx_created{a="b"} 3\n',
    "duplicate sum": HISTOGRAM + "h_sum 4.0\n",
    "duplicate bucket": HISTOGRAM.replace('h_bucket{le="1.0"} 1.0\n', 'h_bucket{le="1.0"} 1.0\n' * 2),
    "duplicates at a second time": "x 1 1\nx 2 2\nx 3 2\n",
}  # fmt: skip


def cases(forms):
    """Run a test on each of the pages, under its name."""
    return pytest.mark.parametrize("page", [pytest.param(page, id=name) for name, page in forms.items()])


class TestForms:
    """What prometheus_client reads or refuses, and we with it."""

    @cases(READ_IN_TEXT)
    def test_text_is_read_as_by_prometheus_client(self, page):
        """A form of the text format that prometheus_client reads gives the same samples."""
        assert ours(page) == theirs(page)

    @cases(REFUSED_IN_TEXT)
    def test_text_is_refused_as_by_prometheus_client(self, page):
        """A form of the text format that prometheus_client refuses is an error with a line's number."""
        assert outcome(theirs, page) == "refused"
        with pytest.raises(ParseError, match=r"^line \d+ of the metrics page: "):
            ours(page)

    @cases(READ_IN_OPENMETRICS)
    def test_openmetrics_is_read_as_by_prometheus_client(self, page):
        """A form of OpenMetrics that prometheus_client reads gives the same samples."""
        assert ours(page + "# EOF\n", OPENMETRICS) == theirs(page + "# EOF\n", OPENMETRICS)

    @cases(REFUSED_IN_OPENMETRICS)
    def test_openmetrics_is_refused_as_by_prometheus_client(self, page):
        """A form of OpenMetrics that prometheus_client refuses is an error with a line's number."""
        page += "# EOF\n"
        assert outcome(theirs, page, OPENMETRICS) == "refused"
        with pytest.raises(ParseError, match=r"^line \d+ of the metrics page: "):
            ours(page, OPENMETRICS)


NATIVE = (
    "{count:24,sum:100,schema:0,zero_threshold:0.001,zero_count:4,"
    "positive_spans:[0:2,1:2],negative_spans:[0:2,1:2],positive_deltas:[2,1,-2,3],negative_deltas:[2,1,-2,3]}"
)


class TestDeliberateDifferences:
    """The list in the parser's docstring, entry by entry."""

    @cases(AGAINST_A_RULE_OF_OPENMETRICS)
    def test_rules_beyond_the_form_of_a_line(self, page):
        """A page that prometheus_client refuses for more than a line's form is read, every sample of it."""
        assert outcome(theirs, page + "# EOF\n", OPENMETRICS) == "refused"
        samples = [line for line in page.split("\n") if line and line[0] != "#"]
        assert len(ours(page + "# EOF\n", OPENMETRICS)) == len(samples)

    @cases(TWICE_IN_OPENMETRICS)
    def test_series_that_comes_twice(self, page):
        """What prometheus_client reads is read, and the second value of a series as well."""
        read, expected = ours(page + "# EOF\n", OPENMETRICS), theirs(page + "# EOF\n", OPENMETRICS)
        assert len(read) > len(expected)
        assert all(sample in read for sample in expected)

    def test_help_of_nothing(self):
        """A HELP without a name describes nothing; for prometheus_client it ends the family before it."""
        page = "# TYPE x gauge\n# HELP\nx 1\n"
        assert [sample.type for sample in ours(page)] == ["gauge"]
        assert [sample.type for sample in theirs(page)] == ["unknown"]

    def test_unfinished_line(self):
        """The last line of text 0.0.4 may have been cut where no line feed ends it."""
        assert outcome(theirs, "x 1") != "refused"
        assert outcome(ours, "x 1") == "refused"

    def test_native_histogram(self):
        """A value that is no number is an error."""
        page = f'# TYPE h histogram\nh{{a="b"}} {NATIVE}\n# EOF\n'
        assert outcome(theirs, page, OPENMETRICS) != "refused"
        assert outcome(ours, page, OPENMETRICS) == "refused"

    def test_whole_numbers_are_floats(self):
        """A whole number beyond 2**53 is rounded."""
        assert [sample.value for sample in parse([b"x 9007199254740993\n"])] == [9007199254740992.0]

    def test_without_prometheus_client(self, monkeypatch):
        """Where it is not installed, a line that only it can read is an error that says so; all others are read."""
        monkeypatch.setitem(sys.modules, "prometheus_client.parser", None)
        assert len(ours('# TYPE x gauge\nx 1\nx{a="b"} 2\ny{le="1"} 3\n')) == 3
        with pytest.raises(ParseError, match=r"^line 1 .*prometheus_client has to be installed$"):
            ours("x 1 12\n")

    def test_long_line_out_of_the_ordinary(self):
        """A line of more than 64 kB that nobody writes is refused, as prometheus_client needs long for it."""
        page = "x{" + "".join(f'l{index}="" ,' for index in range(10_000)) + "} 1\n"
        assert outcome(theirs, page) != "refused"
        assert outcome(ours, page) == "refused"

    def test_type_holds_from_its_line_on(self):
        """A sample in front of its family's TYPE has no type."""
        page = "# HELP x It has\nx 1\n# TYPE x gauge\nx 2\n"
        assert [sample.type for sample in ours(page)] == ["unknown", "gauge"]
        assert [sample.type for sample in theirs(page)] == ["gauge", "gauge"]

    def test_series_may_come_back(self):
        """A series behind another one of its family is read again."""
        page = 'x{a="b"} 1\nx{a="c"} 2\nx{a="b"} 3\n# EOF\n'
        assert [sample.value for sample in ours(page, OPENMETRICS)] == ["1.0", "2.0", "3.0"]
        assert outcome(theirs, page, OPENMETRICS) == "refused"
