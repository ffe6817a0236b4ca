"""Parse most JSON Lines blocks quickly with pyarrow's JSON reader.

The reader receives the type of each key and rejects values of other types. However, it accepts NaN and
numbers with too many digits for a float, so this module checks for both. If a check fails, the slow path
parses the block.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from understudy.tables.formats.jsonl.columns import STAGED_TYPES, Column, ValueKind
from understudy.tables.formats.jsonl.lines import Block

# Numbers with more than 17 digits. The colon in the pattern prevents matches within most texts.
_LONG_DECIMAL = r":[ \t]*-?(?:0\.0*[1-9][0-9]{17}|%s)" % "|".join(  # noqa: UP031 - braces are the pattern's
    rf"[1-9][0-9]{{{n - 1}}}\.[0-9]{{{18 - n}}}" for n in range(1, 18)
)
_LONG_INTEGER = r":[ \t]*-?[1-9][0-9]{15}"
_LONG_INTEGER_MIN = 10**15


def parse_quickly(block: Block, columns: Mapping[str, Column]) -> list[tuple[Column, pa.Array[Any]]] | None:
    """Return the values of a block by column, or None if the slow path has to parse the block."""
    if any(c.has_json or c.kind in (ValueKind.numerals, ValueKind.mixed) for c in columns.values()):
        return None
    table = _parse(block.data, columns)
    if table is None or table.num_rows == 0 or not _is_faithful(block.data, table):
        return None
    (batch,) = table.combine_chunks().to_batches()
    return list(zip(columns.values(), batch.columns, strict=True))


def _parse(data: bytes, columns: Mapping[str, Column]) -> pa.Table | None:
    schema = _schema(columns)
    try:
        table = pa.json.read_json(
            io.BytesIO(data),
            pa.json.ReadOptions(use_threads=False, block_size=len(data) + 1),
            pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    if not table.schema.equals(schema) or table.num_rows != _n_rows(data):
        return None
    leaves = [_leaf(table, column.keys) for column in columns.values()]
    return pa.table(leaves, names=list(columns))


def _schema(columns: Mapping[str, Column]) -> pa.Schema:
    """Return the schema of the objects, with a struct for each nested object."""
    tree: dict[str, Any] = {}
    for column in columns.values():
        branch = tree
        for key in column.keys[:-1]:
            branch = branch.setdefault(key, {})
            if not isinstance(branch, dict):
                return pa.schema([])
        branch[column.keys[-1]] = STAGED_TYPES[column.kind]
    return pa.schema(_fields(tree))


def _fields(tree: Mapping[str, Any]) -> list[pa.Field[Any]]:
    return [
        pa.field(key, pa.struct(_fields(branch)) if isinstance(branch, dict) else branch)
        for key, branch in tree.items()
    ]


def _leaf(table: pa.Table, keys: tuple[str, ...]) -> pa.ChunkedArray[Any]:
    """Return the values of nested objects, with null where an object is missing."""
    values: Any = table.column(keys[0])
    for key in keys[1:]:
        values = pc.struct_field(values, key)
    leaf: pa.ChunkedArray[Any] = values
    return leaf


def _n_rows(data: bytes) -> int:
    return sum(1 for line in data.split(b"\n") if line.strip(b" \t\r"))


def _is_faithful(data: bytes, table: pa.Table) -> bool:
    """Return whether the reader lost no digits and accepted no NaN or infinity."""
    floats = [column for column in table.columns if pa.types.is_floating(column.type)]
    if not floats:
        return True
    if not all(pc.all(pc.is_finite(column)).as_py() is not False for column in floats):
        return False
    text = pa.array([data], pa.binary())
    if pc.any(pc.match_substring_regex(text, _LONG_DECIMAL)).as_py():
        return False
    # A float column would round long whole numbers. Therefore, all of these numbers must be in integer
    # columns.
    n_long = pc.sum(pc.count_substring_regex(text, _LONG_INTEGER)).as_py()
    return n_long == 0 or n_long == sum(_n_long(c) for c in table.columns if pa.types.is_integer(c.type))


def _n_long(column: pa.ChunkedArray[Any]) -> int:
    values: Any = column
    is_long: Any = pc.or_(
        pc.greater_equal(values, pa.scalar(_LONG_INTEGER_MIN)),
        pc.less_equal(values, pa.scalar(-_LONG_INTEGER_MIN)),
    )
    return pc.sum(is_long).as_py() or 0
