"""Tests for table fingerprints."""

from __future__ import annotations

import datetime
import decimal

import pyarrow as pa
import pytest

from understudy.tables.fingerprint import fingerprint

TABLE = pa.table(
    {
        "number": pa.array([1.5, None, float("nan"), -0.0]),
        "count": pa.array([1, 2, None, 4], pa.int64()),
        "text": pa.array(["a", "", None, "ü"]),
        "flag": pa.array([True, None, False, False]),
        "day": pa.array([datetime.date(2020, 1, 1), None, None, datetime.date(2021, 1, 1)]),
        "at": pa.array([0, 1, None, 3], pa.timestamp("us", tz="UTC")),
        "price": pa.array([decimal.Decimal("1.10"), None, None, decimal.Decimal("2.00")]),
        "code": pa.array(["x", "y", None, "x"]).dictionary_encode(),
    }
)


def test_the_fingerprint_does_not_depend_on_chunks() -> None:
    chunked = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1, 2), TABLE.slice(3)])
    assert fingerprint(chunked) == fingerprint(TABLE)


def test_the_fingerprint_ignores_the_memory_behind_missing_values() -> None:
    masked = pa.Array.from_buffers(
        pa.int64(), 2, [pa.py_buffer(b"\x01"), pa.array([7, 9], pa.int64()).buffers()[1]]
    )
    assert fingerprint(pa.table({"a": masked})) == fingerprint(pa.table({"a": pa.array([7, None])}))


@pytest.mark.parametrize("name", TABLE.column_names)
def test_the_fingerprint_depends_on_every_value(name: str) -> None:
    values = TABLE[name].to_pylist()
    swapped = pa.array([values[3], *values[1:3], values[0]], TABLE[name].type)
    i = TABLE.column_names.index(name)
    changed = TABLE.set_column(i, name, swapped)
    if name == "code":
        changed = TABLE.set_column(i, name, pa.array(["y", "x", None, "x"]).dictionary_encode())
    assert fingerprint(changed) != fingerprint(TABLE)


def test_the_fingerprint_depends_on_the_names_order_and_types_of_columns() -> None:
    digests = {
        fingerprint(table)
        for table in (
            TABLE,
            TABLE.rename_columns(["other", *TABLE.column_names[1:]]),
            TABLE.select(TABLE.column_names[::-1]),
            TABLE.set_column(1, "count", TABLE["count"].cast(pa.int32())),
            TABLE.slice(0, 3),
        )
    }
    assert len(digests) == 5


def test_texts_with_equal_concatenations_have_different_fingerprints() -> None:
    assert fingerprint(pa.table({"a": ["ab", "c"]})) != fingerprint(pa.table({"a": ["a", "bc"]}))
