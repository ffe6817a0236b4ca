"""The cells of tables that are more than a text; the macro `cell` in elements.html draws each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from understudy.evaluation.page.charts.whiskers import Whiskers
from understudy.evaluation.verdict import Outcome


@dataclass(frozen=True)
class Names:
    """The names of some columns."""

    kind: ClassVar[str] = "names"
    columns: tuple[str, ...]
    separator: str = ", "


@dataclass(frozen=True)
class Segment:
    """A value of a column, whose rows are a group."""

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
    """A text with a small one on the line below; either may be empty."""

    kind: ClassVar[str] = "noted"
    text: str
    note: str


@dataclass(frozen=True)
class Titled:
    """A title with a small sentence behind it, which may be empty."""

    kind: ClassVar[str] = "titled"
    title: str
    sentence: str


@dataclass(frozen=True)
class Styled:
    """A text in an element of its own.

    Parameters
    ----------
    kind : str
        `code`, `muted` or `emphasis`.
    """

    text: str
    kind: str


@dataclass(frozen=True)
class OutcomeMark:
    """The outcome of a check, as a shape and a word."""

    kind: ClassVar[str] = "outcome"
    outcome: Outcome


Cell = str | Names | Segment | Group | Noted | Titled | Styled | OutcomeMark | Whiskers
