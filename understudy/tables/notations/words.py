"""Words that represent a missing value in columns of numbers or dates."""

from __future__ import annotations

import re

KNOWN_WORDS = frozenset(
    (
        *("?", "??", "-", "--", "---", ":", ".", "..", "...", "*", "**", "\u2013", "\u2014", "\u2026"),
        *("n/a", "N/A", "n.a.", "N.A.", "n.a", "na", "NA", "#N/A", "#NA", "#N/A N/A", "<NA>", "<na>", "n.d."),
        *("null", "NULL", "Null", "(null)", "\\N", "nil", "NIL", "None", "none", "NONE", "nan", "NaN", "NAN"),
        *("NaT", "nat", "-nan", "-NaN", "missing", "Missing", "MISSING", "unknown", "Unknown", "UNKNOWN"),
        *("unk", "UNK", "not available", "Not available", "Not Available", "not applicable"),
        *("Not applicable", "Not Applicable", "no data", "No data", "not recorded", "Not recorded"),
        *(
            "undefined",
            "k.A.",
            "k. A.",
            "s/d",
            "n/d",
            "N/D",
            "n.b.",
            "tbd",
            "TBD",
            "blank",
            "(blank)",
            "empty",
        ),
        *("#VALUE!", "#DIV/0!", "#REF!", "#NULL!", "#NUM!", "#NAME?"),
    )
)
"""Words that represent a missing value in a column of numbers or dates."""

ZERO_DATE = r"0{4}[-/.]00[-/.]00(?:[T ]00:00(?::00(?:\.0+)?)?)?|00[-/.]00[-/.]0{4}(?: 00:00(?::00)?)?|0{8}"
"""Pattern of dates with only zeros, such as 0000-00-00. Some databases write them for missing dates."""

_ZERO = re.compile(ZERO_DATE)
# Terminals for market data write the reason after the code, as in `#N/A Field Not Applicable`.
_NOT_AVAILABLE = re.compile(r"#N/A [A-Za-z ]{1,40}")


def means_missing(text: str, *, is_date: bool) -> bool:
    """Return whether a text is a known word for a missing value."""
    return (
        text in KNOWN_WORDS
        or _NOT_AVAILABLE.fullmatch(text) is not None
        or (is_date and _ZERO.fullmatch(text) is not None)
    )
