"""Classify individual cells as numbers, dates, units, or words for missing values."""

from __future__ import annotations

import re
from collections.abc import Sequence

# The quantifiers for blanks are possessive. Otherwise, the matching time would grow with the cube of the
# number of blanks.
_NUMBER = re.compile(
    r"[(+-]?\s*+(?:[A-Z]{3}|[$€£¥])?\s*+[+-]?(?:[0-9][0-9.,' \u00a0\u202f]*+|[.,][0-9]+)"
    r"(?:[eE][+-]?[0-9]+)?\s*+(?:[%€$£]|[A-Z]{3})?\s*+\)?-?"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    rf"(?:[0-9]{{1,4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,4}}|[0-9]{{1,2}}[ -]{_MONTH}[ -][0-9]{{2,4}}"
    rf"|{_MONTH} [0-9]{{1,2}},? [0-9]{{2,4}})(?:[T ,].*)?|[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9.]+)?(?: ?[ap]m)?",
    re.IGNORECASE,
)
_BOOLEANS = frozenset({"true", "false"})
_MISSING = frozenset(
    {"", "na", "n/a", "null", "none", "nan", "-", "--", "?", ".", "missing", "nil", "unknown"}
)
_BRACKETED = re.compile(r"[(\[].{1,30}[)\]]")
_UNITS = frozenset(
    (
        *("mm", "cm", "m", "km", "in", "inch", "inches", "ft", "feet", "mi", "miles", "nm", "µm", "um"),
        *("mg", "g", "kg", "t", "lb", "lbs", "oz", "tonnes", "µg", "ug", "ng"),
        *("ms", "s", "sec", "seconds", "min", "minutes", "h", "hr", "hours", "d", "days", "weeks", "months"),
        *("yr", "yrs", "year", "years", "y"),
        *("c", "°c", "degc", "deg c", "f", "°f", "degf", "k", "°", "deg", "degrees", "rad"),
        *("l", "ml", "dl", "m3", "m³", "gal", "cm2", "m2", "m²", "km2", "km²", "ha", "acres", "sqft"),
        *("%", "percent", "pct", "ppm", "ppb", "‰", "ratio", "count", "n", "#", "no.", "units", "pcs"),
        *("eur", "usd", "gbp", "chf", "sek", "nok", "dkk", "jpy", "$", "€", "£", "¥"),
        *("v", "mv", "kv", "a", "ma", "w", "kw", "mw", "wh", "kwh", "mwh", "j", "kj", "mj", "kcal", "cal"),
        *("hz", "khz", "mhz", "ghz", "pa", "hpa", "kpa", "mpa", "bar", "mbar", "mmhg", "psi", "n/m", "nm"),
        *(
            "b",
            "kb",
            "mb",
            "gb",
            "bytes",
            "bpm",
            "rpm",
            "mph",
            "kmh",
            "kph",
            "knots",
            "kt",
            "db",
            "lux",
            "ph",
        ),
        *("text", "yyyy-mm-dd", "dd/mm/yyyy", "mm/dd/yyyy", "yyyy-mm-dd hh:mm", "hh:mm", "hh:mm:ss", "utc"),
        *("string", "str", "integer", "int", "float", "double", "date", "datetime", "bool", "boolean"),
        *("varchar", "number", "numeric", "timestamp", "category", "unitless", "dimensionless"),
    )
)
_COMPOUND = re.compile(r"[^\W\d_]{1,6}[²³0-9]?(?:[/*·^ ][-]?[^\W\d_]{0,6}[²³0-9-]{0,3}){1,3}")


