"""Decide whether a text column contains numbers or dates in a notation other than the plain notation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pyarrow as pa

from understudy.parameters.read_options import ReadOptions
from understudy.tables.formats.csv.column_types import ColumnType
from understudy.tables.formats.csv.missing_words import with_words
from understudy.tables.formats.csv.parsing import MISSING
from understudy.tables.formats.csv.strays import are_strays
from understudy.tables.inference import headers
from understudy.tables.notation import DateNotation, NumberNotation
from understudy.tables.notation_words import is_word
from understudy.tables.notations.clues import Clues, Detected, Texts
from understudy.tables.notations.date_detection import UNCLEAR_ORDER, order_of
from understudy.tables.notations.detection import detect
from understudy.tables.notations.number_detection import UNCLEAR_COMMAS
from understudy.tables.notations.samples import sample_texts

# If at least this share of a text column's values follows one notation, a note reports the column's other
# values.
_NEARLY = 0.9
# Minimum number of digits of telephone numbers and national IDs.
_N_DIGITS_OF_CODE = 7
_GROUPED_CODES = "the column's name indicates codes (set the option `thousands` to read numbers)"
# Minimum number of rows that must share a value in another notation before samples may contain the value.
_N_ROWS_OF_WORD = 5


def clues_of(name: str, options: ReadOptions, *, prefers_point: bool = False) -> Clues:
    """Return the clues about the notation of a column from its name and from the options."""
    return Clues(
        words=headers.words_of(name),
        decimal=options.decimal,
        thousands=options.thousands,
        date_order=options.date_order,
        prefers_point=prefers_point,
        is_coerced=name in options.coerce,
    )


def resolve(column_type: ColumnType, texts: Texts, clues: Clues, name: str) -> ColumnType:
    """Return the type of a column. If all values of a text column follow one notation, include the notation.

    Parameters
    ----------
    column_type : ColumnType
        Type that `ColumnProfile` detected.
    texts : callable () -> iterable of text arrays
        Function that returns all trimmed values, with null for missing values.
    """
    if not pa.types.is_string(column_type.arrow_type):
        return column_type
    detected = detect(texts, clues)
    if detected is None:
        return column_type
    if _are_grouped_codes(detected, texts, clues):
        return replace(column_type, note=_GROUPED_CODES, is_doubtful=True, odd_rows=())
    has_odd_values = detected.tally.n_odd > 0 and not clues.is_coerced
    if has_odd_values and not are_strays(detected, sample_texts(texts), clues):
        return _with_odd_values(column_type, detected, name)
    if detected.question is not None and (has_odd_values or not detected.tally.n_odd):
        return replace(column_type, note=detected.question, is_doubtful=True, odd_rows=())
    return replace(_typed(detected, clues), is_nearly=has_odd_values)


def _are_grouped_codes(detected: Detected, texts: Texts, clues: Clues) -> bool:
    """Return whether the header indicates that grouped digits are telephone numbers or national IDs."""
    notation = detected.notation
    if not isinstance(notation, NumberNotation) or notation.thousands not in (" ", ".") or clues.thousands:
        return False
    is_named = headers.contains(clues.words, headers.PHONE) or headers.contains(
        clues.words, headers.NATIONAL_ID
    )
    if not is_named or notation.prefix or notation.suffix or pa.types.is_floating(detected.arrow_type):
        return False
    sample = sample_texts(texts)
    n_long = sum(
        n
        for value, n in zip(sample.values, sample.counts, strict=True)
        if sum(map(str.isdigit, value)) >= _N_DIGITS_OF_CODE
    )
    return n_long >= _NEARLY * sample.n


class Unresolved(NamedTuple):
    """The arguments of `resolve` for one column."""

    column_type: ColumnType
    texts: Texts
    clues: Clues
    name: str


def resolve_together(types: Sequence[ColumnType], columns: Sequence[Unresolved]) -> list[ColumnType]:
    """Resolve columns whose date order or decimal separator is unclear, if all other columns agree on it."""
    clear = {
        UNCLEAR_ORDER: ("date_order", _orders_in(types)),
        UNCLEAR_COMMAS: ("decimal", _decimals_in(types)),
    }
    resolved = []
    for type_, column in zip(types, columns, strict=True):
        clue, values = clear.get(type_.note or "", ("", frozenset()))
        if len(values) == 1:
            # Any: the field, and so the type of its value, is chosen at run time.
            change: dict[str, Any] = {clue: next(iter(values))}
            clues = replace(column.clues, **change)
            resolved.append(resolve(column.column_type, column.texts, clues, column.name))
        else:
            resolved.append(type_)
    return resolved


def _orders_in(types: Sequence[ColumnType]) -> frozenset[str]:
    orders = {order_of(each.notation) for each in types if isinstance(each.notation, DateNotation)}
    return frozenset(order for order in orders if order is not None)


def _decimals_in(types: Sequence[ColumnType]) -> frozenset[str]:
    """Return the decimal separators of the columns with decimals."""
    return frozenset(
        each.notation.decimal if isinstance(each.notation, NumberNotation) else "."
        for each in types
        if pa.types.is_floating(each.arrow_type)
    )


def _typed(detected: Detected, clues: Clues) -> ColumnType:
    tally = detected.tally
    n_values = tally.n_fitting + tally.n_odd
    n_missing = tally.n_null + tally.missing.total() + tally.n_odd
    kept = {} if clues.is_coerced else _words_among(tally.odd)
    missing = {**tally.missing, **kept, "": tally.n_null + tally.n_odd - sum(kept.values())}
    replaced = [
        f"{n:,} value{'' if n == 1 else 's'} {word!r} {'was' if n == 1 else 'were'} read as missing"
        for word, n in tally.missing.most_common()
        if word not in MISSING
    ]
    if tally.n_odd and not clues.is_coerced:
        replaced.append(f"{tally.n_odd:,} of {n_values:,} values cannot be read as {_noun(detected)}")
    elif tally.n_odd:
        n = tally.n_odd
        one = _noun(detected).removesuffix("s")
        replaced.append(
            f"1 value that is not a {one} was read as missing"
            if n == 1
            else f"{n:,} values that are not {_noun(detected)} were read as missing"
        )
    notes = [detected.words] * bool(detected.words) + (replaced[-1:] if tally.n_odd else [])
    return ColumnType(
        detected.arrow_type,
        n_missing == 0,
        "; ".join(notes) or None,
        odd_rows=tuple(tally.odd_rows),
        notation=with_words(detected.notation, missing).model_copy(
            update={"has_strays": tally.n_odd > sum(kept.values())}
        ),
        replaced=tuple(replaced),
        missing=missing,
    )


def _words_among(odd: Mapping[str, int]) -> dict[str, int]:
    """Return the words that several rows share. Samples may contain these words despite the notation."""
    return {text: n for text, n in odd.items() if n >= _N_ROWS_OF_WORD and is_word(text)}


def _with_odd_values(column_type: ColumnType, detected: Detected, name: str) -> ColumnType:
    """Return the type of a text column, with a note about the values that do not follow its main notation."""
    tally = detected.tally
    n_values = tally.n_fitting + tally.n_odd
    if tally.n_fitting < _NEARLY * n_values or "leading zeros" in (column_type.note or ""):
        return column_type
    note = f"{tally.n_odd:,} of {n_values:,} values cannot be read as {_noun(detected)}"
    return replace(column_type, note=note, is_doubtful=True, odd_rows=tuple(tally.odd_rows), is_nearly=True)


def _noun(detected: Detected) -> str:
    type_ = detected.arrow_type
    if pa.types.is_integer(type_):
        return "whole numbers"
    if pa.types.is_floating(type_):
        return "numbers"
    if pa.types.is_timestamp(type_):
        return "timestamps"
    if pa.types.is_duration(type_):
        return "durations"
    return "times" if pa.types.is_time(type_) else "dates"
