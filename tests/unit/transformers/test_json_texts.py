"""Tests that columns of JSON texts are generated as JSON with the same keys and kinds of values."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.transformers.base import RowStream
from understudy.transformers.generated.json_texts import JsonTexts, fit_json


def _generator(values: list[Any]) -> JsonTexts | None:
    return fit_json(pa.array([json.dumps(value) for value in values], pa.large_string()), "en")


def _made(values: list[Any], n: int = 500, first: int = 0) -> list[Any]:
    generator = _generator(values)
    assert generator is not None
    return [json.loads(text) for text in generator.make(_rows(first, n)).to_pylist()]


def _rows(first: int, n: int) -> RowStream:
    return RowStream(7, 3, np.arange(first, first + n, dtype=np.uint64))


_VALUES = [
    {
        "item": n,
        "kind": "ab"[n % 2],
        "tags": ["x", "y", "z"][: n % 4],
        "place": {"city": f"unique town {chr(97 + n % 26)}{n}", "lat": n / 8},
        "ok": n % 3 == 0,
        "gone": None,
        **({"rare": 1} if n < 4 else {}),
        **({"often": 1.5} if n % 2 else {}),
    }
    for n in range(400)
]


def test_generated_json_keeps_keys_and_kinds_of_values():
    for row in _made(_VALUES):
        assert set(row) in ({"item", "kind", "tags", "place", "ok", "gone"}, {*_VALUES[5]})
        assert 0 <= row["item"] < 400
        assert isinstance(row["item"], int)
        assert row["kind"] in ("a", "b")
        assert set(row["tags"]) <= {"x", "y", "z"}
        assert isinstance(row["place"]["lat"], float)
        assert isinstance(row["ok"], bool)
        assert row["gone"] is None


def test_values_and_keys_that_occur_in_few_rows_are_not_generated():
    text = json.dumps(_made(_VALUES))
    assert "unique town" not in text
    assert "rare" not in text


def test_addresses_and_numbers_within_strings_are_not_copied():
    values = [{"mail": f"person{n % 3}@example.org", "id": f"C-{123456 + n % 4}"} for n in range(300)]
    text = json.dumps(_made(values))
    assert "example.org" not in text
    assert "C-12" not in text


def test_rows_do_not_depend_on_the_number_of_rows():
    assert _made(_VALUES, 50)[20:] == _made(_VALUES, 30, first=20)


def test_arrays_at_the_top_level_are_kept():
    assert all(isinstance(row, list) for row in _made([["a", "b"], ["a"], []] * 50))


def test_texts_that_are_rarely_json_are_not_generated_as_json():
    assert _generator(["a", "b"] * 20) is None
    assert fit_json(pa.array(["{not json}"] * 20, pa.large_string()), "en") is None
    assert fit_json(pa.array(['{"a": 1}'] * 3, pa.large_string()), "en") is None


def test_keys_and_values_of_few_subjects_are_not_kept() -> None:
    # The last ten rows belong to subject 0.
    values = [{"kind": "ab"[n % 2], "n": n % 10} for n in range(400)]
    values += [{"kind": "zarquon", "n": 999, "secret": 1}] * 10
    texts = pa.array([json.dumps(value) for value in values], pa.large_string())

    generator = fit_json(texts, "en", np.array([*range(400), *[0] * 10]))

    assert generator is not None
    written = str(generator.to_arrays()[0])
    assert "zarquon" not in written
    assert "secret" not in written
    (n,) = [member for key, _, member in generator.root.members if key == "n"]
    assert max(n.quantiles) < 300


def test_repeated_numbers_of_one_array_are_not_kept() -> None:
    values: list[Any] = [[n % 10] for n in range(100)] + [[12_345] * 50]

    generator = _generator(values)

    assert generator is not None
    assert generator.root.item is not None
    assert max(generator.root.item.quantiles) < 3_000


def test_numbers_beyond_the_range_of_floats_are_limited() -> None:
    made = _made([{"n": 10**400 if n % 2 else -(10**400)} for n in range(50)])
    assert all(abs(row["n"]) <= 10**15 for row in made)
