"""Tests that the typed values of MongoDB Extended JSON are read, and written with the same wrappers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.parameters.read_options import ReadOptions
from understudy.tables.formats import FORMATS
from understudy.tables.formats.base import Loaded

N = 60


def load(tmp_path: Path, rows: list[dict[str, Any]], **options: Any) -> Loaded:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return FORMATS["jsonl"].load(path, options=ReadOptions(**options))


def written(tmp_path: Path, loaded: Loaded) -> list[dict[str, Any]]:
    target = tmp_path / "written.jsonl"
    FORMATS["jsonl"].write(target, loaded.table.to_batches(), loaded.table.schema)
    return [json.loads(line) for line in target.read_text().splitlines()]


@pytest.mark.parametrize(
    ("wrapper", "text", "type_"),
    [
        ("$numberDecimal", "{}.50", "double"),
        ("$numberLong", "7{}", "int64"),
        ("$numberInt", "{}", "int64"),
        ("$numberDouble", "{}.25", "double"),
        ("$oid", "5f1e{:020}", "string"),
        ("$date", "2023-05-01T10:{:02}:00Z", "timestamp[s, tz=UTC]"),
    ],
)
def test_wrapped_values_are_unwrapped_and_written_back(
    tmp_path: Path, wrapper: str, text: str, type_: str
) -> None:
    rows = [
        {"own": {wrapper: text.format(i)}, "n": i, "in": {"x": {wrapper: text.format(i)}}} for i in range(N)
    ]
    loaded = load(tmp_path, rows)
    assert loaded.table.column_names == ["own", "n", "in.x"]
    assert {str(loaded.table[name].type) for name in ("own", "in.x")} == {type_}
    assert written(tmp_path, loaded) == rows


@pytest.mark.parametrize(
    ("wrapper", "values", "type_"),
    [
        ("$numberInt", range(N), "int64"),
        ("$numberDouble", [i + 0.25 for i in range(N)], "double"),
        ("$numberDouble", ["NaN", *(f"{i}.5" for i in range(N))], "string"),
        ("$numberDecimal", ["-Infinity", *(f"{i}.50" for i in range(N))], "string"),
        ("$numberDouble", ["Infinity", *range(N)], "string"),
    ],
    ids=["integers without quotation marks", "floats without quotation marks", "nan", "infinity", "mixed"],
)
def test_unquoted_and_infinite_numbers_are_written_back(
    tmp_path: Path, wrapper: str, values: Sequence[Any], type_: str
) -> None:
    loaded = load(tmp_path, [{"own": {wrapper: value}} for value in values])
    assert str(loaded.table["own"].type) == type_
    assert any("NaN or Infinity" in text for text in loaded.warnings) is (type_ == "string")
    expected = list(map(str, values)) if type_ == "string" else list(values)
    assert [row["own"][wrapper] for row in written(tmp_path, loaded)] == expected


def test_infinite_numbers_are_missing_if_the_column_is_coerced(tmp_path: Path) -> None:
    values = ["NaN", "Infinity", *(f"{i}.5" for i in range(N))]
    rows = [{"own": {"$numberDouble": value}} for value in values]
    column = load(tmp_path, rows, coerce=["own"]).table["own"]
    assert (str(column.type), column.null_count) == ("double", 2)


def test_name_that_would_be_empty_keeps_the_wrapper(tmp_path: Path) -> None:
    assert load(tmp_path, [{"": {"$oid": "a"}, "n": 1}]).table.column_names == [".$oid", "n"]


def test_missing_wrapped_values_are_null(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"n": {"$numberInt": str(i)} if i % 3 else None, "x": i} for i in range(N)]
    assert load(tmp_path, rows).table["n"].null_count == N // 3


def test_values_of_two_types_stay_in_two_columns(tmp_path: Path) -> None:
    rows = [{"n": {"$numberInt" if i % 2 else "$numberLong": str(i)}} for i in range(N)]
    assert sorted(load(tmp_path, rows).table.column_names) == ["n.$numberInt", "n.$numberLong"]


@pytest.mark.parametrize(
    ("common", "rare", "type_"),
    [
        (5, {"$numberLong": "9007199254740993"}, "int64"),
        ({"$numberLong": "5"}, 7, "int64"),
        (2.5, {"$numberDecimal": "12.30"}, "double"),
        ({"$date": "2023-05-01T10:00:00Z"}, "2023-05-02T10:00:00Z", "timestamp[s, tz=UTC]"),
        ({"$date": "2023-05-01T10:00:00Z"}, {"$date": {"$numberLong": "-86400000"}}, "timestamp[s, tz=UTC]"),
        ({"$date": "2023-05-01T10:00:00Z"}, {"$date": {"$numberLong": "x"}}, "string"),
        ({"$oid": "5f1e00000000000000000001"}, "manual", "string"),
    ],
)
def test_values_with_and_without_wrappers_are_one_column(
    tmp_path: Path, common: Any, rare: Any, type_: str
) -> None:
    rows = [{"in": {"own": common if i % 3 else rare}, "n": i} for i in range(N)]
    loaded = load(tmp_path, rows)
    assert set(loaded.table.column_names) == {"in.own", "n"}
    assert str(loaded.table["in.own"].type) == type_
    assert loaded.table["in.own"].null_count == 0
    assert any("with and without a type key" in warning for warning in loaded.warnings)
    own = [row["in"]["own"] for row in written(tmp_path, loaded)]
    assert own[1] == common
    assert all(type(value) is type(common) for value in own)


def test_joined_column_has_the_position_of_the_first_value(tmp_path: Path) -> None:
    rows = [{"a": 5 if i == 0 else {"$numberLong": "6"}, "b": i} for i in range(N)]
    assert load(tmp_path, rows).table.column_names == ["a", "b"]


@pytest.mark.parametrize("empty", [{"$oid": None}, {"$date": {"$numberLong": None}}, None])
@pytest.mark.parametrize("value", [5, {"$date": "2023-05-01T10:00:00Z"}], ids=["number", "date"])
def test_type_key_without_values_is_missing(tmp_path: Path, empty: Any, value: Any) -> None:
    loaded = load(tmp_path, [{"a": value if i % 3 else empty, "n": i} for i in range(N)])
    assert loaded.table.column_names == ["a", "n"]
    assert loaded.table["a"].null_count == N // 3
    assert not any("type key" in warning for warning in loaded.warnings)


def test_milliseconds_become_dates_in_all_blocks_or_in_none(tmp_path: Path) -> None:
    times = [{"$date": {"$numberLong": str(86_400_000 * i)}} for i in range(3_000)]
    rows = [{"a": each} for each in times] + [{"a": {"$date": {"$numberLong": "x"}}}, {"a": "y"}]
    assert load(tmp_path, rows).table["a"].to_pylist()[:2] == [0, 86_400_000]


def test_wrapped_values_beside_other_objects_are_refused(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"own": 5}, {"own": {"$numberLong": "5"}}, {"own": {"x": 1}}]
    with pytest.raises(InvalidInput, match="objects on some lines"):
        load(tmp_path, rows)


def test_numbers_in_quotation_marks_without_a_wrapper_remain_text(tmp_path: Path) -> None:
    assert pa.types.is_string(load(tmp_path, [{"zip": str(10_000 + i)} for i in range(N)]).table["zip"].type)