_KEYWORD = re.compile(
    r"\W*(?:sources?|notes?|footnotes?|remarks?|generated|exported|created|printed|downloaded|copyright"
    r"|disclaimer|end of|report|page|quelle|stand|fuente|nota|bron)\b.*"
    r"|\*.+|[©†‡].*|\([a-z0-9]{1,2}\) .*"
    r"|\(?[0-9][0-9.,' ]* (?:rows?|row\(s\)|records?|entries|lines?|zeilen|lignes|filas|registros|rader)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_TOTAL_WORDS = (
    r"(?:(?:grand|overall|net)[ -]|sub[ -]?)?totals?(?: gene?ral[ei]?| général| geral)?|sum"
    r"|(?:gesamt|zwischen|end)?summe|gesamt|insgesamt|totaal|subtotaal"
    r"|(?:sous-)?total(?:e|i|es)?|totale|somme|suma|soma|summa|razem|celkem|toplam|yhteensä|итого|всего|合計|小計"
)
_TOTAL = re.compile(rf":?(?:{_TOTAL_WORDS}):?(?:\s*\([^()]*\))?:?", re.IGNORECASE)
# Labels of rows with averages below a table. Such a row must also have blank cells.
_AVERAGE = re.compile(
    r"(?:average|avg|mean|median|mittelwert|durchschnitt|moyenne|promedio|media|média|gemiddelde|średnia"
    r"|среднее|平均)\.?:?",
    re.IGNORECASE,
)
_LABEL_LENGTH_MAX = 100
_TOTAL_LABEL = re.compile(
    rf"(?:{_TOTAL_WORDS})(?:\s*[:(]|\s+\S|$).*|.*\S\s+(?:{_TOTAL_WORDS}):?", re.IGNORECASE
)
_WORDS = re.compile(r"[^\W\d_]{2,}\S*\s+\S*[^\W\d_]{2,}")


def is_value(cell: str) -> bool:
    """Return whether a cell contains a number, a date, a time or a boolean."""
    text = cell.strip()
    return bool(text) and (
        _NUMBER.fullmatch(text) is not None or _DATE.fullmatch(text) is not None or text.lower() in _BOOLEANS
    )


def is_missing(cell: str) -> bool:
    """Return whether a cell is empty or contains a common word for a missing value."""
    return cell.strip().lower() in _MISSING


def is_unit(cell: str) -> bool:
    """Return whether a cell contains a unit of measurement or the name of a type."""
    text = cell.strip()
    if text.lower() in _UNITS or _BRACKETED.fullmatch(text):
        return True
    parts = re.split(r"[/*·^]", text)
    return (
        len(parts) > 1
        and _COMPOUND.fullmatch(text) is not None
        and all(part.strip("²³-0123456789 ").lower() in _UNITS or part.isdigit() for part in parts)
    )


def n_filled(cells: Sequence[str]) -> int:
    """Return the number of cells that are not blank."""
    return sum(bool(cell.strip()) for cell in cells)


def is_note(cells: Sequence[str]) -> bool:
    """Return whether the text of a row shows that the row is a note."""
    first = next(cell.strip() for cell in cells if cell.strip())
    if first != cells[0].strip():
        return False
    if is_total(cells) or _KEYWORD.fullmatch(first):
        return True
    return n_filled(cells) == 1 and _WORDS.search(first) is not None


def is_total_label(text: str, *, is_exact: bool = False) -> bool:
    """Return whether a text is the word for a total, or begins or ends with this word."""
    pattern = _TOTAL if is_exact else _TOTAL_LABEL
    return len(text) <= _LABEL_LENGTH_MAX and pattern.fullmatch(text) is not None


def is_total(cells: Sequence[str]) -> bool:
    """Return whether the first cell of a row indicates that the row contains totals."""
    label, n = cells[0].strip() if cells else "", n_filled(cells)
    if len(cells) < 2 or n < 2:
        return False
    if is_average(cells):
        return True
    return _TOTAL.fullmatch(label) is not None and (n < len(cells) or "(" not in label)


def is_average(cells: Sequence[str]) -> bool:
    """Return whether a row with blank cells begins with the word for an average."""
    label = cells[0].strip() if cells else ""
    return n_filled(cells) < len(cells) and _AVERAGE.fullmatch(label) is not None
