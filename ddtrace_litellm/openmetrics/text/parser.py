"""Metrics pages, text 0.0.4 and OpenMetrics 1.0, read sample by sample while they arrive.

No library does this. ``prometheus_client`` 0.26 needs 1.4 to 2.6 seconds of CPU, in the user's process, for a page of
10 MB, which LiteLLM has with 200 keys (https://github.com/prometheus/client_python/issues/1114), and keeps a family's
samples until its end. ``datadog_checks.base`` runs the same parser with a part made faster, splits lines where none end
(U+0085 in a label is enough), and an application cannot import it without side effects. No parser written in another
language was found as a Python package. What makes this one fast: the text of a series' labels repeats from family to
family and from page to page, so it is read once, and a histogram's buckets differ in bound and value only.

It reads what ``prometheus_client`` reads, as that does, and refuses what that refuses, except:

Both formats
    * Values are floats, so a whole number beyond 2**53 is rounded.
    * A name that is none (``1x``, ``a b``, ``a-b``) is an error in front of labels too; odd white space is part of it.
    * A label block with an empty term (``{=}``, white space between two commas) is an error.
Text 0.0.4
    * A page whose last line has no line feed is incomplete: that line may have been cut within its value.
    * A type holds for the samples behind its ``# TYPE``, not for those of the same family before it.
OpenMetrics
    * A series may come back behind another one of its family: to know that, every series would have to be kept.
    * A histogram may have values of several times.
    * Native histograms, which are not part of OpenMetrics 1.0, are errors.
    * An exemplar's label may hold a quote, escaped.
    * Between the parts of a line there is exactly one space, behind ``}`` too; a time stamp holds no quotes.
    * A bound is never NaN, however spelt.
"""

from collections.abc import Callable, Iterable, Iterator

from ddtrace_litellm.masking import SafeError
from ddtrace_litellm.openmetrics.samples import Sample
from ddtrace_litellm.openmetrics.text import grammar
from ddtrace_litellm.openmetrics.text.families import OpenMetricsFamilies, TextFamilies
from ddtrace_litellm.openmetrics.text.lines import LONGEST_LINE, LineTooLongError, whole_lines
from ddtrace_litellm.openmetrics.text.memory import Memory
from ddtrace_litellm.openmetrics.text.rules import Rules


class ParseError(SafeError, ValueError):
    """A page that cannot be read. The message has nothing of it: whatever answers there may have sent anything.

    Attributes:
        line: the number of the line, from 1.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line} of the metrics page: {reason}")
        self.line = line


class IncompletePageError(ParseError):
    """A page that ends before its end."""


def is_openmetrics(content_type: str) -> bool:
    """Whether an answer's ``Content-Type`` says OpenMetrics; everything else is taken for text 0.0.4."""
    return content_type.partition(";")[0].strip().lower() == "application/openmetrics-text"


def parse(pieces: Iterable[bytes], content_type: str = "", memory: Memory | None = None) -> Iterator[Sample]:
    """Read a page.

    Nothing of a page that raises may be used, also not the samples before: only the end of the iteration tells that
    the page was read whole. Text 0.0.4 has no mark at its end: there, whoever reads the body has to know its length.

    Args:
        pieces: the body, decompressed, cut anywhere.
        content_type: the header, see ``is_openmetrics``.
        memory: what to remember between the pages of one source.

    Raises:
        ParseError: the page cannot be read; names the line.
        IncompletePageError: it ends too early.
    """
    memory = Memory() if memory is None else memory
    page = _OpenMetricsPage(memory) if is_openmetrics(content_type) else _TextPage(memory)
    try:
        for batch in whole_lines(pieces):
            yield from page.read(batch)
    except LineTooLongError:
        raise ParseError(page.line + 1, f"it is longer than {LONGEST_LINE} bytes") from None
    page.end()
    memory.age()


