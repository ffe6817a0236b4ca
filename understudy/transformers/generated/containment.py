"""Read values of other columns from identifiers that contain these values, for imputation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from understudy.transformers.base import ArrowArray, ArrowColumn
from understudy.transformers.generated.composed import Composed, patterns_of
from understudy.transformers.generated.locations import MARKS
from understudy.transformers.generated.patterns import CLASSES, Pattern
from understudy.transformers.generated.references import Reference
from understudy.transformers.generated.renderings import Rendering

# Values of a reference, by their text in identifiers. A text that represents several values is mapped to
# None.
_Values = Mapping[str, Any]


def read_contained(
    generator: Composed, texts: ArrowColumn, known: Mapping[str, ArrowColumn]
) -> dict[str, ArrowArray]:
    """Return the values of other columns that identifiers contain. Ambiguous values are null.

    Parameters
    ----------
    generator : Composed
        Generator of the identifiers.
    texts : pyarrow.ChunkedArray
        Identifiers, which may be missing.
    known : mapping of column name to pyarrow.ChunkedArray
        Columns that identifiers may contain, with values that may occur in them. If the identifiers contain
        the values of a column unchanged, other values are also read.
    """
    references = [own for own in generator.references if own.column in known]
    values = {own.column: _values_by_text(own, known[own.column]) for own in references}
    expressions = [re.compile(_expression(pattern, generator)) for pattern in patterns_of(generator.rest)]
    read: dict[str, list[Any]] = {own.column: [] for own in references}
    for text in texts.cast(pa.large_string()).to_pylist():
        found = [] if text is None else list(_matches(expressions, text))
        for own in references:
            mark = generator.references.index(own)
            type_, by_text = known[own.column].type, values[own.column]
            read[own.column].append(_clear([_value(own, type_, by_text, m[mark + 1]) for m in found]))
    return {name: _array(own, known[name].type) for name, own in read.items()}


def _array(values: list[Any], type_: pa.DataType) -> ArrowArray:
    """Return values as an array. Integers out of the range of the type become null."""
    if not pa.types.is_integer(type_):
        return pa.array(values, type_)
    low, high = (0, 2**64) if pa.types.is_unsigned_integer(type_) else (-(2**63), 2**63)
    bits = 64 - type_.bit_width
    low, high = low >> bits, high >> bits
    return pa.array([value if value is not None and low <= value < high else None for value in values], type_)


def _values_by_text(reference: Reference, column: ArrowColumn) -> _Values:
    distinct = pa.concat_arrays([column.combine_chunks().unique().drop_null()])
    values: dict[str, Any] = {}
    written = reference.rendering.write(distinct).to_pylist()
    for text, value in zip(written, distinct.to_pylist(), strict=True):
        if text is not None:
            values[text] = None if text in values else value
    return values


def _expression(pattern: Pattern, generator: Composed) -> str:
    """Return a regular expression with a group for each mark.

    A digit that is the same in all identifiers of the table may differ in later identifiers.
    """
    parts = []
    for position in pattern.positions:
        if position in MARKS[: len(generator.references)]:
            parts.append("(.+?)")
        elif position in CLASSES["digit"]:
            parts.append("[0-9]")
        else:
            parts.append(f"[{CLASSES[position]}]" if position in CLASSES else re.escape(position))
    return "".join(parts)


def _matches(expressions: list[re.Pattern[str]], text: str) -> Iterator[re.Match[str]]:
    yield from (match for own in expressions if (match := own.fullmatch(text)))


def _value(reference: Reference, type_: pa.DataType, values: _Values, text: str) -> Any:
    """Return the value that a text represents, or None if the text is ambiguous."""
    if text in values or text == reference.fallback:
        return values.get(text)
    # A value that an identifier contains verbatim can be recovered even if it occurs in no other row.
    if pa.types.is_integer(type_) and reference.rendering.is_whole and text.isdecimal() and text.isascii():
        return int(text)
    is_text = pa.types.is_string(type_) or pa.types.is_large_string(type_)
    return text if is_text and reference.rendering == Rendering("text") else None


def _clear(values: list[Any]) -> Any:
    """Return the value if all patterns that match yield the same value, otherwise None."""
    given = [value for value in values if value is not None]
    return given[0] if given and all(value == given[0] for value in given) else None
