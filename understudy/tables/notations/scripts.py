"""Digits of other scripts, and years of Japanese eras.

Both are converted before a notation is parsed, and restored after it is written, so that the other parts of a
notation need only Latin digits and Gregorian years.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute

from understudy.tables.notation import AnyNotation, DateNotation
from understudy.tables.notation_scripts import CALENDARS, MARKS, ZEROS

# Any: the stubs of these functions do not support types that are known only at run time.
pc: Any = pyarrow.compute

# First days of the Japanese eras, the latest first, with their letters.
_ERAS = (
    ("令和", "R", date(2019, 5, 1)),
    ("平成", "H", date(1989, 1, 8)),
    ("昭和", "S", date(1926, 12, 25)),
    ("大正", "T", date(1912, 7, 30)),
    ("明治", "M", date(1868, 1, 25)),
)
_START = {name: first for era in _ERAS for name in era[:2] for first in era[2:]}
# A single letter is an era only in front of a year, a month and a day.
_ERA_YEAR = re.compile(
    r"(?:(?=[RHSTM][ .]?\d{1,2}([./-])\d{1,2}\1\d)|(?=[^A-Z]))"
    r"(?P<era>令和|平成|昭和|大正|明治|[RHSTM])(?P<separator>[ .]?)(?P<year>元|\d{1,2})(?=[年./-]\s?\d)"
)
# Minimum share of the sampled values that must be in the script or calendar.
_SHARE_MIN = 0.9
# Maximum number of texts that are examined.
_N_EXAMINED = 1_000


class Script(NamedTuple):
    """The script of a column's digits, and the calendar of its dates. See `CALENDARS`."""

    digits: str = "latin"
    calendar: str = "gregorian"

    @property
    def has_letters(self) -> bool:
        """Whether years begin with the letter of an era."""
        return self.calendar != "gregorian" and CALENDARS[self.calendar][0]

    def convert(self, texts: pa.Array[Any]) -> pa.Array[Any]:
        """Return texts with Latin digits and Gregorian years."""
        values: Any = texts
        if self.digits != "latin":
            for own, latin in _characters(self.digits):
                values = pc.replace_substring(values, own, latin)
        if self.calendar != "gregorian":
            values = pa.array([None if text is None else _gregorian(text) for text in values.to_pylist()])
        converted: pa.Array[Any] = values.cast(pa.string())
        return converted

    def restore(self, texts: pa.Array[Any], days: pa.Array[Any] | None) -> pa.Array[Any]:
        """Return written texts in the script and calendar. Calendars other than Gregorian require `days`."""
        written: Any = texts
        if self.calendar != "gregorian":
            assert days is not None
            pairs = zip(texts.to_pylist(), days.to_pylist(), strict=True)
            restored = [
                None if text is None or day is None else _in_era(text, day, CALENDARS[self.calendar])
                for text, day in pairs
            ]
            written = pa.array(restored, pa.string())
        if self.digits != "latin":
            for own, latin in _characters(self.digits):
                # Separators in a suffix, such as the points of a currency, are unchanged.
                is_digit = latin.isdigit()
                written = (
                    pc.replace_substring(written, latin, own)
                    if is_digit
                    else _replace_between_digits(written, latin, own)
                )
        result: pa.Array[Any] = written
        return result


def _replace_between_digits(texts: Any, latin: str, own: str) -> Any:
    # Each replacement includes the next digit, so neighboring marks need two passes.
    for _ in range(2):
        texts = pc.replace_substring_regex(texts, rf"(\d|\A){re.escape(latin)}(\d)", rf"\1{own}\2")
    return texts


PLAIN = Script()
_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def has_japanese(text: str) -> bool:
    """Return whether a text contains kana or kanji."""
    return _JAPANESE.search(text) is not None


def script_of(notation: AnyNotation) -> Script:
    """Return the script of a notation."""
    calendar = notation.calendar if isinstance(notation, DateNotation) else "gregorian"
    return Script(notation.digits, calendar)


def find_script(values: list[str], counts: list[int]) -> Script:
    """Return the script and calendar of nearly all sampled values, by default Latin and Gregorian."""
    n = sum(counts)
    digits = _find_digits(values, counts, n)
    latin = Script(digits).convert(pa.array(values, pa.string())).to_pylist() if digits != "latin" else values
    matches = [match for text in latin if (match := _ERA_YEAR.match(str(text)))]
    n_era = sum(count for text, count in zip(latin, counts, strict=True) if _ERA_YEAR.match(str(text)))
    return Script(digits, _calendar_of(matches) if n and n_era >= _SHARE_MIN * n else "gregorian")


def find_digits(texts: pa.Array[Any]) -> Script:
    """Return the script of the digits in nearly all texts that contain digits."""
    is_other = pc.match_substring_regex(texts, r"[^\x00-\x7f]")
    if not pc.any(is_other).as_py():
        return PLAIN
    first = map(str, texts.drop_null().slice(0, _N_EXAMINED).to_pylist())
    values = [text for text in first if any(map(str.isdigit, text))]
    return Script(_find_digits(values, [1] * len(values), len(values)))


def _find_digits(values: list[str], counts: list[int], n: int) -> str:
    if all(text.isascii() for text in values):
        return "latin"
    for script, zero in ZEROS.items():
        own = {chr(ord(zero) + i) for i in range(10)}
        has_own = [bool(own & set(text)) and not any(map(_is_latin_digit, text)) for text in values]
        if n and sum(c for c, has in zip(counts, has_own, strict=True) if has) >= _SHARE_MIN * n:
            marks = MARKS.get(script, {})
            has_marks = any(set(marks) & set(text) for text in values)
            return f"{script}_marks" if has_marks else script
    return "latin"


def _is_latin_digit(character: str) -> bool:
    return character.isascii() and character.isdigit()


def _characters(digits: str) -> Iterator[tuple[str, str]]:
    """Yield pairs of a character of the script and its Latin counterpart."""
    script = digits.removesuffix("_marks")
    if script != digits:
        yield from MARKS[script].items()
    yield from ((chr(ord(ZEROS[script]) + i), str(i)) for i in range(10))


def _calendar_of(matches: list[re.Match[str]]) -> str:
    """Return the calendar of dates that begin with an era."""
    is_letter = len(matches[0]["era"]) == 1
    years = [match["year"] for match in matches]
    separator = matches[0]["separator"]
    is_padded = any(year.startswith("0") for year in years)
    has_first = not is_letter and "元" in years
    wanted = (is_letter, separator, is_padded, has_first)
    return next((name for name, own in CALENDARS.items() if own == wanted), "gregorian")


def _gregorian(text: str) -> str:
    """Return a text with a Gregorian year in place of an era and its year at the beginning."""
    match = _ERA_YEAR.match(text)
    if match is None:
        return text
    number = 1 if match["year"] == "元" else int(match["year"])
    return f"{_START[match['era']].year + number - 1:04d}{text[match.end() :]}"


def _in_era(text: str, day: date, style: tuple[bool, str, bool, bool]) -> str:
    """Return a text with an era in place of the year. Dates before the eras are unchanged."""
    is_letter, separator, is_padded, has_first = style
    era = next((era for era in _ERAS if day >= era[2]), None)
    if era is None or not re.match(r"\d{4}", text):
        return text
    number = day.year - era[2].year + 1
    year = "元" if has_first and number == 1 else f"{number:02d}" if is_padded else str(number)
    return (era[1] if is_letter else era[0]) + separator + year + text[4:]
