"""What the parser remembers: values of texts that repeat, in two generations and a fixed amount of memory."""

from collections.abc import Callable
from typing import TypeVar

from ddtrace_litellm.openmetrics.samples import Labels
from ddtrace_litellm.openmetrics.text import grammar

T = TypeVar("T")

_ENTRY = 100
"""Bytes of an entry besides its text, about: two objects' headers and their place in the dict."""


class Memo(dict[str, T]):
    """A dict that makes its missing values itself and forgets those that were not asked for lately.

    A value lives through the generation in which it was last asked for and the one after it. A generation ends when
    ``age`` says so, at the end of a page, or when it has grown to its limit: no page, however large, makes it larger.

    Args:
        function: makes the value of a text; what it raises is passed on and nothing is kept.
        limit: the size of one generation in bytes, about, counted by its texts.
    """

    __slots__ = ("_function", "_limit", "_older", "_room")

    def __init__(self, function: Callable[[str], T], limit: int) -> None:
        super().__init__()
        self._function = function
        self._limit = self._room = limit
        self._older: dict[str, T] = {}

    def __missing__(self, text: str) -> T:
        value = self._older[text] if text in self._older else self._function(text)
        self._room -= len(text) + _ENTRY
        if self._room < 0:
            self.age()
        self[text] = value
        return value

    def age(self) -> None:
        """End a generation."""
        self._older = dict(self)
        self.clear()
        self._room = self._limit


class Memory:
    """What is worth keeping from one page of a source to the next: a few megabytes at most, for one reader at a time.

    Attributes:
        numbers: values and bounds.
        blocks: labels by their text; equal blocks have the same tuple while they are remembered.
        pairs: single labels by theirs.
    """

    def __init__(self) -> None:
        self.numbers = Memo(grammar.number, 1 << 18)
        self.blocks = Memo(self._labels, 1 << 22)
        self.pairs = Memo(grammar.pair, 1 << 20)

    def age(self) -> None:
        """Forget what the last page did not have; for the end of a page."""
        for memo in (self.numbers, self.blocks, self.pairs):
            memo.age()

    def _labels(self, block: str) -> Labels:
        """Read labels as ``BLOCK`` or ``CUT_BLOCK`` matches them."""
        if "\n" in block:
            if not grammar.CUT_BLOCK.fullmatch(block):
                raise ValueError("the labels cannot be read")
            before, _, behind = block.partition("\n")
            labels = self.blocks[before + behind if before else "{" + behind[1:]]
            if not {"le", "quantile"}.isdisjoint(dict(labels)):
                raise ValueError("the label of the bound stands there twice")
            return labels
        if not grammar.BLOCK.fullmatch(block):
            raise ValueError("the labels cannot be read")
        labels = tuple(map(self.pairs.__getitem__, grammar.PAIR.findall(block)))
        if len(dict(labels)) < len(labels):
            raise ValueError("a label stands there twice")
        return labels
