"""The notation of a column, which defines how its values are written in text formats.

A column of type `double` may be written as `$1,234.50`, `1.234,5` or `12 %`, and a date as `19-Aug-2015`.
`notations` parses, writes and detects notations. Importing this module loads neither Arrow nor NumPy.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from understudy.tables.notation_base import SHARES_MAX, BaseNotation
from understudy.tables.notation_scripts import Calendar
from understudy.tables.notation_words import Shares, Word, without_formula

METADATA_KEY = b"understudy.notation"
"""Key in an Arrow field's metadata. The value is the notation as JSON."""

SCALES: dict[str, float] = {
    **{"K": 1e3, "k": 1e3, "M": 1e6, "MM": 1e6, "mn": 1e6, "mio": 1e6, "Mio": 1e6},
    **{"B": 1e9, "bn": 1e9, "Bn": 1e9, "G": 1e9, "T": 1e12},
}
"""Suffixes for thousands, millions and so on, and the factor of each."""

DIRECTIVES = frozenset(
    (
        *("Y", "y", "m", "-m", "d", "-d", "e", "b", "B", "a", "A", "j", "q", "G", "V", "-V", "u"),
        *("H", "-H", "I", "-I", "M", "-M", "S", "-S", "p", "z", "-z", ":z", "s", "Q", "x", "o"),
        *("f", *(f"{n}f" for n in range(1, 10))),
    )
)
"""Directives of date patterns: the directives of C's strftime, and `%q` (quarter), `%3f` (three digits of a
fraction), `%o` (day with an ordinal suffix, such as `3rd`), `%-z` (offset from UTC in hours, such as `+02`),
`%Q` (milliseconds since 1970) and `%x` (days since 1899-12-30, the serial numbers of workbooks). After `%x`,
`%f` is the fraction of the day."""

_TOKEN = re.compile(r"%(-?[A-Za-z]|:z|[1-9]f|%)|([^%]+)")


class NumberNotation(BaseNotation):
    """The notation of numbers."""

    type: Annotated[Literal["number"], Field(description="Discriminator of the notation: `number`.")] = (
        "number"
    )
    decimal: Annotated[Literal[".", ","], Field(description="Decimal separator.")] = "."
    thousands: Annotated[
        Literal[",", ".", " ", "'", "\u2019", "\u00a0", "\u202f", "\u2009"] | None,
        Field(description="Thousands separator; null for none."),
    ] = None
    grouping: Annotated[
        Literal["thousands", "indian"],
        Field(description="Groups of digits: `1,234,567`, or `12,34,567` as in India."),
    ] = "thousands"
    decimals: Annotated[
        int | None,
        Field(ge=0, le=18, description="Number of digits after the decimal separator; null if it varies."),
    ] = None
    width: Annotated[
        int,
        Field(
            ge=0,
            le=18,
            description="Minimum number of digits; shorter numbers are padded with leading zeros.",
        ),
    ] = 0
    prefix: Annotated[
        str, Field(max_length=16, description="Text before the digits, such as `$` or `EUR `.")
    ] = ""
    suffix: Annotated[
        str, Field(max_length=24, description="Text after the digits, such as ` €`, `%` or ` kg`.")
    ] = ""
    negative: Annotated[
        Literal["minus", "minus_after_prefix", "trailing_minus", "parentheses", "parentheses_after_prefix"],
        Field(description="Notation of negative numbers: `-$5`, `$-5`, `$5-`, `($5)` or `$(5)`."),
    ] = "minus"
    minus: Annotated[
        Literal["-", "\u2212"], Field(description="Minus sign: a hyphen-minus or the character U+2212.")
    ] = "-"
    exponent: Annotated[
        bool, Field(description="Whether numbers are written with an exponent, such as `5.87e+03`.")
    ] = False
    exponent_mark: Annotated[Literal["e", "E"], Field(description="Letter before the exponent.")] = "e"
    plus: Annotated[bool, Field(description="Whether positive numbers have a plus sign.")] = False
    scales: Annotated[
        tuple[str, ...],
        Field(
            max_length=6,
            description="Suffixes that multiply the number, such as `K` for thousands, before `suffix`.",
        ),
    ] = ()
    scale_decimals: Annotated[
        tuple[Annotated[int, Field(ge=0, le=18)], ...],
        Field(
            max_length=7,
            description="Number of decimals of the numbers with each suffix in `scales`, and of smaller "
            "numbers if they have no suffix.",
        ),
    ] = ()
    trims_zeros: Annotated[
        bool, Field(description="Whether trailing zeros are left out of the decimals in `scale_decimals`.")
    ] = False

    @field_validator("prefix")
    @classmethod
    def _prefix_is_no_formula(cls, prefix: str) -> str:
        return without_formula(prefix)

    @field_validator("scales")
    @classmethod
    def _scales_are_known(cls, scales: tuple[str, ...]) -> tuple[str, ...]:
        if not set(scales) <= set(SCALES):
            raise ValueError(f"scales must be among {', '.join(SCALES)}")
        return scales

    @model_validator(mode="after")
    def _scales_have_decimals(self) -> Self:
        if self.scale_decimals and len(self.scale_decimals) - len(self.scales) not in (0, 1):
            raise ValueError("scale_decimals must have one number for each of the scales, or one more")
        return self


