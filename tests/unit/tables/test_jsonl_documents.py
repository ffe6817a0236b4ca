"""Tests for JSON documents: arrays of objects, objects that contain such arrays, and multiline objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from understudy.errors import InvalidInput
from understudy.tables.formats import FORMATS
from understudy.tables.formats.base import Loaded

_ROWS: list[dict[str, Any]] = [{"id": n, "name": f"a\n{n}", "place": {"x": n / 4}} for n in range(30)]
_NAMES = ["id", "name", "place.x"]


def _load(tmp_path: Path, text: str | bytes) -> Loaded:
    path = tmp_path / "t.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return FORMATS["jsonl"].load(path)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(_ROWS),
        json.dumps(_ROWS, indent=2),
        "\ufeff" + json.dumps(_ROWS, indent="\t").replace("\n", "\r\n"),
        "[\n" + ",\n".join(map(json.dumps, _ROWS)) + "\n]\n",
        json.dumps({"data": _ROWS}),
        json.dumps({"page": {"n": 1, "of": 5}, "total": 30, "links": ["a", "b"], "results": _ROWS}, indent=1),
        "\n".join(json.dumps(row, indent=2) for row in _ROWS),
    ],
    ids=["array", "indented", "windows", "array of lines", "envelope", "envelope with others", "objects"],
)
def test_objects_of_a_document_become_rows(tmp_path: Path, text: str):
    table = _load(tmp_path, text).table
    assert table.column_names == _NAMES
    assert table.column("id").to_pylist() == list(range(30))
    assert table.column("name").to_pylist()[3] == "a\n3"


def test_long_array_is_read_in_pieces(tmp_path: Path):
    text = json.dumps([{"n": n, "text": "äöü" * (n % 50)} for n in range(40_000)], ensure_ascii=False)
    table = _load(tmp_path, text).table
    assert table.num_rows == 40_000
    assert table.column("text").to_pylist()[-1] == "äöü" * 49


def test_digits_of_numbers_in_an_array_are_kept(tmp_path: Path):
    table = _load(tmp_path, '[{"a": 12345678901234567890.123}, {"a": 1.50}]').table
    assert str(table.column("a").to_pylist()[0]) == "12345678901234567890.123"


def test_warning_contains_the_key_of_the_array(tmp_path: Path):
    (warning,) = _load(tmp_path, json.dumps({"meta": 1, "data": [{"a": 1}, {"a": 2}]})).warnings
    assert "the array 'data' was read as the table" in warning
    assert "other key was left out" in warning


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"users": [{"a": 1}], "orders": [{"b": 1}]}, "several arrays of objects: 'users', 'orders'"),
        ({"answer": {"rows": [{"a": 1}, {"a": 2}]}}, "an object within it contains an array"),
        ({"a": [1, 2, 3], "b": ["x", "y", "z"]}, "by columns"),
        ({"a": {"0": 1, "1": 2, "2": 3}, "b": {"0": 1, "1": 2, "2": 3}}, "by columns"),
        ({"columns": ["a"], "index": [0], "data": [[1]]}, "by columns"),
        ([[1, 2], [3, 4]], "not an object"),
        ([{"a": 1}, {"a": 1, "b": [1]}, {"b": 5}], "object 2"),
    ],
)
def test_document_without_a_clear_table_is_refused(tmp_path: Path, document: object, words: str):
    with pytest.raises(InvalidInput) as caught:
        _load(tmp_path, json.dumps(document))
    assert words in str(caught.value)
    assert "jq" in str(caught.value) or "object" in str(caught.value)


def test_error_in_a_document_contains_the_line_number(tmp_path: Path):
    text = json.dumps(_ROWS, indent=2).replace('"id": 7', '"id": 7x')
    line = text[: text.index("7x")].count("\n") + 1
    with pytest.raises(InvalidInput, match=f"Line {line} is not valid JSON"):
        _load(tmp_path, text)


def test_single_object_with_nested_values_is_one_row(tmp_path: Path):
    assert _load(tmp_path, '{"id": 1, "tags": ["a", "b"], "home": {"city": "Bern"}}').table.num_rows == 1
    assert _load(tmp_path, '{\n"id": 1,\n"tags": []\n}').table.column_names == ["id", "tags"]
