"""Tests that the benchmarks of identifiers and of pairs of columns detect what they measure."""

from __future__ import annotations

import pyarrow as pa
import pytest

from benchmarks.identifiers import Identified, emitted, frequent
from benchmarks.pairs import CASES, quantile_errors, sum_errors, visits

KINDS = {"id": "identifier", "owner": "name", "note": "text"}
ROWS = pa.table({"id": ["A-17", "B-23"], "owner": ["Ann Moe", "Bo Lie"], "note": ["first", "second"]})


def test_real_values_are_found_in_their_column_and_within_other_texts():
    sample = pa.table({"id": ["A-171", "B-23"], "owner": ["Jo Ek", "Al Ho"], "note": ["Ann Moe wrote", "x"]})
    assert emitted(Identified("table", ROWS, KINDS), sample) == {"id": ["B-23"], "owner": ["Ann Moe"]}


def test_frequent_version_repeats_each_value_in_at_least_a_hundred_rows():
    rows = frequent(pa.table({"id": [f"A-{i}" for i in range(500)]}))
    assert min(pair["counts"] for pair in rows["id"].value_counts().to_pylist()) >= 100


def test_errors_of_differences_and_products_are_relative_to_the_real_table():
    stays = visits(0)
    longer = stays.set_column(2, "departure", pa.array(_doubled_stays(stays)))
    assert quantile_errors("arrival", "departure", stays, stays) == pytest.approx(0)
    assert quantile_errors("arrival", "departure", stays, longer) == pytest.approx(1)
    lines, (result, compute) = CASES["orders"].draw(0), CASES["orders"].formulas[0]
    larger = lines.set_column(3, "amount", pa.array(lines["amount"].to_numpy() * 1.5))
    assert sum_errors(result, compute, lines, larger) == pytest.approx([0, 0.5])


def _doubled_stays(stays: pa.Table) -> list[object]:
    pairs = zip(stays["arrival"].to_pylist(), stays["departure"].to_pylist(), strict=True)
    return [start + 2 * (end - start) for start, end in pairs]