class DateNotation(BaseNotation):
    """The notation of dates, times of day and timestamps."""

    type: Annotated[Literal["date"], Field(description="Discriminator of the notation: `date`.")] = "date"
    pattern: Annotated[
        str,
        Field(
            min_length=2,
            max_length=64,
            description="Pattern with the directives of strftime, such as `%d-%b-%Y` or `%-m/%-d/%Y %H:%M`.",
        ),
    ]
    year_min: Annotated[
        int,
        Field(ge=1800, le=2100, description="First of the 100 years that two-digit years represent."),
    ] = 1969
    language: Annotated[
        Literal["en", "de", "fr", "es", "it", "pt", "nl", "ru", "tr", "pl", "sv", "da", "nb", "cs"],
        Field(description="Language of the names of months and days."),
    ] = "en"
    capitals: Annotated[
        Literal["title", "upper", "lower"],
        Field(description="Capitalization of names and of AM and PM."),
    ] = "title"
    has_dots: Annotated[bool, Field(description="Whether short names end with a period (`janv.`).")] = False
    calendar: Annotated[
        Calendar,
        Field(description="Calendar: `gregorian`, or a notation of Japanese eras, such as `letter`."),
    ] = "gregorian"
    offset_minutes: Annotated[
        int,
        Field(ge=-1080, le=1080, description="Offset from UTC, in minutes, at which `%z` writes timestamps."),
    ] = 0
    other_offsets: Annotated[
        tuple[Annotated[str, Field(pattern=r"^(Z|[+-]\d{2}(:?\d{2})?)$")], ...],
        Field(max_length=20, description="Offsets at which `%z` writes other timestamps, such as `+02:00`."),
    ] = ()
    offset_shares: Annotated[
        Shares, Field(description="Share of the timestamps at each offset, starting with `offset_minutes`.")
    ] = ()
    other_patterns: Annotated[
        tuple[Annotated[str, Field(min_length=2, max_length=64)], ...],
        Field(max_length=4, description="Patterns of the values that do not follow `pattern`."),
    ] = ()
    pattern_shares: Annotated[
        Shares, Field(description="Share of the values that follow each pattern, starting with `pattern`.")
    ] = ()

    @model_validator(mode="after")
    def _patterns_agree(self) -> Self:
        for others, shares in (
            (self.other_patterns, self.pattern_shares),
            (self.other_offsets, self.offset_shares),
        ):
            if len(shares) != (len(others) + 1 if others else 0) or sum(shares) > SHARES_MAX:
                raise ValueError("shares must have one share per pattern or offset and a sum of at most 1")
        for pattern in self.other_patterns:
            other = self.with_pattern(pattern)
            if (other.has_date, other.has_time, other.is_zoned) != (
                self.has_date,
                self.has_time,
                self.is_zoned,
            ):
                raise ValueError("all patterns must contain the same parts (date, time of day, UTC offset)")
        return self

    @model_validator(mode="after")
    def _years_of_eras_come_first(self) -> Self:
        if self.calendar != "gregorian" and not self.has_years_first:
            raise ValueError("all patterns must begin with %Y if the calendar is not gregorian")
        return self

    @property
    def has_years_first(self) -> bool:
        """Whether all patterns begin with a year of four digits."""
        return all(pattern.startswith(("%Y", "%F")) for pattern in self.patterns)

    def with_pattern(self, pattern: str) -> DateNotation:
        """Return the notation with the given pattern as its only pattern."""
        own = {"pattern": pattern, "other_patterns": (), "pattern_shares": ()}
        return DateNotation(**{**dict(self), **own})

    @property
    def patterns(self) -> tuple[str, ...]:
        """All patterns, the most frequent first."""
        return (self.pattern, *self.other_patterns)

    @field_validator("pattern")
    @classmethod
    def _pattern_is_supported(cls, pattern: str) -> str:
        pattern = pattern.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%D", "%m/%d/%y")
        pattern = pattern.replace("%R", "%H:%M").replace("%h", "%b")
        directives = [directive for directive, _ in tokens(pattern) if directive]
        unknown = [directive for directive in directives if directive not in DIRECTIVES]
        if unknown:
            raise ValueError(f"the directive %{unknown[0]} is not supported in a date pattern")
        if not directives:
            raise ValueError("a date pattern must have at least one directive, such as %Y")
        if not _is_whole(set(directives)):
            raise ValueError("a date pattern must determine a date or a time of day, as %d.%m.%Y does")
        return without_formula(pattern)

    @property
    def directives(self) -> frozenset[str]:
        """The directives of the pattern without padding and widths."""
        return frozenset(d.lstrip("-0123456789") for d, _ in tokens(self.pattern) if d)

    @property
    def has_date(self) -> bool:
        """Whether the pattern contains a date."""
        return bool(self.directives & {"Y", "y", "G", "s", "Q", "x"})

    @property
    def has_time(self) -> bool:
        """Whether the pattern contains a time of day."""
        return bool(self.directives & {"H", "I", "s", "Q"}) or {"x", "f"} <= self.directives

    @property
    def has_offset(self) -> bool:
        """Whether the pattern has a directive for the offset from UTC."""
        return bool(self.directives & {"z", "-z", ":z"})

    @property
    def is_zoned(self) -> bool:
        """Whether values have an offset from UTC, either through a directive or a constant such as `Z`."""
        return self.has_offset or bool(re.search(r"(?:S|f|M) ?(?:Z|UTC|GMT)$", self.pattern))


