"""Write JSON Lines. Every line has all keys. Missing values are null, and numbers keep all their digits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.progress import Progress, no_progress
from understudy.tables.formats.canonical import atomic_path
from understudy.tables.formats.jsonl.nesting import Slot, json_values, object_template
from understudy.tables.formats.scan import MEBIBYTE
from understudy.tables.notations import written_batch

_ROWS = 16_384
_BYTES = 4 * MEBIBYTE
# Large strings are used because many long texts can exceed 2 GiB.
_TEXT = pa.large_string()
_SPECIAL = r'["\\\x00-\x1f]'
_RARE = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


def write_jsonl(
    path: Path,
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    *,
    progress: Progress = no_progress,
    rows_total: int | None = None,
) -> int:
    """Write batches to a file and return the number of rows.

    The file appears at its path only when it is complete. Memory use does not grow with the number of rows.
    """
    n_rows = 0
    with atomic_path(path) as part, part.open("wb") as file:
        for batch in batches:
            file.writelines(_pieces(written_batch(batch, schema, is_json=True), schema))
            n_rows += batch.num_rows
            fraction = n_rows / rows_total if rows_total else 0.0
            progress("writing", fraction, rows_done=n_rows, rows_total=rows_total)
    return n_rows


def jsonl_chunks(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[bytes]:
    """Yield the bytes of a JSON Lines file, batch by batch."""
    for batch in batches:
        yield from _pieces(written_batch(batch, schema, is_json=True), schema)


def _pieces(batch: pa.RecordBatch, schema: pa.Schema) -> Iterator[bytes]:
    template = object_template(schema)
    rows = max(1, min(_ROWS, batch.num_rows * _BYTES // max(1, batch.nbytes)))
    for start in range(0, batch.num_rows, rows):
        yield _lines(batch.slice(start, rows), template)


def _lines(batch: pa.RecordBatch, template: Sequence[str | Slot]) -> bytes:
    parts: list[Any] = [
        pa.scalar(part, _TEXT) if isinstance(part, str) else _slot_values(batch, part) for part in template
    ]
    lines: Any = pc.binary_join_element_wise(
        *parts, pa.scalar("", _TEXT), null_handling="replace", null_replacement="null"
    )
    n_bytes = pc.sum(pc.binary_length(lines)).as_py()
    data: bytes = lines.buffers()[2].slice(0, n_bytes).to_pybytes()
    return data


def _slot_values(batch: pa.RecordBatch, slot: Slot) -> Any:
    column = batch.column(slot.column)
    if slot.is_json and pa.types.is_string(column.type):
        return json_values(column).cast(_TEXT)
    values = _values(column)
    is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    return _quoted(values) if slot.is_quoted and is_number else values


def _values(column: pa.Array[Any]) -> Any:
    """Return the JSON of each value, and null for missing values."""
    type_ = column.type
    if pa.types.is_floating(type_):
        return _floats(column)
    if pa.types.is_duration(type_):
        return column.cast(pa.int64()).cast(_TEXT)
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return _quoted(_escaped(column.cast(_TEXT)))
    if pa.types.is_timestamp(type_):
        return _timestamps(column)
    if pa.types.is_date64(type_):
        column = column.cast(pa.date32())
    text = column.cast(_TEXT)
    return _quoted(text) if pa.types.is_temporal(type_) else text


def _floats(column: pa.Array[Any]) -> Any:
    # Arrow provides the following kernels only for float32 and float64.
    values: Any = column.cast(pa.float32()) if pa.types.is_float16(column.type) else column
    is_finite: Any = pc.is_finite(values)
    if pc.all(is_finite).as_py() is False:
        values = pc.if_else(is_finite, values, pa.scalar(None, values.type))
    text = values.cast(_TEXT)
    if not pc.any(pc.equal(pc.trunc(values), values)).as_py():
        return text
    # Write 1.0 instead of 1, so that the column is read back as floats.
    is_whole = pc.match_substring_regex(text, "^-?[0-9]+$")
    return pc.if_else(is_whole, _joined(text, pa.scalar(".0", _TEXT)), text)


def _timestamps(column: pa.Array[Any]) -> Any:
    """Return timestamps in the format of RFC 3339."""
    zone = column.type.tz
    naive = column.cast(pa.timestamp(column.type.unit))
    text = pc.replace_substring(naive.cast(_TEXT), " ", "T")
    return _quoted(_joined(text, pa.scalar("Z", _TEXT)) if zone else text)


def _quoted(text: Any) -> Any:
    mark = pa.scalar('"', _TEXT)
    return _joined(mark, text, mark)


def _escaped(text: Any) -> Any:
    if not pc.any(pc.match_substring_regex(text, _SPECIAL)).as_py():
        return text
    if pc.any(pc.match_substring_regex(text, _RARE)).as_py():
        escaped = [None if t is None else json.dumps(t, ensure_ascii=False)[1:-1] for t in text.to_pylist()]
        return pa.array(escaped, _TEXT)
    for character, written in _ESCAPES:
        text = pc.replace_substring(text, character, written)
    return text


def _joined(*parts: Any) -> Any:
    return pc.binary_join_element_wise(*parts, pa.scalar("", _TEXT))
