"""Recognize generated columns by their kind, and determine their form from their name and values."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from understudy.tables.inference import headers, is_generated_column
from understudy.tables.inference.personal import address_form_of, name_form_of
from understudy.tables.inference.values import sample_array
from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.base import ArrowColumn, Subjects
from understudy.transformers.categorical import has_shared_level

# Minimum width, in bits, of an integer column that can store generated subjects.
BITS_MIN = 32


@dataclass(frozen=True)
class Recognition:
    """The kind and form of the values that are generated for a column."""

    kind: ColumnKind
    form: str


def recognize(column: Column, values: ArrowColumn) -> Recognition | None:
    """Return the kind and form of a generated column, or None if the column is learned."""
    if not is_generated_column(column, values.type):
        return None
    return Recognition(column.kind, _form(column.kind, column.name, values))


def recognize_subject(column: Column, values: ArrowColumn, subjects: Subjects | None) -> Recognition | None:
    """Return the kind and form if a subject column's labels are generated as identifiers, or None.

    If no label is shared by enough subjects, one placeholder would replace all labels. If the labels are
    generated as identifiers, they have the patterns of the table instead. Declared labels are not generated,
    and neither are integers of fewer than 32 bits, which may be too narrow for new values.
    """
    is_label = column.kind is ColumnKind.category and column.domain is None
    if not (is_label and _can_hold_identifiers(values.type)) or values.null_count == len(values):
        return None
    if has_shared_level(values, subjects):
        return None
    return Recognition(ColumnKind.identifier, ColumnKind.identifier.value)


def _can_hold_identifiers(type_: pa.DataType) -> bool:
    if pa.types.is_integer(type_):
        return type_.bit_width >= BITS_MIN
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _form(kind: ColumnKind, name: str, values: ArrowColumn) -> str:
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    if kind in (ColumnKind.name, ColumnKind.address) and is_text:
        form_of = name_form_of if kind is ColumnKind.name else address_form_of
        return form_of(headers.words_of(name), sample_array(values)[0].texts())
    return {ColumnKind.text: "words"}.get(kind, kind.value)
