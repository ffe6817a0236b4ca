"""Find the decimal type of long numbers stored as text, and rewrite the numbers without exponents."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# Maximum number of digits in a 128-bit decimal. Numbers with larger exponents could expand to gigabytes.
DIGITS_MAX = 38
_EXPONENT = "[eE]"


def decimal_type(texts: Iterable[pa.Array[Any]]) -> pa.DataType | None:
    """Return the decimal type that represents all numbers exactly, or None if no such type exists."""
    n_before, n_after = 1, 0
    for numerals in texts:
        if _has_far_exponent(numerals):
            return None
        written = plain(numerals)
        before: Any = pc.replace_substring_regex(written, r"^-?0*|\..*$", "")
        after: Any = pc.replace_substring_regex(written, r"^[^.]*\.?|0+$", "")
        after = pc.if_else(pc.match_substring(written, "."), after, pa.scalar("", pa.string()))
        n_before = max(n_before, pc.max(pc.binary_length(before)).as_py() or 0)
        n_after = max(n_after, pc.max(pc.binary_length(after)).as_py() or 0)
        if n_before + n_after > DIGITS_MAX:
            return None
    return pa.decimal128(n_before + n_after, n_after)


def plain(numerals: pa.Array[Any]) -> pa.Array[Any]:
    """Rewrite numbers without exponents and without trailing zeros after the decimal point."""
    has_exponent = pc.match_substring_regex(numerals, _EXPONENT)
    if pc.any(has_exponent).as_py():
        numerals = pa.array(
            [None if text is None else f"{Decimal(text):f}" for text in numerals.to_pylist()], pa.string()
        )
    return pc.replace_substring_regex(numerals, r"(\.[0-9]*?)0+$", r"\1")


def _has_far_exponent(numerals: pa.Array[Any]) -> bool:
    with_exponent = numerals.filter(pc.match_substring_regex(numerals, _EXPONENT)).to_pylist()
    return any(_is_far(text) for text in with_exponent if text is not None)


def _is_far(text: str) -> bool:
    try:
        return abs(Decimal(text).adjusted()) > DIGITS_MAX
    except InvalidOperation:  # the exponent is outside the range of Decimal
        return True
