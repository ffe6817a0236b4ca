"""Escape texts that a spreadsheet program would interpret as formulas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.text_style import known_style

# Characters that start a formula, and whitespace that programs skip before a formula.
_BEGINNING = r"\A[=+\-@\t\r\n＝＋－＠]"  # noqa: RUF001 - the wide forms count as well
# A new cell can begin within a text if a program uses another delimiter or ignores quotation marks.
_WITHIN = r"""([,;|"'\t\r\n])([=+\-@])"""
_NUMBER = r"\A-[0-9]+(?:[.,][0-9]+)*(?:[eE][-+]?[0-9]+)?\z"


def without_formulas(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield batches with an apostrophe before every text or part of a text that looks like a formula.

    Negative numbers in text columns and values of other types are not changed.
    """
    safe = safe_schema(schema)
    for batch in batches:
        columns = [_safe(column) if _is_text(column.type) else column for column in batch.columns]
        yield pa.record_batch(columns, schema=safe)


def safe_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema with column names escaped, so that no name is a formula."""
    names = _safe(pa.array(schema.names, pa.string()))
    fields = [field.with_name(str(name)) for field, name in zip(schema, names, strict=True)]
    return pa.schema(fields, metadata=known_style(schema.metadata))


def _safe(column: pa.Array[Any]) -> pa.Array[Any]:
    texts: Any = column
    is_number = pc.match_substring_regex(texts, _NUMBER)
    safe = pc.replace_substring_regex(texts, _WITHIN, r"\1'\2")
    begins = pc.match_substring_regex(safe, _BEGINNING)
    marked = pc.binary_join_element_wise(pa.scalar("'", column.type), safe, pa.scalar("", column.type))
    escaped: pa.Array[Any] = pc.if_else(is_number, texts, pc.if_else(begins, marked, safe))
    return escaped


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)
