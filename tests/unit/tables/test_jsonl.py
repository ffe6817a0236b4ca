"""Tests for JSON Lines: column types, notes and errors."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.tables.formats import FORMATS, Ingested, ReadLimits, read_table

# A file with this many lines is longer than the first block, which the slow path reads.
_MANY = 20_000


def _read(tmp_path: Path, *lines: str) -> pa.Table:
    path = tmp_path / "table.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return read_table(path)


def _ingest(tmp_path: Path, *lines: str) -> Ingested:
    _read(tmp_path, *lines)
    return FORMATS["jsonl"].ingest(tmp_path / "table.jsonl", tmp_path / "table.parquet", ReadLimits())


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "-9223372036854775808", "9223372036854775807"], "int64"),
        (["1", "2.5", "1e3"], "double"),
        (["0.1", "0.30000000000000004", "0.50000000000000000000"], "double"),
        (["true", "false"], "bool"),
        (['"x"', '""'], "string"),
        (["null", "null"], "string"),
        (['"2024-02-29"', '"0001-01-01"'], "date32[day]"),
        (['"12:30"', '"12:30:59.5"'], "time32[ms]"),
        (['"2024-02-29T12:30:00"'], "timestamp[s]"),
        (['"2024-02-29T12:30:00+02:00"', '"2024-02-29 12:30:00.25Z"'], "timestamp[ms, tz=UTC]"),
        (['"1"', '"2"'], "string"),
        (['"true"'], "string"),
        (["9223372036854775808", "1"], "decimal128(19, 0)"),
        (["0.1234567890123456789", "12"], "decimal128(21, 19)"),
        (["9007199254740993", "0.5"], "decimal128(17, 1)"),
        (["1" * 40, "1"], "string"),
        (["1e400", "1"], "string"),
        (["1e99999999999999999999999", "1"], "string"),
        (["1", '"x"', "true"], "string"),
    ],
)
def test_type_of_a_column_fits_all_values(tmp_path: Path, values: list[str], type_: str):
    read = _read(tmp_path, *(f'{{"a": {value}}}' for value in values), '{"a": null}')
    assert str(read.schema.field("a").type) == type_
    assert read.column("a").null_count == 1 + values.count("null")


@pytest.mark.parametrize(
    "values",
    [
        ["9223372036854775808", "1", "-3.50", "1e2", "0.00000000001"],
        ["18446744073709551615", "0"],
        ["0.12345678901234567890123456789", "1.000", "7"],
    ],
)
def test_long_numbers_keep_all_their_digits(tmp_path: Path, values: list[str]):
    read = _read(tmp_path, *(f'{{"a": {value}}}' for value in values))
    assert read.column("a").to_pylist() == [Decimal(value) for value in values]


@pytest.mark.parametrize("late", ["9007199254740993", "1234567890.123456789012", "0.1234567890123456789"])
def test_long_number_after_many_lines_is_not_rounded(tmp_path: Path, late: str):
    read = _read(tmp_path, *['{"a": 0.1}'] * _MANY, f'{{"a": {late}}}')
    assert set(read.column("a").to_pylist()) == {Decimal("0.1"), Decimal(late)}


def test_long_whole_numbers_in_a_table_with_floats_stay_whole(tmp_path: Path):
    read = _read(tmp_path, *(f'{{"id": {2**62 + i}, "x": {i / 7}}}' for i in range(_MANY)))
    assert read.column("id").to_pylist() == [2**62 + i for i in range(_MANY)]
    assert read.column("x").to_pylist() == [i / 7 for i in range(_MANY)]


def test_columns_have_the_order_in_which_their_keys_first_appear(tmp_path: Path):
    late = ['{"d": 1, "c": 2}'] * _MANY
    read = _read(tmp_path, '{"b": 1, "a": "x"}', '{"a": "y", "c": 1}', *late, '{"e": true, "b": 2}')
    assert read.column_names == ["b", "a", "c", "d", "e"]
    assert read.slice(0, 2).to_pylist() == [
        {"b": 1, "a": "x", "c": None, "d": None, "e": None},
        {"b": None, "a": "y", "c": 1, "d": None, "e": None},
    ]
    assert read.slice(_MANY + 2).to_pylist() == [{"b": 2, "a": None, "c": None, "d": None, "e": True}]


@pytest.mark.parametrize("n_between", [0, _MANY])
def test_mixed_column_is_text_and_the_warning_contains_line_numbers(tmp_path: Path, n_between: int):
    lines = ['{"v": 1.5}', "", *['{"v": 7}', '{"v": "y"}'] * (n_between // 2), '{"v": "x"}', '{"v": false}']
    ingested = _ingest(tmp_path, *lines)
    read = read_table(tmp_path / "table.parquet").column("v").to_pylist()
    assert (read[0], read[-2:]) == ("1.5", ["x", "false"])
    (warning,) = ingested.warnings
    first_text = 4 if n_between else 3
    for place in ("'v'", "numbers (first on line 1)", f"text (first on line {first_text})"):
        assert place in warning


def test_float_after_many_lines_makes_the_column_float(tmp_path: Path):
    read = _read(tmp_path, *['{"a": 1}'] * _MANY, '{"a": 0.5}')
    assert read.column("a").to_pylist() == [1.0] * _MANY + [0.5]


def test_blank_lines_and_byte_order_marks_are_skipped(tmp_path: Path):
    path = tmp_path / "table.ndjson"
    path.write_bytes(b'\xef\xbb\xbf\r\n{"a": 1}\r\n\r\n \t\n{"a": 2}')
    assert read_table(path).to_pylist() == [{"a": 1}, {"a": 2}]


def test_escapes_are_decoded(tmp_path: Path):
    name = 'é 😀 \u2028 "\\/\b\f\n\r\t\x7f'
    text = f"{name}\x00"
    read = _read(tmp_path, json.dumps({name: text}), json.dumps({name: text}, ensure_ascii=False))
    assert read.to_pylist() == [{name: text}] * 2


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('{"a": [1]}', "Column 'a' (line 20,003)"),
        ('{"a": 1, "a": 2}', "Line 20,003 contains the key 'a' twice"),
        ('{"a": NaN}', "Line 20,003 contains NaN"),
        ('{"a": 1 2}', "Line 20,003 is not valid JSON (character 9)"),
        ('{"b": "\\ud800"}', "Line 20,003 contains half"),
        ("[]", "Line 20,003 is not a JSON object"),
    ],
)
def test_error_contains_the_line_number_but_no_value(tmp_path: Path, line: str, place: str):
    lines = ['{"a": 1, "b": "secret"}'] * (_MANY + 1)
    with pytest.raises(InvalidInput) as caught:
        _read(tmp_path, *lines, "", line)
    assert place in caught.value.detail
    assert "secret" not in caught.value.detail


def test_quoted_numbers_are_text_and_the_evidence_contains_the_reason(tmp_path: Path):
    ingested = _ingest(tmp_path, '{"code": "00501"}', '{"code": "10115"}')
    assert ingested.schema.column("code").kind == "category"
    assert "leading zeros" in ingested.findings.columns["code"].evidence
    assert "quotation marks" in _ingest(tmp_path, '{"n": "12"}').findings.columns["n"].evidence


def test_written_lines_are_valid_json(tmp_path: Path):
    table = pa.table(
        {
            'a "b"': [1, None],
            "x": [1.0, float("inf")],
            "t": ["\x01\\", "é\n"],
            "at": pa.array([0, 1_500], pa.timestamp("ms", "Europe/Berlin")),
            "d": pa.array([Decimal("0.10"), None]),
        }
    )
    FORMATS["jsonl"].write(tmp_path / "t.jsonl", table.to_batches(), table.schema)
    assert (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines() == [
        '{"a \\"b\\"":1,"x":1.0,"t":"\\u0001\\\\","at":"1970-01-01T00:00:00.000Z","d":0.10}',
        '{"a \\"b\\"":null,"x":null,"t":"é\\n","at":"1970-01-01T00:00:01.500Z","d":null}',
    ]
