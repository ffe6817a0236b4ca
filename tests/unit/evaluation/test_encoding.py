"""Tests for encoding Arrow columns as arrays."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.evaluation.people import comparison
from understudy.errors import InvalidInput


def codes(real: list[str | None], other: list[str | None]) -> list[list[int]]:
    compared = comparison(
        pa.table({"c": pa.array(real, pa.string())}), pa.table({"c": pa.array(other, pa.string())})
    )
    return [table.columns[0].tolist() for table in (compared.real, compared.synthetic)]


def test_codes_are_ordered_by_frequency_in_the_real_table() -> None:
    assert codes(["b", "a", "b", None], ["a", None, "b"]) == [[0, 1, 0, -1], [1, -1, 0]]


def test_values_missing_from_the_real_table_have_separate_codes() -> None:
    assert codes(["a", "a"], ["z", "y", "a"])[1] == [2, 1, 0]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (Decimal("1.25"), 1.25),
        (datetime.date(1970, 1, 2), 86_400.0),
        (datetime.time(0, 1, 0, 500_000), 60.5),
        (datetime.datetime(1970, 1, 1, 0, 0, 2), 2.0),  # noqa: DTZ001  (a timestamp without a zone)
        (datetime.datetime(1970, 1, 1, 1, tzinfo=datetime.UTC), 3600.0),
        (datetime.timedelta(minutes=2), 120.0),
        (2**53, 2.0**53),
    ],
)
def test_numbers_and_times_become_floats(value: object, number: float) -> None:
    table = pa.table({"x": pa.array([value, None])})
    encoded = comparison(table, table).real.columns[0]
    assert encoded[0] == number
    assert np.isnan(encoded[1])


def test_infinite_numbers_count_as_missing() -> None:
    table = pa.table({"x": [1.0, float("inf"), float("nan")]})
    assert np.isnan(comparison(table, table).real.columns[0]).tolist() == [False, True, True]


def test_equal_rows_have_equal_hashes_and_different_rows_have_different_hashes() -> None:
    table = pa.table({"x": [0.0, -0.0, 1.0, None], "c": ["a", "a", "a", "a"]})
    hashes = comparison(table, table).real.row_hashes
    assert hashes[0] == hashes[1]
    assert len(set(hashes.tolist())) == 3


def test_tables_that_do_not_conform_are_rejected() -> None:
    real = pa.table({"x": [1, 2]})
    for other in (pa.table({"y": [1]}), pa.table({"x": ["a"]}), real.slice(0, 0)):
        with pytest.raises(InvalidInput):
            comparison(real, other)


def test_unknown_target_is_rejected() -> None:
    real = pa.table({"x": [1, 2]})
    with pytest.raises(InvalidInput) as caught:
        comparison(real, real, target="y")
    assert caught.value.code == "unknown_column"