def _is_whole(directives: set[str]) -> bool:
    plain = {d.lstrip("-0123456789") for d in directives}
    if plain & {"s", "Q", "x"}:
        return len(plain - {"f"}) == 1 and plain != {"Q", "f"}
    has_year = plain & {"Y", "y"}
    is_date = has_year and (plain & {"m", "b", "B"} or plain & {"j", "q"})
    is_week = plain >= {"G", "V"}
    has_clock = "H" in plain or plain >= {"I", "p"}
    return bool(is_date or is_week or (has_clock and not has_year and not plain & {"m", "d", "b", "B"}))


class BooleanNotation(BaseNotation):
    """The notation of booleans."""

    type: Annotated[Literal["boolean"], Field(description="Discriminator of the notation: `boolean`.")] = (
        "boolean"
    )
    true: Annotated[Word, Field(description="Word for true.")]
    false: Annotated[Word, Field(description="Word for false.")]
    true_words: Annotated[
        tuple[Word, ...], Field(max_length=10, description="Other words for true, such as `True`.")
    ] = ()
    true_shares: Annotated[
        Shares, Field(description="Shares of the true values that are written as the words in `true_words`.")
    ] = ()
    false_words: Annotated[
        tuple[Word, ...], Field(max_length=10, description="Other words for false, such as `False`.")
    ] = ()
    false_shares: Annotated[
        Shares,
        Field(description="Shares of the false values that are written as the words in `false_words`."),
    ] = ()

    @model_validator(mode="after")
    def _words_have_shares(self) -> Self:
        for words, shares in (
            (self.true_words, self.true_shares),
            (self.false_words, self.false_shares),
        ):
            if len(words) != len(shares) or sum(shares) > SHARES_MAX:
                raise ValueError("each word must have one share, and the shares must add up to at most 1")
        return self


