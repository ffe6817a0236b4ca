"""Detect numbers and dates in local conventions if the values of a column are unambiguous.

`1.234,56` can only be a number with a decimal comma, but `1,234` is ambiguous. An ambiguous column remains
text, with a note that contains the option to set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from understudy.parameters.read_options import ReadOptions
from understudy.tables.casting import count_unfit

# Unusual spaces and apostrophes between thousands, and the usual ones that replace them.
_ODD_SEPARATORS = ("\u00a0\u202f\u2009", " "), ("\u2019", "'")

SEPARATED = (
    r"-?[0-9.]*[,' \x{a0}\x{202f}\x{2009}\x{2019}][0-9.,' \x{a0}\x{202f}\x{2009}\x{2019}]*[0-9.,]"
    r"(?:[eE][-+]?[0-9]+)?|-?,[0-9]+|-?[0-9]+,|-?[0-9]{1,3}(?:\.[0-9]{3}){2,}"
)
"""Pattern of values that may be numbers in a local convention but are not plain numbers."""
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
LOCAL_DATE = (
    r"(?:[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}|[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}|[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}"
    rf"|[0-9]{{4}}/[0-9]{{1,2}}/[0-9]{{1,2}}|[0-9]{{4}}\.[0-9]{{1,2}}\.[0-9]{{1,2}})(?: {_CLOCK})?"
)
"""Pattern of dates, with or without a time, in a notation other than ISO 8601."""

_DATE_PARTS = r"^(?P<a>[0-9]+)[/.-](?P<b>[0-9]+)[/.-](?P<c>[0-9]+)(?: (?P<time>.*))?$"


class Convention(Protocol):
    """A convention for numbers or dates."""

    @property
    def words(self) -> str:
        """Description of the convention for the note of a column."""

    def plain(self, texts: pa.Array[Any]) -> pa.Array[Any]:
        """Rewrite values that follow the convention in the plain notation."""


@dataclass(frozen=True)
class NumberConvention:
    """A decimal mark and an optional thousands separator."""

    decimal: str
    thousands: str | None

    @property
    def words(self) -> str:
        """Description of the convention for the note of a column."""
        mark = "comma" if self.decimal == "," else "point"
        names = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
        between = f" and {names[self.thousands]} between thousands" if self.thousands else ""
        return f"written with a decimal {mark}{between}"

    @property
    def pattern(self) -> str:
        """Regular expression for a number in this convention."""
        mark = f"\\{self.decimal}"
        plain = r"(?:0|[1-9][0-9]{0,17})"
        whole = (
            rf"(?:{plain}|[1-9][0-9]{{0,2}}(?:[{self.thousands}][0-9]{{3}}){{1,5}})"
            if self.thousands
            else plain
        )
        return rf"\A-?(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][-+]?[0-9]+)?\z"

    def plain(self, texts: pa.Array[Any]) -> pa.Array[Any]:
        """Rewrite numbers without thousands separators and with a decimal point."""
        values: Any = unify_separators(texts)
        if self.thousands:
            values = pc.replace_substring(values, self.thousands, "")
        plain: pa.Array[Any] = pc.replace_substring(values, self.decimal, ".")
        return plain


@dataclass(frozen=True)
class DateConvention:
    """The order of day, month and year."""

    order: str

    @property
    def words(self) -> str:
        """Description of the convention for the note of a column."""
        return {
            "day_first": "written with the day first",
            "month_first": "written with the month first",
            "year_first": "written with the year first",
        }[self.order]

    def plain(self, texts: pa.Array[Any]) -> pa.Array[Any]:
        """Rewrite dates in ISO 8601."""
        parts: Any = pc.extract_regex(texts, _DATE_PARTS)
        first, second, third = (parts.field(index) for index in range(3))
        year, month, day = {
            "day_first": (third, second, first),
            "month_first": (third, first, second),
            "year_first": (first, second, third),
        }[self.order]
        padded = [pc.utf8_lpad(part, width, "0") for part, width in ((year, 4), (month, 2), (day, 2))]
        dates: Any = pc.binary_join_element_wise(*padded, "-")
        time: Any = parts.field(3)
        has_time = pc.match_substring(pc.fill_null(time, ""), ":")
        dated: Any = pc.if_else(has_time, pc.binary_join_element_wise(dates, time, "T"), dates)
        # Arrow leaves empty parts for a missing value, which would be padded to 0000-00-00.
        present: pa.Array[Any] = pc.if_else(texts.is_valid(), dated, pa.scalar(None, dated.type))
        return present


def unify_separators(texts: pa.Array[Any]) -> pa.Array[Any]:
    """Replace unusual spaces and apostrophes with the usual ones."""
    values: Any = texts
    for odd, usual in _ODD_SEPARATORS:
        for character in odd:
            values = pc.replace_substring(values, character, usual)
    unified: pa.Array[Any] = values
    return unified


@dataclass(frozen=True)
class Resolution:
    """The detected type and convention of a column, or the reason why no convention was detected."""

    arrow_type: pa.DataType | None
    convention: Convention | None = None
    note: str | None = None


Values = Callable[[], Iterable["pa.Array[Any]"]]


def resolve_numbers(values: Values, options: ReadOptions) -> Resolution:
    """Detect the only convention in which all values are numbers.

    Parameters
    ----------
    values : callable () -> iterable of text arrays
        Function that returns the values of the column, trimmed and without missing values.
    """
    candidates = [_NumberCandidate(convention) for convention in _number_conventions(options)]
    for texts in values():
        unified = unify_separators(texts)
        candidates = [candidate for candidate in candidates if candidate.accepts(unified)]
        if not candidates:
            return Resolution(None)
    candidates = _distinct(candidates)
    if len(candidates) > 1:
        return Resolution(
            None,
            note="it is unclear whether commas are decimal or thousands separators "
            "(set the option `decimal`)",
        )
    (candidate,) = candidates
    is_given = options.thousands is not None or (options.decimal, candidate.convention.thousands) == (
        ",",
        ".",
    )
    if candidate.is_code_like and not is_given:
        return Resolution(
            None,
            note="groups of digits of equal length may be codes (set the option `thousands` to read numbers)",
        )
    return Resolution(candidate.arrow_type, candidate.convention)


def _number_conventions(options: ReadOptions) -> Iterator[NumberConvention]:
    for decimal in (".", ","):
        for thousands in (None, ",", ".", " ", "'"):
            fits = (
                thousands != decimal
                and options.decimal in (None, decimal)
                and (options.thousands in (None, thousands) or thousands is None)
                and options.thousands != decimal
            )
            if fits:
                yield NumberConvention(decimal, thousands)


@dataclass
class _NumberCandidate:
    """Counts of the values under one candidate convention."""

    convention: NumberConvention
    n_with_mark: int = 0
    n_grouped: int = 0
    n_with_exponent: int = 0
    lengths: set[int] = field(default_factory=set)
    is_whole: bool = True

    def accepts(self, texts: pa.Array[Any]) -> bool:
        """Count values, and return whether all of them are numbers in this convention."""
        values: Any = texts
        if not pc.all(pc.match_substring_regex(values, self.convention.pattern)).as_py():
            return False
        self.n_with_mark += _count(values, self.convention.decimal)
        self.n_with_exponent += _count(values, "e") + _count(values, "E")
        if self.convention.thousands:
            self.n_grouped += _count(values, self.convention.thousands)
        bounds: Any = pc.min_max(pc.binary_length(values)).as_py()
        self.lengths |= {bounds["min"], bounds["max"]}
        if self.is_whole and not self.n_with_mark and not self.n_with_exponent:
            self.is_whole = count_unfit(self.convention.plain(texts), pa.int64(), 1) == 0
        return True

    @property
    def is_code_like(self) -> bool:
        """Whether the values may be codes, such as telephone numbers: grouped digits of equal length."""
        return self.convention.thousands in (" ", ".") and not self.n_with_mark and len(self.lengths) == 1

    @property
    def arrow_type(self) -> pa.DataType:
        """The smallest type that can represent all values."""
        is_integer = not self.n_with_mark and not self.n_with_exponent and self.is_whole
        return pa.int64() if is_integer else pa.float64()


def _count(values: Any, mark: str) -> int:
    return pc.sum(pc.match_substring(values, mark).cast(pa.int64())).as_py() or 0


def _distinct(candidates: Sequence[_NumberCandidate]) -> list[_NumberCandidate]:
    """Remove candidates that read the values like another candidate because their separator never occurs."""
    possible = [
        candidate for candidate in candidates if candidate.convention.thousands is None or candidate.n_grouped
    ]
    whole = [candidate for candidate in possible if not candidate.n_with_mark]
    marks = {candidate.convention.thousands for candidate in whole}
    return [candidate for candidate in possible if candidate.n_with_mark] + [
        next(candidate for candidate in whole if candidate.convention.thousands == mark)
        for mark in sorted(marks, key=str)
    ]


def resolve_dates(values: Values, options: ReadOptions) -> Resolution:
    """Detect the only order in which all values are dates. The parameters are those of `resolve_numbers`."""
    orders = ("day_first", "month_first", "year_first")
    candidates = [
        _DateCandidate(DateConvention(order))
        for order in orders
        if order == "year_first" or options.date_order in (None, order)
    ]
    for texts in values():
        candidates = [candidate for candidate in candidates if candidate.accepts(texts)]
        if not candidates:
            return Resolution(None)
    if len(candidates) > 1 and any(candidate.differs for candidate in candidates):
        return Resolution(
            None,
            note="it is unclear whether the day or the month comes first in the dates "
            "(set the option `date_order`)",
        )
    return Resolution(candidates[0].arrow_type, candidates[0].convention)


@dataclass
class _DateCandidate:
    """Properties of the values under one candidate order."""

    convention: DateConvention
    differs: bool = False
    has_time: bool | None = None
    n_digits: int = 0

    def accepts(self, texts: pa.Array[Any]) -> bool:
        """Return whether all values are dates, or all are timestamps, in this order."""
        values: Any = texts
        has_time = pc.match_substring(values, ":")
        some, every = pc.any(has_time).as_py(), pc.all(has_time).as_py()
        if some != every or self.has_time not in (None, every):
            return False
        self.has_time = every
        parts: Any = pc.extract_regex(values, _DATE_PARTS)
        is_year_first = self.convention.order == "year_first"
        year = parts.field(0 if is_year_first else 2)
        if pc.min(pc.binary_length(year)).as_py() < 4:
            return False
        self.differs |= pc.any(pc.not_equal(parts.field(0), parts.field(1))).as_py()
        if every:
            fractions = pc.extract_regex(values, r"(?:\d:\d\d)(?:\.(?P<digits>[0-9]+))?$").field(0)
            self.n_digits = max(self.n_digits, pc.max(pc.binary_length(fractions)).as_py() or 0)
        plain: Any = self.convention.plain(texts)
        if pc.any(pc.starts_with(plain, "0000")).as_py():
            return False
        return count_unfit(plain, self.arrow_type, 1) == 0

    @property
    def arrow_type(self) -> pa.DataType:
        """The type for dates, or for timestamps in the precision of the values."""
        if not self.has_time:
            return pa.date32()
        digits = self.n_digits
        return pa.timestamp("s" if digits == 0 else "ms" if digits <= 3 else "us" if digits <= 6 else "ns")
