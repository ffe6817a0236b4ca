"""Numbers and dates as some country writes them, recognised by column where all values leave no doubt.

`1.234,56` can only be a number with a decimal comma, but `1,234` may be a large or a small one: such a column
stays text, with a note that names the option which decides it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from understudy.parameters.read_options import ReadOptions
from understudy.tables.casting import count_unfit

# Blanks and apostrophes that stand between thousands, and those for which they are taken.
_ODD_SEPARATORS = ("\u00a0\u202f\u2009", " "), ("\u2019", "'")

SEPARATED = (
    r"-?[0-9.]*[,' \x{a0}\x{202f}\x{2009}\x{2019}][0-9.,' \x{a0}\x{202f}\x{2009}\x{2019}]*[0-9.,]"
    r"(?:[eE][-+]?[0-9]+)?|-?,[0-9]+|-?[0-9]+,|-?[0-9]{1,3}(?:\.[0-9]{3}){2,}"
)
"""The pattern of values that may be numbers under some convention, and are none under the plain one."""
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
LOCAL_DATE = (
    r"(?:[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}|[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}|[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}"
    rf"|[0-9]{{4}}/[0-9]{{1,2}}/[0-9]{{1,2}}|[0-9]{{4}}\.[0-9]{{1,2}}\.[0-9]{{1,2}})(?: {_CLOCK})?"
)
"""The pattern of dates, perhaps with a time, that do not have the order of ISO 8601 with its hyphens."""

_DATE_PARTS = r"^(?P<a>[0-9]+)[/.-](?P<b>[0-9]+)[/.-](?P<c>[0-9]+)(?: (?P<time>.*))?$"


class Convention(Protocol):
    """One way of writing numbers, or dates, and how to read it."""

    @property
    def words(self) -> str:
        """What it says of a column."""

    def plain(self, texts: pa.Array[Any]) -> pa.Array[Any]:
        """Return the values as the plain type's cast takes them; they hold to the convention."""


@dataclass(frozen=True)
class NumberConvention:
    """A decimal mark, and what parts thousands if anything does."""

    decimal: str
    thousands: str | None

    @property
    def words(self) -> str:
        """What it says of a column."""
        mark = "comma" if self.decimal == "," else "point"
        names = {",": "commas", ".": "points", " ": "blanks", "'": "apostrophes"}
        between = f", {names[self.thousands]} between thousands" if self.thousands else ""
        return f"written with a decimal {mark}{between}"

    @property
    def pattern(self) -> str:
        """What a number is under it."""
        mark = f"\\{self.decimal}"
        plain = r"(?:0|[1-9][0-9]{0,17})"
        whole = (
            rf"(?:{plain}|[1-9][0-9]{{0,2}}(?:[{self.thousands}][0-9]{{3}}){{1,5}})"
            if self.thousands
            else plain
        )
        return rf"\A-?(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][-+]?[0-9]+)?\z"

    def plain(self, texts: pa.Array[Any]) -> pa.Array[Any]:
        """Return the numbers without thousands and with a point."""
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
        """What it says of a column."""
        return {
            "day_first": "written with the day first",
            "month_first": "written with the month first",
            "year_first": "written with the year first",
        }[self.order]

    def plain(self, texts: pa.Array[Any]) -> pa.Array[Any]:
        """Return the dates as ISO 8601 writes them."""
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
        dated: pa.Array[Any] = pc.if_else(has_time, pc.binary_join_element_wise(dates, time, "T"), dates)
        return dated


def unify_separators(texts: pa.Array[Any]) -> pa.Array[Any]:
    """Return the values with plain blanks and apostrophes."""
    values: Any = texts
    for odd, usual in _ODD_SEPARATORS:
        for character in odd:
            values = pc.replace_substring(values, character, usual)
    unified: pa.Array[Any] = values
    return unified


@dataclass(frozen=True)
class Settled:
    """What became of a column with values that only a convention can tell: its type, or why it has none."""

    arrow_type: pa.DataType | None
    convention: Convention | None = None
    note: str | None = None


Values = Callable[[], Iterable["pa.Array[Any]"]]