class DurationNotation(BaseNotation):
    """The notation of durations."""

    type: Annotated[Literal["duration"], Field(description="Discriminator of the notation: `duration`.")] = (
        "duration"
    )
    style: Annotated[
        Literal["clock", "days", "words", "iso"],
        Field(
            description="`clock` (36:15:00), `days` (3 days 04:05:06), `words` (1h 30m) or `iso` (PT1H30M)."
        ),
    ]
    units: Annotated[
        tuple[Literal["d", "h", "m", "s"], ...],
        Field(min_length=1, max_length=4, description="Units from days to seconds, the largest first."),
    ]
    labels: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=16)], ...],
        Field(max_length=4, description="Text after the number of each unit, in the style `words`."),
    ] = ()
    separator: Annotated[str, Field(max_length=4, description="Text between two units.")] = " "
    padded: Annotated[bool, Field(description="Whether numbers below 10 have a leading zero.")] = False
    plural: Annotated[bool, Field(description="Whether labels have an `s` after numbers other than 1.")] = (
        False
    )
    omits_zeros: Annotated[bool, Field(description="Whether units that are zero are left out.")] = False

    @model_validator(mode="after")
    def _units_have_order(self) -> Self:
        if self.style == "clock" and self.omits_zeros and self.units != ("h", "m", "s"):
            raise ValueError("the style `clock` can leave out zeros only with the units h, m and s")
        if list(self.units) != [unit for unit in "dhms" if unit in self.units]:
            raise ValueError("units must be ordered from days to seconds, without repetitions")
        if self.style == "words" and len(self.labels) != len(self.units):
            raise ValueError("the style `words` requires a label for each unit")
        if self.style == "days" and self.units != ("d", "h", "m", "s"):
            raise ValueError("the style `days` requires the units d, h, m and s")
        if self.style == "clock" and "d" in self.units:
            raise ValueError("the style `clock` does not support the unit d")
        return self


class PlainNotation(BaseNotation):
    """A notation of any type that changes only how missing values are written."""

    type: Annotated[Literal["plain"], Field(description="Discriminator of the notation: `plain`.")] = "plain"


Notation = Annotated[
    NumberNotation | DateNotation | BooleanNotation | DurationNotation | PlainNotation,
    Field(discriminator="type"),
    # The OpenAPI document does not list the fields of notations. The guide to schemas does.
    WithJsonSchema({"type": "object", "additionalProperties": True}),
]

AnyNotation = NumberNotation | DateNotation | BooleanNotation | DurationNotation | PlainNotation

_ADAPTER: TypeAdapter[AnyNotation] = TypeAdapter(Notation)


def tokens(pattern: str) -> list[tuple[str, str]]:
    """Split a date pattern into pairs of a directive (or an empty string) and literal text."""
    parts: list[tuple[str, str]] = []
    end = 0
    for match in _TOKEN.finditer(pattern):
        if match.start() != end:
            raise ValueError("a date pattern must have a letter after each percent sign")
        end = match.end()
        parts.append(("", "%") if match[1] == "%" else (match[1] or "", match[2] or ""))
    if end != len(pattern):
        raise ValueError("a date pattern must have a letter after each percent sign")
    return parts


def field_metadata(
    notation: AnyNotation | None,
) -> dict[bytes, bytes] | None:
    """Return Arrow field metadata that stores a notation."""
    if notation is None:
        return None
    given = notation.model_dump(exclude_defaults=True)
    return {METADATA_KEY: json.dumps({"type": notation.type, **given}, ensure_ascii=False).encode()}


def read_metadata(
    metadata: dict[bytes, bytes] | None,
) -> AnyNotation | None:
    """Return the notation from an Arrow field's metadata, or None if the metadata has no valid notation."""
    text = (metadata or {}).get(METADATA_KEY)
    if text is None:
        return None
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError:
        return None
