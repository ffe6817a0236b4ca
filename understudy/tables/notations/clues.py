"""Inputs and results of notation detection for a text column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from understudy.tables.notations.parsing import AnyNotation

Texts = Callable[[], Iterable["pa.Array[Any]"]]
"""Function that returns the values of a column, trimmed and in batches, with null for missing values."""

PLACES_MAX = 3
"""Maximum number of values whose rows are reported."""

N_ODD_MAX = 1_000
"""Maximum number of distinct values that are counted although they do not follow a notation."""


@dataclass(frozen=True)
class Clues:
    """Information about a column other than its values.

    Parameters
    ----------
    words : tuple of str
        Words of the column's name, in lower case.
    decimal, thousands, date_order
        Options that the user specified. See `ReadOptions`.
    prefers_point : bool
        Whether an ambiguous comma in a number is a thousands separator. This is the case if commas delimit
        the fields of the file.
    is_coerced : bool
        Whether values that do not follow the notation become missing values.
    """

    words: tuple[str, ...] = ()
    decimal: str | None = None
    thousands: str | None = None
    date_order: Literal["day_first", "month_first"] | None = None
    prefers_point: bool = False
    is_coerced: bool = False


@dataclass
class Tally:
    """Counts of a column's values that follow or do not follow a notation.

    Parameters
    ----------
    missing : Counter
        Number of occurrences of each known word for a missing value.
    odd_rows : list of int
        First rows with values that do not follow the notation, except known words for missing values. Rows
        are counted from 0.
    odd : Counter
        Number of occurrences of the first distinct values that do not follow the notation, at most
        `N_ODD_MAX`.
    """

    n_rows: int = 0
    n_null: int = 0
    n_fitting: int = 0
    n_odd: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    odd_rows: list[int] = field(default_factory=list)
    odd: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Detected:
    """The best notation of a column.

    Parameters
    ----------
    question : str, optional
        Reason why the notation is ambiguous, with the option that resolves the ambiguity. None if the
        notation is not ambiguous.
    alternatives : tuple of str
        Other notations that all values follow.
    """

    notation: AnyNotation
    arrow_type: pa.DataType
    tally: Tally
    words: str
    question: str | None = None
    alternatives: tuple[str, ...] = ()
