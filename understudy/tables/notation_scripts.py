"""Scripts of digits and calendars in notations. Importing this module loads neither Arrow nor NumPy."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

ZEROS = {
    "arabic": "\u0660",
    "persian": "\u06f0",
    "devanagari": "\u0966",
    "bengali": "\u09e6",
    "gurmukhi": "\u0a66",
    "gujarati": "\u0ae6",
    "odia": "\u0b66",
    "tamil": "\u0be6",
    "telugu": "\u0c66",
    "kannada": "\u0ce6",
    "malayalam": "\u0d66",
    "thai": "\u0e50",
    "lao": "\u0ed0",
    "tibetan": "\u0f20",
    "myanmar": "\u1040",
    "khmer": "\u17e0",
    "fullwidth": "\uff10",
}
"""The digit zero of each script. The digits one to nine follow it."""

_ARABIC_MARKS = {"\u066b": ".", "\u066c": ","}
MARKS = {
    "arabic": _ARABIC_MARKS,
    "persian": _ARABIC_MARKS,
    "fullwidth": {"\uff0e": ".", "\uff0c": ",", "\uff0f": "/", "\uff0d": "-", "\uff1a": ":"},
}
"""Separators of a script, and their Latin counterparts. Scripts with the suffix `_marks` use them."""

CALENDARS = {
    f"{era}{suffix}{'_padded' * is_padded}{'_first' * has_first}": (
        era == "letter",
        separator,
        is_padded,
        has_first,
    )
    for era in ("letter", "name")
    for separator, suffix in (("", ""), (".", "_point"), (" ", "_space"))
    for is_padded in (False, True)
    for has_first in ((False,) if era == "letter" else (False, True))
}
"""Ways to write the years of Japanese eras: whether the era is a letter, the text between the era and the
year, whether years have two digits, and whether the first year is written as 元."""

DIGITS = frozenset({"latin", *ZEROS, *(f"{script}_marks" for script in MARKS)})
"""Names of scripts of digits."""


def _check_digits(digits: str) -> str:
    if digits not in DIGITS:
        raise ValueError(f"digits must be one of {', '.join(sorted(DIGITS))}")
    return digits


def _check_calendar(calendar: str) -> str:
    if calendar != "gregorian" and calendar not in CALENDARS:
        raise ValueError(f"calendar must be gregorian, {', '.join(CALENDARS)}")
    return calendar


DigitScript = Annotated[str, AfterValidator(_check_digits)]
Calendar = Annotated[str, AfterValidator(_check_calendar)]