def settle_numbers(values: Values, options: ReadOptions) -> Settled:
    """Return the one convention under which all values are numbers.

    Parameters
    ----------
    values : callable () -> iterable of text arrays
        The values of the column, trimmed, none missing.
    """
    looks = [_NumberLook(convention) for convention in _number_conventions(options)]
    for texts in values():
        unified = unify_separators(texts)
        looks = [look for look in looks if look.holds(unified)]
        if not looks:
            return Settled(None)
    looks = _distinct(looks)
    if len(looks) > 1:
        return Settled(
            None,
            note="numbers whose comma may be a decimal mark or may part thousands are kept as text; "
            "the option `decimal` decides",
        )
    (look,) = looks
    is_said = options.thousands is not None or (options.decimal, look.convention.thousands) == (",", ".")
    if look.is_code_like and not is_said:
        return Settled(
            None,
            note="digits in groups, all of one length, are kept as text; the option `thousands` decides",
        )
    return Settled(look.arrow_type, look.convention)


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
class _NumberLook:
    """What was seen of the values under a convention."""

    convention: NumberConvention
    n_with_mark: int = 0
    n_parted: int = 0
    n_with_exponent: int = 0
    lengths: set[int] = field(default_factory=set)
    is_whole: bool = True

    def holds(self, texts: pa.Array[Any]) -> bool:
        """Look at values, and say whether all of them are numbers under the convention."""
        values: Any = texts
        if not pc.all(pc.match_substring_regex(values, self.convention.pattern)).as_py():
            return False
        self.n_with_mark += _count(values, self.convention.decimal)
        self.n_with_exponent += _count(values, "e") + _count(values, "E")
        if self.convention.thousands:
            self.n_parted += _count(values, self.convention.thousands)
        bounds: Any = pc.min_max(pc.binary_length(values)).as_py()
        self.lengths |= {bounds["min"], bounds["max"]}
        if self.is_whole and not self.n_with_mark and not self.n_with_exponent:
            self.is_whole = count_unfit(self.convention.plain(texts), pa.int64(), 1) == 0
        return True

    @property
    def is_code_like(self) -> bool:
        """Whether the values may be telephone numbers or addresses: groups of digits, all as long."""
        return self.convention.thousands in (" ", ".") and not self.n_with_mark and len(self.lengths) == 1

    @property
    def arrow_type(self) -> pa.DataType:
        """The smallest type of all numbers."""
        is_integer = not self.n_with_mark and not self.n_with_exponent and self.is_whole
        return pa.int64() if is_integer else pa.float64()


def _count(values: Any, mark: str) -> int:
    return pc.sum(pc.match_substring(values, mark).cast(pa.int64())).as_py() or 0


def _distinct(looks: Sequence[_NumberLook]) -> list[_NumberLook]:
    """Leave out those that read every value as another does: their thousands, or their mark, never occur."""
    kept = [look for look in looks if look.convention.thousands is None or look.n_parted]
    whole = [look for look in kept if not look.n_with_mark]
    marks = {look.convention.thousands for look in whole}
    return [look for look in kept if look.n_with_mark] + [
        next(look for look in whole if look.convention.thousands == mark) for mark in sorted(marks, key=str)
    ]


def settle_dates(values: Values, options: ReadOptions) -> Settled:
    """Return the one order under which all values are dates; see `settle_numbers`."""
    orders = ("day_first", "month_first", "year_first")
    looks = [
        _DateLook(DateConvention(order))
        for order in orders
        if order == "year_first" or options.date_order in (None, order)
    ]
    for texts in values():
        looks = [look for look in looks if look.holds(texts)]
        if not looks:
            return Settled(None)
    if len(looks) > 1 and any(look.differs for look in looks):
        return Settled(
            None,
            note="dates whose day and month cannot be told apart are kept as text; "
            "the option `date_order` decides",
        )
    return Settled(looks[0].arrow_type, looks[0].convention)


@dataclass
class _DateLook:
    """What was seen of the values under an order."""

    convention: DateConvention
    differs: bool = False
    has_time: bool | None = None
    n_digits: int = 0

    def holds(self, texts: pa.Array[Any]) -> bool:
        """Look at values, and say whether all of them are dates in the order, or all points in time."""
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
        """Dates, or points in time in the precision that is written."""
        if not self.has_time:
            return pa.date32()
        digits = self.n_digits
        return pa.timestamp("s" if digits == 0 else "ms" if digits <= 3 else "us" if digits <= 6 else "ns")
