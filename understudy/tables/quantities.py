"""Split texts into numbers and the text around them, and recognize texts of numbers and units."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

SLOT = "#"
"""Character that represents a number in a form. A text that contains it has no form."""

_GROUPS = " \u00a0\u202f\u2009'\u2019"
_PATTERNS = {
    mark: re.compile(
        rf"(?<![\w.])(?:\d{{1,3}}(?:[{other}]\d{{3}})+|\d{{1,3}}(?:[{_GROUPS}]\d{{3}})+)"
        rf"(?:[{mark}]\d+)?(?!\d)|\d+(?:[{mark}]\d+)?"
    )
    for mark, other in ((".", ","), (",", "."))
}
# A fraction such as `1/2` after a whole number is part of the form, because few fractions are common.
N_SLOTS_MAX = 8
"""Maximum number of numbers in a text."""
VALID_MIN, NUMBERS_MIN = 0.95, 0.5
"""Minimum share of texts that must have a form, and minimum share of texts that must contain numbers."""
_N_DIGITS_MAX = 15
# Forms of quantities that are also forms of codes. The numbers determine whether the texts are quantities or
# codes.
_PAIRS = re.compile(rf"{SLOT}-{SLOT}|{SLOT}(?:\s?/\s?{SLOT})+")
# Minimum share of ranges where the first number does not exceed the second.
_ORDERED_MIN = 0.98
_SCORE_WORDS = frozenset(
    {"score", "result", "ergebnis", "resultat", "goals", "ft", "ht", "set", "sets", "final", "marcador"}
)
_YEARS = (1900, 2100)
# Maximum of the numbers in a score, and of the measurements that a slash separates.
_SCORE_MAX, _SLASHED_MAX = 100, 9_999
_FRACTIONS = re.compile(r"(?<!\d)\d{1,2}/\d{1,2}(?!\d)")
_COMMA, _POINT = re.compile(r"\d,(?:\d{1,2}|\d{4,})(?!\d)"), re.compile(r"\d\.(?:\d{1,2}|\d{4,})(?!\d)")

_CURRENCY = (
    r"(?:[A-Z]{1,3}(?=[$€£¥]))?[$€£¥₹₽₩₺₫₴₦₱฿₪₡₲₵]|USD|EUR|GBP|CHF|JPY|CNY|RMB|INR|AUD|CAD|NZD|SEK|NOK|DKK"
    r"|PLN|CZK|HUF|RON|BGN|RUB|TRY|ZAR|BRL|MXN|ARS|CLP|COP|PEN|KRW|SGD|HKD|TWD|THB|IDR|MYR|PHP|VND|ILS|AED|SAR"
    r"|EGP|NGN|KES|UAH|[円元원]|万円|万元|kr\.?|Kr\.?|Rs\.?|Fr\.?|SFr\.?|zł|Kč|Ft|lei"
)
_LONG_UNITS = (
    r"%|‰|°|º|°\s?[CF]|[kKMGTP]i?B|[kKMGT]?[Bb]ytes|[kKMG]?bit|[kmcµuμ]g|lbs?\.?|oz\.?|[kmcdµnμ]m|ft\.?"
    r"|in\.?|mi\.?|yds?\.?|\"|''?|\u2032|\u2033|[mcdµμ][lL]|fl\.? oz|gal\.?|[kMG]?Hz"
    r"|[kMG]W|[kM]?Wh|[mk]V|mA|mAh|mph|km/h|kph|m/s|kt|kn|knots?|[nmµμ]s|mins?\.?|minutes?|Min\.?|secs?\.?|seconds?|hrs?\.?|hours?|Std\.?|days?"
    r"|Tage?|weeks?|wks?|Wochen?|months?|mos?\.?|Monate?|years?|yrs?\.?|yo|y/o|Jahre?|ans?|mois|años?|meses"
    r"|px|bps?|[kMG]bps|m²|km²|cm²|m2|km2|ft²|sq\.? ?(?:ft|m|km|mi)\.?|sqft|sqm|m³|m3|cm³|cc|ha|acres?"
    r"|hp|PS|bhp|rpm|psi|[kh]?Pa|bar|mbar|kcal|cal|k?J|ppm|ppb|dB|mmHg|bpm|mmol/L|µmol/L|mg/dL|g/dL|g/L|mg/L|ng/mL"
    r"|U/L|IU|IU/L|mEq/L|mol|mcg|feet|foot|inch(?:es)?|miles?|meters?|metres?|kilos?|pounds?|ounces?|tonnes?"
    r"|tons?|grams?|liters?|litres?|pcs?\.?|pieces?|Stk\.?|Stück|units?|items?|tabs?|tablets?|caps?|drops?"
    r"|mpg|mpge|cups?|tsps?\.?|tbsps?\.?|cloves?|slices?|BCE?|AD|CE|v\. Chr\.|n\. Chr\."
    r"|puffs?|beds?|baths?|rooms?|persons?|people|pax|times?|points?|pts?\.?|stars?|goals?|reps?|sets?|pages?"
    r"|(?:st|nd|rd|th)(?: century| c\.)?|\. Jh\.|\. Jahrhundert"
)
# Most units of one letter can also be part of a code such as `12B`, so they need a space before them.
_SHORT_UNITS = r"[hmsdgtLl]|(?<=[ \u00a0\u202f])[VWAJKCFNywBb]"
_UNIT = rf"(?:{_LONG_UNITS}|{_SHORT_UNITS})(?![^\W\d_])"
_BEFORE = (
    r"(?:[<>\u2264\u2265≈~±=]=?|ca?\.|approx\.?|about|circa|around|up to|over|under|more than|less than"
    r"|at least|env\.|etwa|rund|max\.?|min\.?|c\.|[Cc]irca|[Bb]efore|[Aa]fter|[Ee]arly|[Ll]ate|mid|um|vor"
    r"|nach|vers|avant|après|hacia)"
)
_SIGN = r"(?:[-+\u2212] ?)?"
_BLANK = r"[ \u00a0\u202f]?"
_NUMBER = rf"(?:{_SIGN}(?:{_CURRENCY}){_BLANK})?{_SIGN}{SLOT}(?:[kK](?![^\W\d_]))?"
_QUANTITY = (
    rf"(?:{_BEFORE}{_BLANK})?{_NUMBER}(?:{_BLANK}(?:{_UNIT}))?(?:{_BLANK}(?:{_CURRENCY}))?"
    rf"(?:{_BLANK}(?:[-+\u2212]|DR|CR|Dr|Cr)(?![\w{SLOT}]))?"
)
_BETWEEN = r"\s?(?:/|:|x|X|\u00d7|\*|by|to|bis|à|-|\u2013|\u2014|of|out of|von|±|\+/-|@|per|;|,)\s?"
_POINTS = r"[NSEWOnsew]"
_DEGREES = (
    rf"{_SIGN}{SLOT}\s?[°ºd:]?\s?(?:{SLOT}\s?['\u2032\u2019m:]?\s?(?:{SLOT}\s?(?:\"|''|\u2033|\u201d|s)?)?)?"
)
_COORDINATE = rf"(?:{_POINTS}\s?(?={SLOT}\s?[°º]){_DEGREES}|{_DEGREES}\s?{_POINTS})"
_FORMS = re.compile(
    "|".join(
        (
            rf"{_QUANTITY}(?:{_BETWEEN}{_QUANTITY}){{0,3}}",
            rf"{_SIGN}{SLOT}{_BLANK}(?:{_UNIT})(?:,?\s?{SLOT}{_BLANK}(?:{_UNIT})){{1,3}}",
            rf"{_QUANTITY}(?:{_BETWEEN}{_QUANTITY}){{0,3}}\s?[(\[]\s?(?:95 ?% ?CI:?,? ?)?"
            rf"{_QUANTITY}(?:{_BETWEEN}{_QUANTITY}){{0,3}}\s?[)\]]",
            rf"[(\[]{_QUANTITY}\s?[,;]\s?{_QUANTITY}[)\]]",
            rf"{SLOT}?\s?\d{{1,2}}/\d{{1,2}}{_BLANK}(?:{_UNIT})?",
            rf"{_COORDINATE}(?:\s?[,;/ ]\s?{_COORDINATE})?",
        )
    )
)
_WORDS = re.compile(r"[^\W\d_][^\d#]{0,30}|[?\-\u2013.]{1,3}")


# Dates with a year of four digits. An unknown month or day is written as zeros or left out.
_PARTIAL_DATE = re.compile(rf"(?:{SLOT}|00?)(?:([-/.])(?:{SLOT}|00?)(?:\1(?:{SLOT}|00?))?)?")
_WHOLE_DATE = re.compile(rf"{SLOT}([-/.]){SLOT}\1{SLOT}")
_DOTTED_DATE = re.compile(r"\d{1,4}\.\d{1,2}\.\d{1,4}")
_DAYS_MAX = (31, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Parts(NamedTuple):
    """The form of a text, with `SLOT` in place of each number, and the numbers as strings."""

    form: str
    numbers: tuple[str, ...]


def decimal_mark(texts: list[str]) -> str:
    """Return the decimal mark of texts that contain numbers."""
    if 2 * sum(bool(_DOTTED_DATE.fullmatch(text)) for text in texts) > len(texts):
        # In dates, points are not decimal marks.
        return ","
    n_comma, n_point = (sum(bool(mark.search(text)) for text in texts) for mark in (_COMMA, _POINT))
    return "," if n_comma > n_point else "."


def has_mixed_fractions(texts: list[str]) -> bool:
    """Return whether any text begins with a whole number and a fraction, such as `1 1/2`."""
    return any(re.match(r"\d+ \d{1,2}/\d{1,2}(?!\d)", text) for text in texts)


def split_text(text: str, mark: str, *, keeps_fractions: bool) -> Parts | None:
    """Return the parts of a text, or None if the text has no form.

    Parameters
    ----------
    mark : str
        Decimal mark of the numbers.
    keeps_fractions : bool
        Whether fractions remain part of the form.
    """
    if SLOT in text or len(text) > 64:
        return None
    pieces, numbers, begin = [], [], 0
    kept = [match.span() for match in _FRACTIONS.finditer(text)] if keeps_fractions else []
    for match in _PATTERNS[mark].finditer(text):
        if any(low <= match.start() < high for low, high in kept):
            continue
        pieces.append(text[begin : match.start()])
        numbers.append(match[0])
        begin = match.end()
    pieces.append(text[begin:])
    parts = Parts(SLOT.join(pieces), tuple(numbers))
    # If the year comes last, the zeros stay numbers, so that the year has the same place in all forms.
    has_zeros = "00" in numbers and len(numbers[0]) == 4 and is_partial_date(parts)
    return _with_fixed_zeros(parts) if has_zeros else parts


@lru_cache(maxsize=4096)
def is_quantity(form: str) -> bool:
    """Return whether a form consists of numbers, units, currencies and the marks between them."""
    return _FORMS.fullmatch(form) is not None


def is_word(form: str) -> bool:
    """Return whether a form is a word without numbers, such as `unknown`."""
    return _WORDS.fullmatch(form) is not None


def is_valid(parts: Parts | None) -> bool:
    """Return whether a text consists of numbers and units, or is a word."""
    if parts is None:
        return False
    if not parts.numbers:
        return is_word(parts.form) or is_quantity(parts.form)
    if len(parts.numbers) > N_SLOTS_MAX or any(len(number) > _N_DIGITS_MAX for number in parts.numbers):
        return False
    if is_partial_date(parts):
        return True
    has_zeros = any(
        number.startswith("0") and number[1:2].isdigit() and not _allows_zeros(parts.form, place)
        for place, number in enumerate(parts.numbers)
    )
    return is_quantity(parts.form) and not has_zeros


def is_partial_date(parts: Parts) -> bool:
    """Return whether a text is a date whose day or month may be missing or zero."""
    if not parts.numbers or _PARTIAL_DATE.fullmatch(parts.form) is None:
        return False
    given = iter(parts.numbers)
    numbers = [next(given) if piece == SLOT else "0" for piece in re.split("[-/.]", parts.form)]
    year, *others = numbers if len(numbers[0]) == 4 else numbers[::-1]
    if len(year) != 4 or not _YEARS[0] - 400 <= int(year) <= _YEARS[1] or any(len(n) > 2 for n in others):
        return False
    values = sorted(map(int, others))
    return not others or (values[0] <= 12 and values[-1] <= (31 if len(others) == 2 else 12))


def _with_fixed_zeros(parts: Parts) -> Parts:
    """Return the parts of a date with an unknown month or day, whose zeros become part of the form."""
    pieces = parts.form.split(SLOT)
    is_zero = [not number.strip("0") for number in parts.numbers]
    ends = [number if zero else SLOT for number, zero in zip(parts.numbers, is_zero, strict=True)]
    form = pieces[0] + "".join(end + piece for end, piece in zip(ends, pieces[1:], strict=True))
    return Parts(form, tuple(n for n, zero in zip(parts.numbers, is_zero, strict=True) if not zero))


def clip_days(form: str, numbers: list[list[float]]) -> list[list[float]]:
    """Return the numbers of a form, without days that the month of a date does not have.

    Parameters
    ----------
    numbers : list of list of float
        Numbers of each slot.
    """
    if _WHOLE_DATE.fullmatch(form) is None or not all(numbers):
        return numbers
    has_year_first = max(numbers[0]) > _SCORE_MAX
    places = (1, 2) if has_year_first else (1, 0)
    if max(numbers[places[0]]) > 12:
        places = places[::-1] if has_year_first else (0, 1)
    months, days = (numbers[place] for place in places)
    clipped = list(numbers)
    clipped[places[1]] = [
        min(day, _days_of(month, year))
        for month, day, year in zip(months, days, numbers[0 if has_year_first else 2], strict=True)
    ]
    return clipped


def _days_of(month: float, year: float) -> int:
    is_short = month == 2 and (year % 4 != 0 or (year % 100 == 0 and year % 400 != 0))
    return 28 if is_short else _DAYS_MAX[int(month) if 0 <= month <= 12 else 0]


def value_of(number: str, mark: str) -> float:
    """Return the value of a number, given as text."""
    return float(re.sub(rf"[^\d{mark}]", "", number).replace(mark, "."))


def are_quantities(texts: list[str]) -> bool:
    """Return whether nearly all texts are quantities or words, and most contain a digit."""
    if sum(any(map(str.isdigit, text)) for text in texts) < NUMBERS_MIN * len(texts):
        return False
    mark, keeps_fractions = decimal_mark(texts), has_mixed_fractions(texts)
    parts = [split_text(text, mark, keeps_fractions=keeps_fractions) for text in texts]
    return sum(map(is_valid, parts)) >= (VALID_MIN - 0.05) * len(parts)


def are_partial_dates(texts: list[str]) -> bool:
    """Return whether all texts are dates whose day or month may be missing or zero."""
    mark = decimal_mark(texts)
    split = [split_text(text, mark, keeps_fractions=False) for text in texts]
    is_whole = any(parts and _WHOLE_DATE.fullmatch(parts.form) for parts in split)
    return is_whole and all(parts is not None and is_partial_date(parts) for parts in split)


def have_codes(texts: list[str], words: tuple[str, ...], *, is_rare: bool) -> bool:
    """Return whether pairs of numbers with a hyphen or a slash are codes, such as case numbers.

    Parameters
    ----------
    words : tuple of str
        Words of the column's name.
    is_rare : bool
        Whether most texts occur once.
    """
    mark = decimal_mark(texts)
    split = [split_text(text, mark, keeps_fractions=False) for text in texts]
    if any(part and _WHOLE_DATE.fullmatch(part.form) and is_partial_date(part) for part in split):
        return False
    pairs: dict[str, list[list[float]]] = {}
    for parts in split:
        if parts is not None and _PAIRS.fullmatch(parts.form):
            pairs.setdefault(parts.form, []).append([value_of(number, mark) for number in parts.numbers])
    return any(_are_codes(form, numbers, words, is_rare=is_rare) for form, numbers in pairs.items())


def _are_codes(form: str, pairs: list[list[float]], words: tuple[str, ...], *, is_rare: bool) -> bool:
    if any(not number.is_integer() for pair in pairs for number in pair):
        return False
    if is_rare and any(
        all(_YEARS[0] <= pair[place] <= _YEARS[1] for pair in pairs) for place in range(len(pairs[0]))
    ):
        return True
    largest = max(number for pair in pairs for number in pair)
    if "/" in form:
        return largest > _SLASHED_MAX
    if largest < _SCORE_MAX and _SCORE_WORDS & set(words):
        return False
    is_ordered = sum(first <= second for first, second in pairs) >= _ORDERED_MIN * len(pairs)
    return not is_ordered or is_rare


def _allows_zeros(form: str, place: int) -> bool:
    """Return whether the number at a position can have leading zeros, like the minutes of an angle."""
    before = SLOT.join(form.split(SLOT)[: place + 1])
    if place == 0 and form.split(SLOT)[1].strip()[:1] in ("°", "º"):
        return True
    if ":" in form and not any(map(str.isalpha, form)):
        return True
    return place > 0 and before.rstrip()[-1:] in "°ºdh'\u2032\u2019m:"
