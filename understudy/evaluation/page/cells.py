"""Table cells with more structure than a string. The macro `cell` in elements.html renders each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from understudy.evaluation.page.charts.whiskers import Whiskers
from understudy.evaluation.verdict import Outcome


@dataclass(frozen=True)
class Names:
    """A list of column names."""

    kind: ClassVar[str] = "names"
    columns: tuple[str, ...]
    separator: str = ", "


@dataclass(frozen=True)
class Segment:
    """A group of rows with the same value in a column."""

    kind: ClassVar[str] = "segment"
    column: str
    group: str


@dataclass(frozen=True)
class Group:
    """A group of rows with its size."""

    kind: ClassVar[str] = "group"
    name: str
    n_rows: int
    is_too_small: bool


@dataclass(frozen=True)
class Noted:
    """Text with a note in small print below it. The text or the note can be empty."""

    kind: ClassVar[str] = "noted"
    text: str
    note: str


@dataclass(frozen=True)
class Titled:
    """A title followed by a sentence in small print, which can be empty."""

    kind: ClassVar[str] = "titled"
    title: str
    sentence: str


@dataclass(frozen=True)
class Styled:
    """Text with a style.

    Parameters
    ----------
    kind : str
        The style: `code`, `muted` or `emphasis`.
    """

    text: str
    kind: str


@dataclass(frozen=True)
class OutcomeMark:
    """The outcome of a check, shown as a shape and a word."""

    kind: ClassVar[str] = "outcome"
    outcome: Outcome


Cell = str | Names | Segment | Group | Noted | Titled | Styled | OutcomeMark | Whiskers