class _Page:
    """Where the reading of one page stands: what both formats have in common."""

    _families: TextFamilies | OpenMetricsFamilies
    _admit: Callable[[Sample], bool] | None

    def __init__(self, memory: Memory) -> None:
        self.line = 0
        self._memory = memory
        self._last = ""

    def end(self) -> None:
        """End the page, which has to be whole."""
        raise NotImplementedError

    def _exactly(self, line: str) -> Sample | None:
        """Read any line; return None if it is no sample."""
        raise NotImplementedError

    def read(self, batch: bytes) -> Iterator[Sample]:
        """Yield the samples of some whole lines."""
        try:
            lines = batch.decode().split("\n")
        except UnicodeDecodeError as error:
            number = self.line + 1 + batch.count(b"\n", 0, error.start)
            raise ParseError(number, "it is not UTF-8") from None
        self._last = lines.pop()
        if self._last:
            lines.append(self._last)
        try:
            yield from self._samples(lines)
        except ValueError as error:
            raise ParseError(self.line, str(error)) from error

    def _samples(self, lines: list[str]) -> Iterator[Sample]:
        """Yield the samples of lines.

        The usual line is read by searching for its corners. What was found is right if the memory knows the block, or
        can read it; whatever is out of the ordinary raises, here or there, and is read again in the exact way.
        """
        new, names, admit = tuple.__new__, self._families.names, self._admit
        numbers, blocks = self._memory.numbers, self._memory.blocks
        head = "\n"  # of the next bucket of the same series, up to its bound; here: no line begins with this
        tail = ""
        before = self.line
        for self.line, line in enumerate(lines, before + 1):
            try:
                if line.startswith(head) and line.startswith(tail, stop := line.find('"', len(head))):
                    bound = line[len(head) : stop]
                    numbers[bound]
                    value = numbers[line[stop + len(tail) :]]
                else:
                    head = "\n"
                    brace = line.index("{")
                    family, type_, suffix, cut = names[line[:brace]]
                    end = line.rindex("} ", brace)
                    if cut:
                        at = line.find(f',{cut}="', brace)
                        if at < 0:
                            at = line.index(f'{{{cut}="', brace, brace + len(cut) + 3)
                        start = at + len(cut) + 3
                        stop = line.index('"', start, end)
                        bound = line[start:stop]
                        numbers[bound]
                        labels = blocks[line[brace:at] + "\n" + line[stop + 1 : end]]
                        value = numbers[line[end + 2 :]]
                        head, tail = line[:start], line[stop : end + 2]
                    else:
                        bound = ""
                        labels = blocks[line[brace:end]]
                        value = numbers[line[end + 2 :]]
            except (KeyError, ValueError):
                sample = self._exactly(line)
                names = self._families.names
                if sample is None:
                    continue
            else:
                sample = new(Sample, (family, type_, suffix, labels, bound, value, None, None))
            if admit is None or admit(sample):
                yield sample

    def _sample(self, head: grammar.Head, tail: grammar.Tail) -> Sample:
        """Put a sample together; a quantile or a bucket may lack its bound."""
        family, type_, suffix, cut = self._families.enter(head.key)
        labels = dict(head.labels)
        bound = labels.pop(cut, "") if cut else ""
        return Sample(family, type_, suffix, tuple(labels.items()), bound, *tail)


class _TextPage(_Page):
    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self._families = TextFamilies()
        self._admit = None

    def _exactly(self, line: str) -> Sample | None:
        line = line.strip()
        if line and line[0] != "#":
            head = grammar.split_head(line, strict=False)
            return self._sample(head, grammar.text_tail(head.rest))
        if line:
            self._families.describe(line)
        return None

    def end(self) -> None:
        if self._last:
            raise IncompletePageError(self.line, "it is the last, and no line feed ends it")


class _OpenMetricsPage(_Page):
    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self._families: OpenMetricsFamilies = OpenMetricsFamilies()
        self._rules = Rules()
        self._admit = self._rules.admit
        self._ended = False

    def _exactly(self, line: str) -> Sample | None:
        if self._ended:
            raise ValueError("it stands behind # EOF")
        if not line:
            raise ValueError("it is empty")
        if line == "# EOF":
            self._ended = True
            self._families.end()
            self._rules.end()
        elif line[0] == "#":
            self._families.describe(line)
        else:
            head = grammar.split_head(line, strict=True)
            return self._sample(head, grammar.openmetrics_tail(head.rest))
        return None

    def end(self) -> None:
        if not self._ended:
            raise IncompletePageError(self.line, "it is the last, and it is not # EOF")
