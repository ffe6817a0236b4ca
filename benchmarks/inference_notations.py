"""Columns of dates, times, money and quantities in many notations, with their true values.

The values are written with Python's formatting, independently of Understudy's code for notations.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any  # `Any` is a true value of any type.

N_ROWS = 240
_N_TABLES = 3
# In some tables, one of these words represents the missing values.
_MISSING = ("", "n/a", "-", "NA", "?")
_MONTHS = {
    "de": "Januar,Februar,März,April,Mai,Juni,Juli,August,September,Oktober,November,Dezember",
    "fr": "janvier,février,mars,avril,mai,juin,juillet,août,septembre,octobre,novembre,décembre",
    "es": "enero,febrero,marzo,abril,mayo,junio,julio,agosto,septiembre,octubre,noviembre,diciembre",
    "nl": "januari,februari,maart,april,mei,juni,juli,augustus,september,oktober,november,december",
}
_EAST = timezone(timedelta(hours=2))

DATE_HEADERS = ("date", "order_date", "visited")
DATES = (
    *("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *("%-d.%-m.%Y", "%-m/%-d/%Y", "%-d/%-m/%Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y"),
    *("%B %-d, %Y", "%b %-d, %Y", "%-d %B %Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%-m/%-d/%y"),
    *("%Y%m%d", "%a, %d %b %Y", "%A, %B %-d, %Y", "%Y-%b-%d", "%b %d %Y", "%d%b%Y", "%A %d %B %Y"),
)
MONTHS = ("%Y-%m", "%m/%Y", "%b %Y", "%b-%y", "%B %Y", "%Y/%m")
TIMESTAMPS = (
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M %p"),
    *("%-m/%-d/%Y %-I:%M:%S %p", "%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d-%b-%Y %H:%M"),
    *("%a %b %d %H:%M:%S %Y", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S", "%-m/%-d/%y %-H:%M", "%d %B %Y %H:%M"),
    *("%b %-d, %Y %-I:%M %p", "%Y-%m-%d %H:%M:%S.%f"),
)
ZONED = ("%Y-%m-%dT%H:%M:%SZ", "%a, %d %b %Y %H:%M:%S +0000", "%d/%b/%Y:%H:%M:%S +0000")
TIMES = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%-I:%M %p", "%-H:%M")
_AMOUNT_HEADERS = ("amount", "value", "measured")


def _grouped(number: float, decimals: int, thousands: str, mark: str) -> str:
    text = f"{number:,.{decimals}f}"
    return text.replace(",", "\0").replace(".", mark).replace("\0", thousands)


def _around(
    prefix: str = "", suffix: str = "", *, decimals: int = 2, thousands: str = "", mark: str = "."
) -> Callable[[float], str]:
    return lambda number: f"{prefix}{_grouped(number, decimals, thousands, mark)}{suffix}"


def _signed(write: Callable[[float], str], negative: str) -> Callable[[float], str]:
    """Return a function that formats numbers. For negative numbers, the amount replaces `#` in `negative`."""
    return lambda number: negative.replace("#", write(-number)) if number < 0 else write(number)


# Formatting function, number of decimals, whether some values are negative, and the true value of the written
# number 1.
AMOUNTS: tuple[tuple[Callable[[float], str], int, bool, float], ...] = (
    *((_around(sign, thousands=","), 2, False, 1.0) for sign in ("$", "£", "€", "US$", "A$", "₹", "USD ")),
    *((_around("", sign, thousands=".", mark=","), 2, False, 1.0) for sign in (" €", "€", " EUR")),
    *((_around("", sign, thousands=" ", mark=","), 2, False, 1.0) for sign in (" €", " kr", " zł", " Kč")),
    (_around("R$ ", thousands=".", mark=","), 2, False, 1.0),
    (_around("CHF ", thousands="'"), 2, False, 1.0),
    (_around("¥", decimals=0, thousands=","), 0, False, 1.0),
    (_around("", " USD"), 2, False, 1.0),
    (_signed(_around(thousands=","), "(#)"), 2, True, 1.0),
    (_signed(_around("$", thousands=","), "-#"), 2, True, 1.0),
    (_signed(_around("$", thousands=","), "(#)"), 2, True, 1.0),
    (_signed(_around(thousands=","), "#-"), 2, True, 1.0),
    (_around(thousands=",", decimals=0), 0, False, 1.0),
    (_around(thousands=","), 2, False, 1.0),
    (_around(thousands=".", mark=","), 2, False, 1.0),
    (_around(thousands=" ", mark=","), 2, False, 1.0),
    (_around(thousands="'"), 2, False, 1.0),
    (_around(mark=",", decimals=1), 1, False, 1.0),
    *(
        (_around("", unit, decimals=1), 1, False, 1.0)
        for unit in ("%", " %", " kg", "cm", " °C", " GB", " mph")
    ),
    *((_around("", unit, decimals=0), 0, False, 1.0) for unit in (" kg", "ml", " km", " min", " bpm")),
    (_around("", " %", decimals=1, mark=","), 1, False, 1.0),
    (lambda number: f"{number / 1e6:.2f}M", 2, False, 1e6),
    (lambda number: f"${number / 1e3:.1f}K", 1, False, 1e3),
    (lambda number: f"{number / 1e3:.0f}K", 0, False, 1e3),
)

Column = tuple[str, str, list[str], list[Any]]
"""Name, kind, written values, and true values with None for missing ones."""


def tables() -> Iterator[tuple[str, list[Column]]]:
    """Yield the name and the columns of each table: one column in a notation, and one plain column."""
    for version in range(_N_TABLES):
        for number, (kind, write, values) in enumerate(_notations(version)):
            rng = random.Random(1000 * version + number)  # noqa: S311 - not a secret
            header = (_AMOUNT_HEADERS if kind == "float|integer" else DATE_HEADERS)[version]
            word = _MISSING[(number + version) % len(_MISSING)] if (number + version) % 2 else None
            truth = [None if word is not None and rng.random() < 0.05 else value for value in values]
            texts = [word or "" if value is None else write(value) for value in truth]
            flags = [rng.choice(("yes", "no", "maybe")) for _ in truth]
            columns: list[Column] = [(header, kind, texts, truth), ("answer", "category", flags, list(flags))]
            yield f"notations/{kind.partition('|')[0]}-{number}-{version}", columns


def _notations(version: int) -> Iterator[tuple[str, Callable[[Any], str], Sequence[Any]]]:
    rng = random.Random(version)  # noqa: S311 - not a secret
    moments = _moments(rng, (datetime(2015, 1, 1), datetime(1975, 6, 1), datetime(2021, 2, 1))[version])  # noqa: DTZ001
    days = [moment.date() for moment in moments]
    for pattern in DATES:
        yield "date", _strftime(pattern, is_upper=pattern == "%d%b%Y"), days
    for language in _MONTHS:
        yield "date", _in_language(language), days
    for pattern in MONTHS:
        yield "date", _strftime(pattern), [day.replace(day=1) for day in days]
    for pattern in TIMESTAMPS:
        yield "timestamp", _strftime(pattern), _rounded(moments, pattern)
    for pattern in ZONED:
        yield "timestamp", _strftime(pattern), [moment.replace(tzinfo=UTC) for moment in moments]
    yield (
        "timestamp",
        lambda moment: moment.astimezone(_EAST).isoformat(),
        [moment.replace(tzinfo=UTC) for moment in moments],
    )
    for pattern in TIMES:
        yield "time", _strftime(pattern), [moment.time() for moment in _rounded(moments, pattern)]
    for write, decimals, has_negative, scale in AMOUNTS:
        amounts = (rng.lognormvariate(6, 1.5) * (scale if scale > 1 else 1) for _ in range(N_ROWS))
        signs = (-1 if has_negative and rng.random() < 0.3 else 1 for _ in range(N_ROWS))
        numbers = [
            sign * round(amount / scale, decimals) * scale
            for sign, amount in zip(signs, amounts, strict=True)
        ]
        yield "float|integer", write, numbers


def _moments(rng: random.Random, start: datetime) -> list[datetime]:
    return [start + timedelta(seconds=rng.randrange(900 * 86_400)) for _ in range(N_ROWS)]


def _rounded(moments: Sequence[datetime], pattern: str) -> list[datetime]:
    """Return the moments, with seconds set to 0 if the pattern contains no seconds."""
    return [moment if "%S" in pattern else moment.replace(second=0) for moment in moments]


def _strftime(pattern: str, *, is_upper: bool = False) -> Callable[[date | time], str]:
    return lambda value: value.strftime(pattern).upper() if is_upper else value.strftime(pattern)


def _in_language(language: str) -> Callable[[date], str]:
    names = _MONTHS[language].split(",")
    link = ". " if language == "de" else " de " if language == "es" else " "
    end = " de " if language == "es" else " "
    return lambda day: f"{day.day}{link}{names[day.month - 1]}{end}{day.year}"
