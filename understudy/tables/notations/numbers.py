"""Parse and write numbers in a notation."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.notation import SCALES, NumberNotation

# Unusual spaces and apostrophes, which are replaced with the usual characters.
_ODD_SEPARATORS = ("\u00a0\u202f\u2009", " "), ("\u2019", "'")
_MINUS = "[-\u2212]"
# Maximum number of digits before the decimal separator in a written number.
_N_DIGITS_MAX = 18
# Numbers up to this absolute value are written digit by digit without loss.
_EXACT_MAX = 2.0**53


def unify_separators(texts: pa.Array[Any]) -> pa.Array[Any]:
    """Replace unusual spaces and apostrophes with the usual characters."""
    values: Any = texts
    for odd, usual in _ODD_SEPARATORS:
        for character in odd:
            values = pc.replace_substring(values, character, usual)
    unified: pa.Array[Any] = values
    return unified


def _usual(text: str) -> str:
    for odd, usual in _ODD_SEPARATORS:
        for character in odd:
            text = text.replace(character, usual)
    return text


def regex(notation: NumberNotation) -> str:
    """Return the regular expression for a value after `unify_separators`, with groups for sign and digits."""
    prefix, suffix = _affix(notation.prefix), _affix(notation.suffix)
    scales = f"(?P<scale>{'|'.join(map(re.escape, notation.scales))})?" if notation.scales else ""
    mark = re.escape(notation.decimal)
    # Numbers with leading zeros are codes unless the notation pads numbers.
    plain, first = ("[0-9]{1,18}", "[0-9]") if notation.width else ("(?:0|[1-9][0-9]{0,17})", "[1-9]")
    separator = re.escape(_usual(notation.thousands or "")).replace(r"\ ", " ")
    grouped = f"{first}[0-9]{{0,2}}(?:{separator}[0-9]{{3}}){{1,5}}"
    if notation.grouping == "indian":
        grouped = f"{first}[0-9]?(?:{separator}[0-9]{{2}}){{0,6}}{separator}[0-9]{{3}}"
    whole = f"(?:{grouped}|{plain})" if notation.thousands else plain
    digits = f"(?P<digits>(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][-+]?[0-9]{{1,3}})?)"
    signed = rf"(?P<sign>{_MINUS}|\+)?{prefix}(?P<inner>{_MINUS}|\+|\()?{digits}"
    return rf"\A(?P<opening>\()?{signed}{scales}{suffix}(?P<trailing>{_MINUS})?\)?\z"


def _affix(text: str) -> str:
    """Return a pattern for a prefix or suffix, where a blank matches any space character."""
    return re.sub(r"(?:\\? )+", " ?", re.escape(_usual(text)))


def parse_numbers(texts: pa.Array[Any], notation: NumberNotation, target: pa.DataType) -> pa.Array[Any]:
    """Parse texts as numbers. Missing values and texts in another notation become null."""
    extracted: Any = pc.extract_regex(unify_separators(texts), regex(notation))
    names = [extracted.type.field(i).name for i in range(extracted.type.num_fields)]
    fields = dict(zip(names, extracted.flatten(), strict=True))
    digits = _plain_digits(fields["digits"], notation)
    signed: Any = pc.binary_join_element_wise(_sign(fields), digits, pa.scalar(""))
    if notation.scales:
        signed = _scaled(signed, fields["scale"], notation)
    elif notation.decimals and pa.types.is_integer(target):
        signed = pc.replace_substring_regex(signed, r"\.0*$", "")
    numbers: pa.Array[Any] = signed.cast(target)
    return numbers


def _plain_digits(digits: Any, notation: NumberNotation) -> Any:
    if notation.thousands:
        digits = pc.replace_substring(digits, _usual(notation.thousands), "")
    if notation.decimal == ",":
        digits = pc.replace_substring(digits, ",", ".")
    return digits


def _sign(fields: dict[str, Any]) -> Any:
    is_negative: Any = pc.equal(fields["opening"], pa.scalar("("))
    for name in ("sign", "inner", "trailing"):
        is_minus: Any = pc.is_in(fields[name], pa.array(["-", "\u2212", "("]))
        is_negative = pc.or_(is_negative, is_minus)
    return pc.if_else(is_negative, "-", "")


def _scaled(signed: Any, scale: Any, notation: NumberNotation) -> Any:
    numbers = signed.cast(pa.float64())
    factor: Any = pa.scalar(1.0)
    for name in notation.scales:
        factor = pc.if_else(pc.equal(scale, pa.scalar(name)), SCALES[name], factor)
    # Without rounding, 1.15 million would be 1149999.9999999998.
    return pc.round(pc.multiply(numbers, factor), 6)


def write_numbers(values: pa.Array[Any], notation: NumberNotation) -> pa.Array[Any]:
    """Return numbers as text in a notation. Missing values become null."""
    numbers: Any = values
    is_negative = pc.less(numbers, pa.scalar(0, numbers.type))
    size = pc.abs(numbers)
    scale: Any = pa.scalar("")
    if notation.exponent:
        return _with_exponents(numbers, notation)
    if notation.scales:
        size, scale = _divided(size.cast(pa.float64()), notation)
    digits = _digits_by_scale(size, scale, notation) if notation.scale_decimals else _digits(size, notation)
    # A small negative number may be rounded to zero, which has no sign.
    is_negative = pc.and_(is_negative, pc.match_substring_regex(digits, "[1-9]"))
    texts: pa.Array[Any] = _with_affixes(digits, scale, is_negative, notation)
    return texts


def _with_exponents(numbers: Any, notation: NumberNotation) -> pa.Array[Any]:
    """Return numbers with an exponent. Arrow has no kernel for this format."""
    decimals = 6 if notation.decimals is None else notation.decimals
    texts = [
        None if number is None else f"{number:.{decimals}{notation.exponent_mark}}"
        for number in numbers.to_pylist()
    ]
    return pa.array(texts, pa.string())


def _divided(size: Any, notation: NumberNotation) -> tuple[Any, Any]:
    """Divide each number by the largest scale that does not exceed it, and return the suffix of the scale."""
    ordered = sorted(notation.scales, key=lambda name: SCALES[name])
    has_unscaled = len(notation.scale_decimals) > len(notation.scales)
    if len(ordered) == 1 and not has_unscaled:
        return pc.divide(size, SCALES[ordered[0]]), pa.scalar(ordered[0])
    divisor: Any = pa.scalar(1.0 if has_unscaled else SCALES[ordered[0]])
    suffix: Any = pa.scalar("" if has_unscaled else ordered[0])
    for name in ordered[0 if has_unscaled else 1 :]:
        is_large = pc.greater_equal(size, pa.scalar(SCALES[name]))
        divisor, suffix = pc.if_else(is_large, SCALES[name], divisor), pc.if_else(is_large, name, suffix)
    return pc.divide(size, divisor), suffix


def _digits_by_scale(size: Any, scale: Any, notation: NumberNotation) -> Any:
    """Return the digits of scaled numbers, with the number of decimals of each scale."""
    digits: Any = pa.scalar("")
    for name, decimals in zip((*notation.scales, ""), notation.scale_decimals, strict=False):
        own = _digits(size, notation.model_copy(update={"decimals": decimals}))
        if notation.trims_zeros and decimals:
            mark = re.escape(notation.decimal)
            own = pc.replace_substring_regex(own, rf"{mark}0+$|({mark}[0-9]*[1-9])0+$", r"\1")
        digits = pc.if_else(pc.equal(scale, pa.scalar(name)), own, digits)
    return digits


def _digits(size: Any, notation: NumberNotation) -> Any:
    """Return the digits of non-negative numbers."""
    if pa.types.is_integer(size.type) and not notation.decimals:
        whole, fraction = size.cast(pa.string()), None
    elif notation.decimals is None or (pc.max(size.cast(pa.float64())).as_py() or 0) > _EXACT_MAX / 10 ** (
        notation.decimals
    ):
        whole, fraction = _split(size, notation.decimals)
    else:
        whole, fraction = _fixed(size.cast(pa.float64()), notation.decimals)
    if notation.width:
        whole = pc.utf8_lpad(whole, notation.width, "0")
    if notation.thousands:
        group = _grouped_in_pairs if notation.grouping == "indian" else _grouped
        whole = group(whole, notation.thousands)
    if fraction is None:
        return whole
    mark = pc.if_else(pc.equal(fraction, pa.scalar("")), "", notation.decimal)
    return pc.binary_join_element_wise(whole, mark, fraction, pa.scalar(""))


def _fixed(size: Any, decimals: int) -> tuple[Any, Any]:
    # Halves are rounded away from zero, as in manual calculation, and not to the nearest even digit.
    scaled = pc.round(pc.multiply(size, 10.0**decimals), 0, "half_towards_infinity").cast(pa.int64())
    digits = pc.utf8_lpad(scaled.cast(pa.string()), decimals + 1, "0")
    if decimals == 0:
        return digits, None
    return pc.utf8_slice_codeunits(digits, 0, -decimals), pc.utf8_slice_codeunits(digits, -decimals)


def _split(size: Any, decimals: int | None) -> tuple[Any, Any]:
    """Return the digits before and after the decimal point in the shortest exact text of each number."""
    if pa.types.is_floating(size.type) and decimals is None:
        size = pc.round(size, 9)
    texts = size.cast(pa.string())
    parts: Any = pc.extract_regex(texts, r"\A(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]+))?\z")
    whole, fraction = parts.flatten()
    # Numbers that are written with an exponent are very large or very small.
    return pc.coalesce(whole, texts), pc.fill_null(fraction, "")


def _grouped(whole: Any, separator: str) -> Any:
    longest = pc.max(pc.utf8_length(whole)).as_py() or 0
    for _ in range((min(longest, _N_DIGITS_MAX + 1) - 1) // 3):
        whole = pc.replace_substring_regex(whole, "^([0-9]+)([0-9]{3})", rf"\1{separator}\2")
    return whole


def _grouped_in_pairs(whole: Any, separator: str) -> Any:
    """Separate the last three digits, and group the digits before them in pairs."""
    whole = pc.replace_substring_regex(whole, "^([0-9]+)([0-9]{3})$", rf"\1{separator}\2")
    longest = pc.max(pc.utf8_length(whole)).as_py() or 0
    for _ in range(min(longest, _N_DIGITS_MAX) // 2):
        whole = pc.replace_substring_regex(
            whole, f"^([0-9]+)([0-9]{{2}}{re.escape(separator)})", rf"\1{separator}\2"
        )
    return whole


def _with_affixes(digits: Any, scale: Any, is_negative: Any, notation: NumberNotation) -> Any:
    empty = pa.scalar("")
    sign = pc.if_else(is_negative, notation.minus, "+" if notation.plus else "")
    prefix, suffix = pa.scalar(notation.prefix), pa.scalar(notation.suffix)
    if notation.negative == "parentheses":
        opening, closing = pc.if_else(is_negative, "(", ""), pc.if_else(is_negative, ")", "")
        return pc.binary_join_element_wise(opening, prefix, digits, scale, suffix, closing, empty)
    if notation.negative == "trailing_minus":
        return pc.binary_join_element_wise(prefix, digits, scale, suffix, sign, empty)
    if notation.negative == "parentheses_after_prefix":
        opening, closing = pc.if_else(is_negative, "(", ""), pc.if_else(is_negative, ")", "")
        return pc.binary_join_element_wise(prefix, opening, digits, scale, suffix, closing, empty)
    if notation.negative == "minus_after_prefix":
        return pc.binary_join_element_wise(prefix, sign, digits, scale, suffix, empty)
    return pc.binary_join_element_wise(sign, prefix, digits, scale, suffix, empty)
