"""Tests that nested objects and arrays in JSON Lines become columns and are written in the same shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from understudy.errors import InvalidInput
from understudy.parameters.read_options import read_options
from understudy.tables.formats import FORMATS, write_table
from understudy.tables.formats.base import Loaded


def _load(tmp_path: Path, rows: list[Any], **options: str) -> Loaded:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return FORMATS["jsonl"].load(path, options=read_options(options))


def _written(tmp_path: Path, loaded: Loaded, name: str = "out.jsonl") -> list[Any]:
    path = tmp_path / name
    write_table(path, loaded.table.to_batches(), loaded.table.schema)
    return [json.loads(line) for line in path.read_text().splitlines()]


def _rows(n: int) -> list[Any]:
    return [
        {
            "ts": f"2024-05-{day % 28 + 1:02}",
            "user": {"id": day, "place": {"city": "Oslo", "x": day / 4}},
            "ms": 5,
        }
        for day in range(n)
    ]


@pytest.mark.parametrize("n", [5, 5_000])
def test_nested_objects_become_columns_and_keep_their_shape(tmp_path: Path, n: int):
    loaded = _load(tmp_path, _rows(n))
    assert loaded.table.column_names == ["ts", "user.id", "user.place.city", "user.place.x", "ms"]
    assert [str(type_) for type_ in loaded.table.schema.types] == [
        *("date32[day]", "int64", "string", "double", "int64")
    ]
    assert _written(tmp_path, loaded) == _rows(n)
    (warning,) = loaded.warnings
    assert "`flatten`" in warning
    assert _load(tmp_path, _rows(5), flatten="true").warnings == []


def test_nested_objects_are_refused_if_flattening_is_disabled(tmp_path: Path):
    with pytest.raises(InvalidInput) as caught:
        _load(tmp_path, _rows(5), flatten="false")
    assert caught.value.code == "unsupported_column"


def test_arrays_become_json_text_and_are_written_as_arrays(tmp_path: Path):
    rows = [
        {"id": n, "tags": ["a", 'b "c"', n, {"x": 1.5, "y": None}], "more": {"list": []}} for n in range(9)
    ]
    loaded = _load(tmp_path, rows)
    assert loaded.table.column("tags")[0].as_py() == '["a", "b \\"c\\"", 0, {"x": 1.5, "y": null}]'
    assert _written(tmp_path, loaded) == rows


def test_absent_and_empty_objects_are_missing_values(tmp_path: Path):
    rows = [{"a": None}, {"a": {"b": 1}}, {}, {"a": {}}, {"a": {"b": None}}]
    table = _load(tmp_path, rows).table
    assert table.to_pydict() == {"a.b": [None, 1, None, None, None]}


def test_keys_that_appear_later_are_written_within_their_object(tmp_path: Path):
    rows = [{"a": {"b": 1}, "c": 2}] * 2_000 + [{"a": {"b": 1, "d": "x"}, "c": 2}]
    loaded = _load(tmp_path, rows)
    assert _written(tmp_path, loaded)[-1] == rows[-1]


def test_nested_shape_survives_parquet_and_arrow_files(tmp_path: Path):
    loaded = _load(tmp_path, _rows(5))
    for format_ in ("parquet", "arrow"):
        path = tmp_path / f"t.{format_}"
        write_table(path, loaded.table.to_batches(), loaded.table.schema)
        assert _written(tmp_path, FORMATS[format_].load(path), f"{format_}.jsonl") == _rows(5)


def test_text_that_is_not_json_is_written_as_a_string(tmp_path: Path):
    loaded = _load(tmp_path, [{"tags": ["a"]}] * 3)
    changed = loaded.table.set_column(0, loaded.table.schema.field(0), [["no json", "[1, 2]", None]])
    assert _written(tmp_path, Loaded(changed, [], None)) == [
        {"tags": "no json"},
        {"tags": [1, 2]},
        {"tags": None},
    ]
