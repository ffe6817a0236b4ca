"""Tests for the linear rule search and the exact computation of rule targets."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.synthesizers.rules.tables import blocks, rules_of, with_missing
from understudy.synthesizers.rules.linear import Linear, divide
from understudy.synthesizers.rules.relations import simplest
from understudy.synthesizers.rules.values import Values

N = 3000
Table = dict[str, Any]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def fahrenheit() -> Table:
    celsius = rng().integers(-200, 400, N)
    return {"celsius": celsius / 10, "fahrenheit": (celsius * 18 + 3200) / 100}


def clock() -> Table:
    hour, part = rng().integers(0, 24, N), rng().integers(0, 1_000_000, N)
    return {"time": hour * 1_000_000 + part, "hour": hour, "part": part}


def rounded_tax() -> Table:
    net = rng().integers(100, 1_000_000, N)
    return {"net": net / 100, "tax": np.rint(net * 19 / 100) / 100}


def many_terms() -> Table:
    parts = rng().integers(0, 50, (5, N))
    return {f"p{j}": part for j, part in enumerate(parts)} | {"total": parts.sum(axis=0)}


def one_hot() -> Table:
    which = rng().integers(0, 4, N)
    return {f"is_{k}": (which == k).astype(np.int8) for k in range(4)}


def dates() -> Table:
    day, length = rng().integers(10_000, 20_000, N), rng().integers(0, 90, N)
    return {
        "begin": pa.array(day.astype(np.int32), pa.date32()),
        "days": length,
        "end": pa.array((day + length).astype(np.int32), pa.date32()),
    }


def nanoseconds() -> Table:
    start, length = rng().integers(16 * 10**17, 17 * 10**17, N), rng().integers(0, 10**12, N)
    return {
        "start": pa.array(start, pa.timestamp("ns")),
        "end": pa.array(start + length, pa.timestamp("ns")),
        "length": pa.array(length, pa.duration("ns")),
    }


def sum_of_floats() -> Table:
    a, b = rng().integers(0, 1000, (2, N)) / 10
    return {"a": a, "b": b, "y": np.round(a + b, 1)}


def same_column() -> Table:
    a = with_missing(rng().integers(0, 10**6, N), rng().random(N) < 0.2)
    return {"a": a, "b": a.cast(pa.int32())}


def chained() -> Table:
    a, b, c = rng().integers(0, 1000, (3, N))
    return {"a": a, "ab": a + b, "b": b, "all": a + b + c, "c": c}


PLANTED = {
    fahrenheit: ["fahrenheit = 1.8 * celsius + 32 in every row."],
    clock: ["time = 1000000 * hour + part in every row."],
    rounded_tax: ["tax = 0.19 * net, rounded, in every row."],
    many_terms: ["total = p0 + p1 + p2 + p3 + p4 in every row."],
    one_hot: ["is_3 = -is_0 - is_1 - is_2 + 1 in every row."],
    dates: ["end = begin + 86400 * days in every row."],
    nanoseconds: ["end = start + length in every row."],
    sum_of_floats: ["y = a + b in every row."],
    same_column: ["b = a in every row."],
    chained: ["all = a + b + c in every row.", "ab = a + b in every row."],
}


@pytest.mark.parametrize("make", PLANTED)
def test_planted_sums_are_found_and_computed_exactly(make: Any) -> None:
    table = pa.table(make())
    rules, columns = rules_of(table), blocks(table)
    assert rules.describe()[: len(rules.linear)] == PLANTED[make]
    kept = {name: array for name, array in columns.items() if name not in rules.derived}
    derived = rules.derive(kept)
    assert all(derived[name].equals(columns[name]) for name in rules.derived)
    assert rules.holds(columns).all()


def test_sum_that_is_present_where_a_term_is_missing_is_not_a_rule() -> None:
    table = many_terms()
    table["p1"] = with_missing(table["p1"], np.arange(N) == 5)
    assert rules_of(table).linear == ()


def test_missing_derived_values_are_nan_in_columns_that_are_not_nullable() -> None:
    a = rng().integers(0, 1000, N)
    lacks = a % 7 == 3
    schema = pa.schema([pa.field("a", pa.int64()), pa.field("b", pa.float64(), nullable=False)])
    table = pa.table({"a": with_missing(a, lacks), "b": np.where(lacks, np.nan, a / 2)}, schema=schema)
    rules = rules_of(table)
    derived = rules.derive({"a": blocks(table)["a"]})["b"]
    assert rules.derived == ("b",)
    assert derived.null_count == 0
    assert np.array_equal(derived.to_numpy(), table["b"].to_numpy(), equal_nan=True)


def test_floats_with_many_decimals_have_no_rules() -> None:
    a, b = rng().normal(size=(2, N))
    assert rules_of({"a": a, "b": b, "y": a + b}).linear == ()


def test_sums_of_more_than_64_bits_are_not_found_but_can_be_computed_exactly() -> None:
    a = rng().integers(2**61, 2**62, N)
    assert rules_of({"a": a, "b": a - 2**61}).linear == ()
    rule = Linear("y", ("a", "b"), (2**40, 1), 7, 3, 1, "even", False)
    terms = [Values(pa.array([2**50, -(2**50)]), None), Values(pa.array([1, 2]), None)]
    assert rule.compute(terms).tolist() == [
        round(Fraction(s * 2**90 + t + 7, 3)) for s, t in ((1, 1), (-1, 2))
    ]


def test_target_outside_the_range_of_its_type_breaks_the_rule() -> None:
    a, b = rng().integers(0, 120, (2, N)).astype(np.uint8)
    rules = rules_of({"a": a, "b": b, "y": a + b})
    block = {"a": pa.array([200, 1], pa.uint8()), "b": pa.array([100, 1], pa.uint8())}
    derived = rules.derive(block)
    assert derived["y"].to_pylist() == [255, 2]
    assert rules.holds(derived).tolist() == [False, True]


def test_sum_that_determines_its_terms_is_stored_as_functional_dependencies() -> None:
    quarter = rng().integers(0, 96, N)
    hour, minute = quarter // 4, quarter % 4 * 15
    rules = rules_of({"time": hour * 100 + minute, "hour": hour, "minute": minute})
    assert rules.linear == ()
    assert {(rule.determinant, rule.dependent) for rule in rules.functional_dependencies} == {
        ("time", "hour"),
        ("time", "minute"),
    }


def test_negative_target_breaks_a_nonnegative_rule() -> None:
    rule = Linear("left", ("total", "used"), (1, -1), 0, 1, 1, "even", is_nonnegative=True)
    terms = [Values(pa.array([5, 5]), None), Values(pa.array([3, 9]), None)]
    assert rule.holds(Values(pa.array([2, -4]), None), terms).tolist() == [True, False]


@settings(deadline=None)
@given(st.lists(st.integers(-(2**61), 2**61), min_size=1), st.integers(1, 10**6))
def test_halves_are_rounded_to_even_or_away_from_zero(totals: list[int], divisor: int) -> None:
    array = np.array(totals)
    assert divide(array, divisor, "even").tolist() == [round(Fraction(t, divisor)) for t in totals]
    away = [(1 if t >= 0 else -1) * int(Fraction(abs(t), divisor) + Fraction(1, 2)) for t in totals]
    assert divide(array, divisor, "away").tolist() == away


def test_simplest_fraction_within_the_tolerance_is_returned() -> None:
    assert simplest(0.19000001, 1e-6) == Fraction(19, 100)
    assert simplest(1 / 3600, 1e-12) == Fraction(1, 3600)
    assert simplest(1e-9, 1e-8) == 0


def test_sum_of_a_date_and_days_is_found() -> None:
    days = rng().integers(1, 15, N)
    start = np.datetime64("2022-01-01T00:00:00", "s") + rng().integers(0, 700, N) * np.timedelta64(1, "D")
    rules = rules_of({"start": start, "end": start + days * np.timedelta64(1, "D"), "days": days})
    assert [rule.target for rule in rules.linear] == ["end"]
