"""What a column may be, with how much is to be said for it."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.tables.inference import headers
from understudy.tables.inference.texts import CountedTexts, Mask
from understudy.tables.inference.values import Occurrence
from understudy.tables.schema import ColumnKind

# Of what looks so from the values alone; more where the header says it too.
MOSTLY = 0.5
PLAUSIBLE = 0.9
NEARLY_ALL = 0.95
# So few personal values among others make a column personal.
SOME = 0.05
# Fewer distinct values can have a check digit by chance, or be names that things have.
N_DISTINCT_TELLING = 10
# Below so many values nothing is concluded from how often they occur.
N_VALUES_MIN = 20


@dataclass(frozen=True)
class Finding:
    """A kind that a column may have; the evidence holds no value."""

    kind: ColumnKind
    confidence: float
    evidence: str


@dataclass(frozen=True)
class Evidence:
    """What a column is judged by: the header's words, its texts, and how often they occur.

    Parameters
    ----------
    is_number : bool
        Whether the texts are whole numbers, written out.
    """

    words: tuple[str, ...]
    texts: CountedTexts
    occurrence: Occurrence
    is_number: bool = False

    @property
    def n_distinct(self) -> int:
        """Distinct texts that were looked at."""
        return len(self.texts.counts)

    @property
    def is_mostly_unique(self) -> bool:
        """Whether most values occur once, of enough to say so."""
        enough = self.occurrence.n_counted >= N_VALUES_MIN
        return enough and self.occurrence.share_once > MOSTLY

    def says(self, phrases: headers.Phrases) -> bool:
        """Return whether the header announces it, and not a property of it."""
        return headers.says(self.words, phrases) and not headers.says_property(self.words)

    def share(self, is_so: Mask) -> float:
        """Return the share of values of the distinct texts that are marked."""
        return self.texts.count(is_so) / max(self.texts.n, 1)


def matching(texts: CountedTexts, is_so: Mask, what: str, *, header: bool = False) -> str:
    """Return evidence in words: how many of the sampled values are so."""
    counted = f"{texts.count(is_so):,} of {texts.n:,} sampled values {what}"
    return f"the header says so, and {counted}" if header else counted
