"""Metrics pages, text 0.0.4 and OpenMetrics 1.0, read sample by sample while they arrive.

Lines as LiteLLM and ``prometheus_client`` write them are read here. No library does that: ``prometheus_client`` 0.26
needs 1.4 to 2.6 seconds of CPU, in the user's process, for a page of 10 MB, which LiteLLM has with 200 keys
(https://github.com/prometheus/client_python/issues/1114), and keeps a family's samples until its end.
``datadog_checks.base`` runs the same parser with a part made faster, splits lines where none end (U+0085 in a label is
enough), and an application cannot import it without side effects. No parser written in another language was found as a
Python package. What makes this one fast: the text of a series' labels repeats from family to family and from page to
page, so it is read once, and a histogram's buckets differ in bound and value only.

Any other line is read by ``prometheus_client``'s parser of text 0.0.4, which reads OpenMetrics' lines as well. So the
samples are those that ``prometheus_client`` reads, and what it refuses is refused, except:

* Values are floats, so a whole number beyond 2**53 is rounded. Time stamps and exemplars are passed over.
* A type holds for the samples behind its line, not for those of the same family before it.
* A page is incomplete whose last line has no line feed, as it may have been cut within its value, or, in OpenMetrics,
  is not ``# EOF``.
* Of OpenMetrics, the rules beyond the form of a line (names of families that clash, the order and the sums of buckets,
  values that a type cannot have, series that come twice) are not checked, nor where white space may be.
* A ``# HELP`` without a name describes nothing.
* Native histograms, which are not part of OpenMetrics 1.0, are errors, and so is a line of more than 64 kB that is out
  of the ordinary: ``prometheus_client`` would copy its rest with each of its labels.
"""

from collections.abc import Iterable, Iterator

from ddtrace_litellm.masking import SafeError
from ddtrace_litellm.openmetrics.samples import Sample
from ddtrace_litellm.openmetrics.text.families import TYPES, Families
from ddtrace_litellm.openmetrics.text.grammar import DESCRIPTION, PAIR, SAMPLE
from ddtrace_litellm.openmetrics.text.lines import LONGEST_LINE, LineTooLongError, whole_lines
from ddtrace_litellm.openmetrics.text.memory import Memory

_LONGEST_ODD_LINE = 1 << 16


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
    page = _Page(memory, openmetrics=is_openmetrics(content_type))
    try:
        for batch in whole_lines(pieces):
            yield from page.read(batch)
    except LineTooLongError:
        raise ParseError(page.line + 1, f"it is longer than {LONGEST_LINE} bytes") from None
    page.end()
    memory.age()


class _Page:
    """Where the reading of one page stands."""

    def __init__(self, memory: Memory, *, openmetrics: bool) -> None:
        self.line = 0
        self._memory, self._openmetrics = memory, openmetrics
        self._families = Families(openmetrics=openmetrics)
        self._unended = self._ended = False

    def read(self, batch: bytes) -> Iterator[Sample]:
        """Yield the samples of some whole lines."""
        try:
            lines = batch.decode().split("\n")
        except UnicodeDecodeError as error:
            number = self.line + 1 + batch.count(b"\n", 0, error.start)
            raise ParseError(number, "it is not UTF-8") from None
        self._unended = bool(lines[-1])
        if not self._unended:
            lines.pop()
        try:
            yield from self._samples(lines)
        except ValueError as error:
            raise ParseError(self.line, str(error)) from error

    def end(self) -> None:
        """End the page, which has to be whole."""
        if self._openmetrics and not self._ended:
            raise IncompletePageError(self.line, "it is the last, and it is not # EOF")
        if self._unended and not self._openmetrics:
            raise IncompletePageError(self.line, "it is the last, and no line feed ends it")

    def _samples(self, lines: list[str]) -> Iterator[Sample]:
        """Yield the samples of lines.

        The usual line is read by searching for its corners. What was found is right if the memory knows the block, or
        can read it; whatever is out of the ordinary raises, here or there, and is read again.
        """
        new, names = tuple.__new__, self._families.names
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
                sample = self._again(line)
                names = self._families.names
                if sample is None:
                    continue
            else:
                sample = new(Sample, (family, type_, suffix, labels, bound, value))
            yield sample

    def _again(self, line: str) -> Sample | None:
        """Read any line; return None if it is no sample."""
        if self._ended:
            raise ValueError("it stands behind # EOF")
        if line == "# EOF" and self._openmetrics:
            self._ended = True
            self._families.end()
        elif (described := DESCRIPTION.fullmatch(line)) and (described[1] != "TYPE" or described[3] in TYPES):
            self._families.describe(described[2], described[3] if described[1] == "TYPE" else "")
        elif (found := SAMPLE.fullmatch(line)) and (sample := self._regular(*found.groups())):
            return sample
        elif line:
            return self._odd(line)
        return None

    def _regular(self, name: str, block: str | None, text: str) -> Sample | None:
        """Put a sample together that is written as usual; nothing if only its form is the usual one."""
        pairs = self._memory.pairs
        try:
            labels, value = [pairs[each] for each in PAIR.findall(block or "")], self._memory.numbers[text]
        except ValueError:
            return None
        return self._sample(name, dict(labels), value) if len(dict(labels)) == len(labels) else None

    def _odd(self, line: str) -> Sample | None:
        # Not before there is such a line: prometheus_client decides when it is imported how a proxy's workers count.
        try:
            from prometheus_client.parser import text_string_to_metric_families
        except ImportError:
            raise ValueError("it is out of the ordinary, for which prometheus_client has to be installed") from None
        if len(line) > _LONGEST_ODD_LINE:
            raise ValueError(f"it is out of the ordinary, and longer than {_LONGEST_ODD_LINE} characters")
        try:
            for family in text_string_to_metric_families(line):
                for sample in family.samples:
                    return self._sample(sample.name, sample.labels, float(sample.value))
                counted = family.type == "counter" and f"{family.name}_total" in line
                name = f"{family.name}_total" if counted else family.name
                self._families.describe(name, "" if family.type == "unknown" else family.type)
        except Exception:  # it stumbles over some lines, and its messages show them
            raise ValueError("it cannot be read") from None
        return None

    def _sample(self, name: str, labels: dict[str, str], value: float) -> Sample:
        """Put a sample together; a quantile or a bucket may lack its bound."""
        family, type_, suffix, cut = self._families.enter(name)
        others = tuple(label for label in labels.items() if label[0] != cut)
        return Sample(family, type_, suffix, others, labels.get(cut, ""), value)
