"""Tests for the rule search in tables, and for the check that all real rows satisfy the rules."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.synthesizers.rules.tables import N_ROWS, blocks, everything, rules_of, with_missing
from understudy.synthesizers.rules import Rules

without_deadline = settings(deadline=None, max_examples=40)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return everything()


@pytest.fixture(scope="module")
def rules(table: pa.Table) -> Rules:
    return rules_of(table)


def test_exactly_the_planted_rules_are_found(rules: Rules) -> None:
    assert rules.describe() == [
        "end = start + duration in every row.",
        "gross = net + tax in every row.",
        "city determines zone in every row.",
        "line and station together determine platform in every row.",
        "noise < most in every row where both are present.",
        "Where duration is missing, note is missing too.",
    ]


@pytest.mark.parametrize("seed", range(8))
def test_every_row_of_a_small_table_satisfies_its_rules(seed: int) -> None:
    table = everything(50 + 150 * seed, seed).select(
        ["city", "zone", "net", "tax", "gross", "note", "noise", "most"]
    )
    rules, columns = rules_of(table), blocks(table)
    assert rules.holds(columns).all()
    assert all(array.equals(columns[name]) for name, array in rules.derive(columns).items())


def test_every_row_of_the_training_table_satisfies_the_rules(table: pa.Table, rules: Rules) -> None:
    assert rules.holds(blocks(table)).all()


def test_derived_columns_are_computed_exactly(table: pa.Table, rules: Rules) -> None:
    columns = blocks(table)
    kept = {name: array for name, array in columns.items() if name not in rules.derived}
    derived = rules.derive(kept)
    assert rules.derived == ("end", "gross")
    assert all(derived[name].equals(columns[name]) for name in rules.derived)
    assert set(kept).isdisjoint(rules.derived)


@pytest.mark.parametrize(
    ("name", "other"),
    [("gross", 0.01), ("platform", 9), ("line", 77), ("end", None), ("note", "7"), ("tax", -5.0)],
)
def test_row_that_breaks_a_rule_is_detected(table: pa.Table, rules: Rules, name: str, other: Any) -> None:
    columns = blocks(table)
    row = int(np.flatnonzero(columns["duration"].is_null().to_numpy(zero_copy_only=False))[0])
    row = row if name == "note" else int(np.flatnonzero(columns["duration"].is_valid())[5])
    values = columns[name].to_pylist()
    values[row] = other
    columns[name] = pa.array(values, columns[name].type)
    assert np.flatnonzero(~rules.holds(columns)).tolist() == [row]


def test_independent_columns_have_no_rules() -> None:
    rng = np.random.default_rng(1)
    columns: dict[str, Any] = {f"i{k}": rng.integers(0, k, N_ROWS) for k in (2, 3, 10, 100, 5000)}
    columns |= {f"f{k}": rng.normal(size=N_ROWS) for k in range(3)}
    columns["t"] = with_missing(rng.integers(0, 9, N_ROWS).astype(str), rng.random(N_ROWS) < 0.3)
    columns["u"] = with_missing(rng.integers(0, 9, N_ROWS), rng.random(N_ROWS) < 0.01)
    assert rules_of(columns).describe() == []


@without_deadline
@given(st.integers(1, 60), st.integers(1, 6), st.integers(0, 2**32), st.data())
def test_small_random_tables_have_no_rules(n_rows: int, top: int, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    n_columns = data.draw(st.integers(2, 12))
    mask = rng.random((n_columns, n_rows)) < data.draw(st.sampled_from([0.0, 0.1, 0.5]))
    columns = {f"c{j}": with_missing(rng.integers(0, top + 1, n_rows), mask[j]) for j in range(n_columns)}
    assert rules_of(columns).describe() == []


def sum_of_two(rng: np.random.Generator) -> dict[str, Any]:
    a, b = rng.integers(0, 900, (2, N_ROWS))
    return {"a": a, "b": b, "y": a + b}


def lookup(rng: np.random.Generator) -> dict[str, Any]:
    a = rng.integers(0, 40, N_ROWS)
    return {"a": a, "y": a % 7}


def pair(rng: np.random.Generator) -> dict[str, Any]:
    a, b = rng.integers(0, 9, (2, N_ROWS))
    return {"a": a, "b": b, "y": (a * b) % 5}


def order(rng: np.random.Generator) -> dict[str, Any]:
    a = rng.integers(0, 1000, N_ROWS)
    return {"a": a, "y": a + rng.integers(1, 1000, N_ROWS)}


@pytest.mark.parametrize("make", [sum_of_two, lookup, pair, order])
def test_pattern_that_one_row_breaks_is_not_a_rule(
    make: Callable[[np.random.Generator], dict[str, Any]],
) -> None:
    columns = make(np.random.default_rng(2))
    before = rules_of(columns).describe()[0]
    assert "y" in before
    # The last row gets the value of y from another row.
    other = int(np.flatnonzero(columns["y"] != columns["y"][-1])[0])
    y = columns["y"].copy()
    y[-1] = y[other] if make is not order else -1
    assert before not in rules_of(columns | {"y": y}).describe()


def test_mutual_dependencies_are_found_in_both_directions() -> None:
    code = np.random.default_rng(3).integers(0, 20, N_ROWS)
    dependencies = rules_of(
        {"code": code, "name": np.array([f"n{i}" for i in range(20)])[code]}
    ).functional_dependencies
    assert {(rule.determinant, rule.dependent) for rule in dependencies} == {
        ("code", "name"),
        ("name", "code"),
    }


def test_missing_value_counts_as_a_value_in_functional_dependencies() -> None:
    code = np.random.default_rng(4).integers(0, 20, N_ROWS)
    columns = {"code": code.astype(str), "group": with_missing((code // 7).astype(str), code < 3)}
    assert [(rule.determinant, rule.dependent) for rule in rules_of(columns).functional_dependencies] == [
        ("code", "group")
    ]
    dependent = with_missing(columns["group"].to_pylist(), np.arange(N_ROWS) == 77)
    assert rules_of(columns | {"group": dependent}).functional_dependencies == ()


def test_dependency_that_holds_mainly_at_zero_is_not_a_rule() -> None:
    rng = np.random.default_rng(5)
    gain = np.where(rng.random(N_ROWS) < 0.95, 0, rng.integers(1, 10**6, N_ROWS))
    assert rules_of({"gain": gain, "source": np.where(gain, gain % 3 + 1, 0)}).functional_dependencies == ()


def test_only_one_of_several_equivalent_combinations_is_kept() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.integers(0, 9, (2, N_ROWS))
    columns = {"a": a, "a_name": np.array(list("abcdefghi"))[a], "b": b, "y": (a * b) % 5}
    combinations = rules_of(columns).fixed_combinations
    assert [rule.dependent for rule in combinations] == ["y"]


def test_combinations_that_few_rows_have_are_not_stored() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.integers(0, 9, (2, N_ROWS))
    columns = {"a": a, "b": b, "y": (a * b) % 5}
    columns = {name: np.append(values, [77, 77, 77]) for name, values in columns.items()}
    rules = rules_of(columns)
    assert 77 not in rules.levels["a"].keys.to_pylist()
    assert (~rules.holds(blocks(pa.table(columns)))).sum() == 3


def test_implied_inequalities_are_removed() -> None:
    rng = np.random.default_rng(8)
    low = rng.integers(0, 1000, N_ROWS)
    middle = low + rng.integers(0, 700, N_ROWS)
    high = middle + rng.integers(1, 500, N_ROWS) ** 2 // 300
    columns = {"low": low, "high": pa.array(high / 4 * 4), "middle": middle}
    inequalities = [(rule.low, rule.high, rule.is_strict) for rule in rules_of(columns).inequalities]
    assert inequalities == [("low", "middle", False), ("middle", "high", False)]


def test_inequality_through_a_nullable_column_is_not_implied() -> None:
    rng = np.random.default_rng(8)
    low, more, most = rng.integers(0, 1000, (3, N_ROWS))
    middle = with_missing(low + more, rng.random(N_ROWS) < 0.3)
    rules = rules_of({"low": low * 1.0, "middle": middle, "high": low + more + most})
    assert {(rule.low, rule.high) for rule in rules.inequalities} == {
        ("low", "middle"),
        ("middle", "high"),
        ("low", "high"),
    }


def test_columns_with_disjoint_ranges_have_no_inequality() -> None:
    rng = np.random.default_rng(9)
    assert rules_of({"a": rng.random(N_ROWS), "b": rng.random(N_ROWS) + 1}).inequalities == ()


def test_inequalities_of_large_integers_are_exact() -> None:
    a = 2**60 + np.random.default_rng(10).integers(0, 2**40, N_ROWS)
    b = np.append(a[:-1] + 1, a[-1] + 1)
    b[::2] = a[::2] + 2**35
    rules = rules_of({"a": a, "b": b, "c": np.arange(N_ROWS) % 7})
    assert [(rule.low, rule.high, rule.is_strict) for rule in rules.inequalities] == [("a", "b", True)]
    b[5] = a[5]
    assert (~rules.holds(blocks(pa.table({"a": a, "b": b, "c": b})))).tolist() == [
        i == 5 for i in range(N_ROWS)
    ]


def test_implied_missingness_rules_are_removed() -> None:
    rng = np.random.default_rng(11)
    first, second, third = (rng.random((3, N_ROWS)) < 0.2).cumsum(axis=0) > 0
    columns = {
        "a": with_missing(rng.normal(size=N_ROWS), first),
        "b": np.where(first, np.nan, rng.normal(size=N_ROWS)),
        "c": with_missing(rng.integers(0, 9, N_ROWS).astype(str), second),
        "d": with_missing(rng.integers(0, 9, N_ROWS), third),
    }
    missingness = [(rule.first, rule.second, rule.is_mutual) for rule in rules_of(columns).missingness]
    assert missingness == [("a", "b", True), ("a", "c", False), ("c", "d", False)]


def test_decimal_columns_have_rules() -> None:
    rng = np.random.default_rng(12)
    a, b = rng.integers(0, 10**6, (2, 500))
    money = pa.decimal128(12, 2)
    columns = {
        "a": pa.array([Decimal(int(i)).scaleb(-2) for i in a], money),
        "b": pa.array([Decimal(int(i)).scaleb(-2) for i in b], money),
        "y": pa.array([Decimal(int(i)).scaleb(-2) for i in a - b], money),
    }
    rules = rules_of(columns)
    assert rules.describe()[0] in ("a = b + y in every row.",)
    derived = rules.derive({"b": columns["b"], "y": columns["y"]})
    assert derived["a"].equals(columns["a"])


def test_columns_of_every_type_are_accepted() -> None:
    n = 300
    number = np.arange(n) % 7
    columns = {
        "nulls": pa.array([None] * n, pa.string()),
        "nan": np.full(n, np.nan),
        "infinite": np.where(number == 3, np.inf, number),
        "text": pa.array([f"t{i}" for i in number], pa.large_string()),
        "time": pa.array(number.astype(np.int32) * 60, pa.time32("s")),
        "date": pa.array(number * 86_400_000, pa.date64()),
        "half": number.astype(np.float16),
        "truth": pa.array(number % 2 == 0),
        "thousands": pa.array([Decimal(int(i) * 1000) for i in number], pa.decimal128(9, -3)),
        "one": np.ones(n),
    }
    table = pa.table(columns)
    rules = rules_of(table)
    assert rules.holds(blocks(table)).all()
    derived = rules.derive(blocks(table))
    assert all(derived[name].equals(blocks(table)[name]) for name in rules.derived)
    assert rules_of(table.slice(0, 0)).describe() == rules_of(table.slice(0, 1)).describe() == []


def _instants(seconds: np.ndarray, unit: str = "s", zone: str | None = None) -> pa.Array:
    stamps = pa.array(seconds.astype(np.int64)).cast(pa.timestamp("s")).cast(pa.timestamp(unit))
    return stamps.cast(pa.timestamp(unit, tz=zone)) if zone else stamps


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ("stamp", "date", "low <= high"),
        ("date", "stamp", "low <= high"),
        ("date", "later stamp", "low < high"),
        ("date", "zoned stamp", "low <= high"),
        ("milliseconds", "later stamp", "low < high"),
    ],
)
def test_dates_and_timestamps_are_ordered_by_day(low: str, high: str, expected: str) -> None:
    rng = np.random.default_rng(0)
    n, day = 2000, rng.integers(18_000, 19_500, 2000)
    within, wait = rng.integers(0, 86_400, n), rng.integers(0, 400, n)
    # If `low` is a timestamp, `high` is a date, and the wait is zero days, only the days are in order.
    columns = {
        "date": pa.array((day + (wait if high == "date" else 0)).astype(np.int32)).cast(pa.date32()),
        "stamp": _instants((day + (wait if high == "stamp" else 0)) * 86_400 + within),
        "later stamp": _instants((day + 1 + wait) * 86_400 + within, "us"),
        "zoned stamp": _instants((day + wait) * 86_400 + within, "ms", "UTC"),
        "milliseconds": _instants(day * 86_400 + within, "ms"),
    }
    rules = rules_of(pa.table({"low": columns[low], "high": columns[high]}))
    assert rules.describe() == [f"{expected} in every row where both are present."]
