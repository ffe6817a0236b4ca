"""Locations of other columns' values within identifiers, and texts with these values cut out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from understudy.transformers.base import ArrowArray
from understudy.transformers.generated.texts import pc

# Marks that replace the values cut out of a text: private-use characters, which do not occur in tables.
FIRST_MARK, N_MARKS_MAX = 0xE000, 8
MARKS = tuple(chr(FIRST_MARK + i) for i in range(N_MARKS_MAX))

# Patterns of tokens and runs. All characters outside ASCII count as letters, because patterns with Unicode
# classes take a hundred times longer to compile.
_TOKEN, _BETWEEN = r"[0-9A-Za-z\x{80}-\x{10FFFF}]", r"[^0-9A-Za-z\x{80}-\x{10FFFF}]"
_RUN = r"(?:[A-Za-z\x{80}-\x{D7FF}\x{E008}-\x{10FFFF}]+|[0-9]+|[\x{E000}-\x{E007}]+)"
_TOKENS = re.compile("[0-9A-Za-z\x80-\U0010ffff]+")
_RUNS = re.compile("[A-Za-z\x80-\U0010ffff]+|[0-9]+")
# Maximum number of occurrences that are examined for each value in a text.
_N_OCCURRENCES_MAX = 8

Span = tuple[int, int]


@dataclass(frozen=True)
class Location:
    """A location within a text.

    Parameters
    ----------
    unit : str
        `token` (letters and digits between other characters), `run` (only letters or only digits), or `slice`
        (characters).
    first : int
        Number of the token or run, or position of the first character. Negative numbers count from the end.
    width : int
        Number of characters in a slice, otherwise 0.
    """

    unit: str
    first: int
    width: int = 0

    def find(self, text: str) -> Span | None:
        """Return the start and the end of the location in a text, or None if the text is too short."""
        if self.unit == "slice":
            start = self.first if self.first >= 0 else len(text) + self.first
            return (start, start + self.width) if 0 <= start <= len(text) - self.width else None
        spans = _spans(self.unit, text)
        return spans[self.first] if -len(spans) <= self.first < len(spans) else None

    def cut(self, texts: ArrowArray, mark: str) -> ArrowArray:
        """Return the texts with a mark at the location. Texts without the location are unchanged."""
        before, own = self._before(), self._own()
        pattern = f"(?s)^({before}){own}(.*)$" if self.first >= 0 else f"(?s)^(.*?){own}({before})$"
        replacement = rf"\1{mark * max(self.width, 1)}\2"
        cut: ArrowArray = pc.replace_substring_regex(texts, pattern=pattern, replacement=replacement)
        return cut

    def _own(self) -> str:
        if self.unit == "slice":
            return f".{{{self.width}}}"
        if self.unit == "token":
            return f"{_TOKEN}+"
        return _RUN

    def _before(self) -> str:
        """Return a pattern for the text before a location, or after a location counted from the end."""
        n = self.first if self.first >= 0 else -self.first - 1
        if self.unit == "slice":
            return f".{{{n if self.first >= 0 else -self.first - self.width}}}"
        if self.unit == "token" and self.first >= 0:
            return f"{_BETWEEN}*(?:{_TOKEN}+{_BETWEEN}+){{{n}}}"
        if self.unit == "token":
            return f"(?:{_BETWEEN}+{_TOKEN}+){{{n}}}{_BETWEEN}*"
        runs = f"{_BETWEEN}*{_RUN}"
        return f"(?:{runs}){{{n}}}{_BETWEEN}*" if self.first >= 0 else f"(?:{_RUN}{_BETWEEN}*){{{n}}}"


def _spans(unit: str, text: str) -> list[Span]:
    found = (_TOKENS if unit == "token" else _RUNS).finditer(text)
    return [match.span() for match in found]


def locate(texts: Sequence[str], values: Sequence[str]) -> list[tuple[Location, int]]:
    """Return the locations at which texts contain the values of their rows, with the number of rows for each.

    The locations are in descending order of the number of rows. Among locations with equal numbers, locations
    between separators come first.
    """
    found: Counter[Location] = Counter()
    for text, value in zip(texts, values, strict=True):
        found.update(set(_locations(text, value)))
    widths = {len(value) for value in values}
    usable = [(at, n) for at, n in found.items() if at.unit != "slice" or len(widths) == 1]
    preferred = {"token": 0, "slice": 1, "run": 2}
    return sorted(usable, key=lambda pair: (-pair[1], preferred[pair[0].unit], pair[0].first < 0))


def _locations(text: str, value: str) -> Iterator[Location]:
    for unit in ("token", "run"):
        spans = _spans(unit, text)
        for i, (start, end) in enumerate(spans):
            if text[start:end] == value:
                yield Location(unit, i)
                yield Location(unit, i - len(spans))
    start = -1
    for _ in range(_N_OCCURRENCES_MAX):
        start = text.find(value, start + 1)
        if start < 0:
            return
        yield Location("slice", start, len(value))
        yield Location("slice", start - len(text), len(value))


def cut_all(texts: ArrowArray, locations: Iterable[Location]) -> ArrowArray:
    """Return the texts with mark i in place of the value at location i."""
    numbered = list(enumerate(locations))
    # Slices keep the length of a text, so they can be cut in any order. They are cut last, because they can
    # divide a token or a run.
    for i, location in sorted(numbered, key=lambda pair: pair[1].unit == "slice"):
        texts = location.cut(texts, MARKS[i])
    for mark in MARKS[: len(numbered)]:
        texts = pc.replace_substring_regex(texts, pattern=f"{mark}+", replacement=mark)
    return texts


def has_all_marks(texts: ArrowArray, n: int) -> ArrowArray:
    """Return a mask of the texts that contain each of the first n marks exactly once."""
    is_complete: ArrowArray = pa.array([True] * len(texts), pa.bool_())
    for mark in MARKS[:n]:
        is_complete = pc.and_(is_complete, pc.equal(pc.count_substring(texts, pattern=mark), 1))
    return is_complete
