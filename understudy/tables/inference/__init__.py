"""Infer the kinds of columns from their types, names and sampled values, and record the evidence.

`types` maps storable types to kinds, `values` samples tables in memory and in files, and `headers` matches
column names against word lists. `coded_identifiers` and `personal` detect personal values,
`unrecognized_text` detects identifiers and free text, and `numbers` examines numbers. `columns` chooses the
kind of a column. `repeated_keys` detects keys of people and things in columns with repeated values,
`entities` compares columns, and `subjects` chooses the subject of a table. `roles` finds candidates for the
key and the target of a table, and `keys` finds candidates for relationships between tables.
"""

from __future__ import annotations

from understudy.tables.inference.column_names import check_names
from understudy.tables.inference.examination import examine, is_generated_column
from understudy.tables.inference.headers import words_of
from understudy.tables.inference.key_headers import has_key_header
from understudy.tables.inference.locales import find_locale
from understudy.tables.inference.subjects import describe_subject
from understudy.tables.inference.tables import (
    InferredSchema,
    InferredTable,
    infer_schema,
    infer_stored,
    infer_table,
    infer_values,
)
from understudy.tables.inference.types import column_kind, storable_type

__all__ = [
    "InferredSchema",
    "InferredTable",
    "check_names",
    "column_kind",
    "describe_subject",
    "examine",
    "find_locale",
    "has_key_header",
    "infer_schema",
    "infer_stored",
    "infer_table",
    "infer_values",
    "is_generated_column",
    "storable_type",
    "words_of",
]
