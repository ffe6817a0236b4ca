"""Candidate kinds of a column, with their confidence and evidence."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.tables.inference import headers
from understudy.tables.inference.texts import CountedTexts, Mask
from understudy.tables.inference.values import Occurrence
from understudy.tables.schema import ColumnKind

# Minimum shares of values that match a kind. A lower share is sufficient if the column name also indicates
# the kind.
MOSTLY = 0.5
PLAUSIBLE = 0.9
NEARLY_ALL = 0.95
# Minimum share of values that contain listed names, if the column name also indicates a name.
LISTED_SHARE_MIN = 0.2
# Minimum share of personal values for a column that also contains other values to be treated as personal.
SOME = 0.05
# Minimum number of distinct values. Fewer values can have valid check digits by chance, or can be names of
# objects.
N_DISTINCT_MIN = 10
# Minimum number of values for conclusions from their frequencies.
N_VALUES_MIN = 20


@dataclass(frozen=True)
class Finding:
    """A candidate kind for a column. Its evidence contains no values of the table."""

    kind: ColumnKind
    confidence: float
    evidence: str


@dataclass(frozen=True)
class Evidence:
    """The input of the detectors: the words of the column name, and the sampled texts with their counts.

    Parameters
    ----------
    words : tuple of str
        Words of the column name, computed by `headers.words_of`.
    texts : CountedTexts
        Sampled values as texts.
    occurrence : Occurrence
        Numbers of distinct and repeated values.
    is_number : bool
        Whether the column stores whole numbers. If so, the texts contain their digits.
    """

    words: tuple[str, ...]
    texts: CountedTexts
    occurrence: Occurrence
    is_number: bool = False

    @property
    def n_distinct(self) -> int:
        """The number of distinct sampled texts."""
        return len(self.texts.counts)

    @property
    def is_mostly_unique(self) -> bool:
        """Whether there are enough values for a conclusion, and most of them occur once."""
        has_enough = self.occurrence.n_counted >= N_VALUES_MIN
        return has_enough and self.occurrence.share_once > MOSTLY

    def has_header(self, phrases: headers.Phrases) -> bool:
        """Return whether the column name contains one of the phrases and does not name a property."""
        return headers.contains(self.words, phrases) and not headers.names_property(self.words)

    def share(self, is_match: Mask) -> float:
        """Return the share of values that have one of the distinct texts selected by a mask."""
        return self.texts.count(is_match) / max(self.texts.n, 1)


def describe(texts: CountedTexts, is_match: Mask, predicate: str, *, header: bool = False) -> str:
    """Return a phrase with the number of sampled values that satisfy a predicate."""
    counted = f"{texts.count(is_match):,} of {texts.n:,} sampled values {predicate}"
    return f"the column name indicates this kind, and {counted}" if header else counted
