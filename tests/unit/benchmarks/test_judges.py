"""Tests for the benchmark judges on tables with known scores."""

import math

import numpy as np
import pyarrow as pa
import pytest
from sklearn.tree import DecisionTreeClassifier

from benchmarks.engine.judges import Case, coverage, distributions, judge, nearest, rules, two_sample
from benchmarks.engine.judges.features import encode
from benchmarks.engine.tables import draw, halves, split, with_schema

N = 2_000


def made_table(seed: int, n: int = N) -> pa.Table:
    """Return a table with related numbers, categories with a functional dependency, and missing values."""
    rng = np.random.default_rng(seed)
    a, b, place = rng.normal(size=n), rng.integers(0, 50, n), rng.integers(0, 6, n)
    return pa.table(
        {
            "a": a,
            "near_a": a + 0.01 * rng.normal(size=n),
            "gaps": pa.array(rng.normal(size=n), mask=rng.random(n) < 0.2),
            "b": b,
            "c": (c := b + rng.integers(0, 30, n)),
            "sum": 100 * b + c,
            "town": np.array(["York", "Ayr", "Bath", "Deal", "Ely", "Rye"])[place],
            "region": np.array(["north", "south"])[place % 2],
        }
    )


def shuffled(table: pa.Table) -> pa.Table:
    """Return the table with each column permuted independently."""
    rng = np.random.default_rng(9)
    return pa.table({name: table[name].take(rng.permutation(len(table))) for name in table.column_names})


def test_categories_have_the_same_codes_in_both_tables():
    one, other = encode([pa.table({"w": ["b", "c", None]}), pa.table({"w": ["c", "a"]})])
    assert other.ravel().tolist() == [2, 0]
    assert one.ravel()[:2].tolist() == [1, 2]
    assert math.isnan(one[2, 0])


def test_equal_tables_have_distance_zero():
    table, schema = with_schema(made_table(0))
    assert distributions.shape_distance(table, table, schema) == 0
    assert distributions.pair_distance(table, table, schema) == 0


def test_permuted_columns_keep_their_distributions_and_lose_their_dependencies():
    table, schema = with_schema(made_table(0))
    assert distributions.shape_distance(table, shuffled(table), schema) == 0
    assert distributions.pair_distance(table, shuffled(table), schema) > 0.1


def test_tables_of_the_same_distribution_are_indistinguishable():
    scores = two_sample.auc_linear(made_table(0), made_table(1), seed=0)
    # The standard error of an area of one half is sqrt((2n + 1) / 12 n²), which is 0.009 here.
    assert abs(scores - 0.5) < 4 * math.sqrt((2 * N + 1) / (12 * N * N))


def test_decision_tree_detects_permuted_columns():
    rows, others = encode(
        [made_table(0).drop_columns(["gaps"]), shuffled(made_table(1)).drop_columns(["gaps"])]
    )
    assert two_sample.out_of_fold_auc(DecisionTreeClassifier(random_state=0), rows, others, seed=0) > 0.9


def test_copies_of_training_rows_are_nearest_to_training_rows_and_holdout_rows_are_not():
    train, holdout, fresh = made_table(0), made_table(1), made_table(2)
    assert nearest.nearest_share(train, holdout, train, seed=0) == 1
    assert nearest.nearest_share(train, holdout, holdout, seed=0) == 0
    # The tolerance is four standard errors of a share of one half.
    assert abs(nearest.nearest_share(train, holdout, fresh, seed=0) - 0.5) < 4 * 0.5 / math.sqrt(N)


def test_planted_copies_are_counted():
    train, schema = with_schema(made_table(0))
    fresh = made_table(1).cast(train.schema)
    assert distributions.copies_share(train, pa.concat_tables([fresh[:-50], train[:50]]), schema) == 50 / N


def test_distance_to_the_nearest_row_equals_the_distance_of_one_hot_coordinates():
    real, other = made_table(0, 300), made_table(1, 300)
    one, two = (coverage.as_complete(points) for points in coverage.as_points(real, [other]))
    at, square = coverage.nearest_rows(one, two, skips_itself=False)
    differences = ((one.numbers[:, None] - two.numbers[None]) ** 2).sum(axis=2)
    expected = differences + 2 * (one.codes[:, None] != two.codes[None]).sum(axis=2)
    np.testing.assert_allclose(square, expected.min(axis=1), rtol=1e-4)
    np.testing.assert_allclose(expected[np.arange(300), at], square, rtol=1e-4)


def test_fresh_real_rows_have_full_precision_and_half_the_recall():
    precision, recall = coverage.precision_recall(made_table(0), made_table(1))
    # About half of the rows have their nearest neighbor in their own table.
    assert precision > 0.95
    assert abs(recall - 0.5) < 0.05


def test_copies_of_one_row_have_low_recall():
    real = made_table(0)
    middle = real.take(pa.array(np.full(N, 7)))
    precision, recall = coverage.precision_recall(real, middle)
    assert recall < 0.1
    assert precision < 0.9


def test_rules_of_the_test_table_are_found():
    table = made_table(0, 5_000)
    names = table.column_names
    rules_found = rules.find_rules(encode([table])[0], table.schema)
    dependencies = {(names[r.a], names[r.b]) for r in rules_found if isinstance(r, rules.Dependency)}
    (equation,) = [r for r in rules_found if isinstance(r, rules.Equation)]
    orders = {(names[r.a], names[r.b]) for r in rules_found if isinstance(r, rules.Order)}
    assert dependencies >= {("town", "region"), ("sum", "b"), ("sum", "c")}
    assert {names[i] for i in (equation.c, *equation.terms)} == {"b", "c", "sum"}
    assert orders >= {("b", "c"), ("c", "sum")}
    assert not any({"a", "gaps"} & pair for pair in ({*rule} for rule in orders | dependencies))


def test_planted_violations_are_counted():
    table = made_table(0, 5_000)
    region = table["region"].to_pylist()
    region[:100] = ["south" if word == "north" else "north" for word in region[:100]]
    broken = table.set_column(7, "region", pa.array(region))
    broken = broken.set_column(5, "sum", pa.array(np.where(np.arange(5_000) < 50, 10**6, table["sum"])))
    figures = rules.broken_share(table, broken)
    assert figures["broken_equations"] == 50 / 5_000
    assert figures["broken_dependencies"] == 100 / 5_000
    assert figures["broken_rules"] == 100 / 5_000


def test_real_rows_satisfy_all_rules():
    table = made_table(0, 5_000)
    assert rules.broken_share(table, table[:100])["broken_rules"] == 0


def test_split_returns_disjoint_halves():
    table, schema = with_schema(pa.table({"id": np.arange(101)}))
    parts = split(table, schema)
    ids = [set(part["id"].to_pylist()) for part in (parts.train, parts.holdout)]
    assert [len(part) for part in ids] == [50, 51]
    assert ids[0] | ids[1] == set(range(101))


def test_halves_have_equal_length_and_are_disjoint():
    one, other = halves(pa.table({"id": np.arange(101)}), seed=0)
    assert len(one) == len(other) == 50
    assert not set(one["id"].to_pylist()) & set(other["id"].to_pylist())


@pytest.mark.parametrize("name", ["shapes", "pairs", "c2st_linear", "coverage", "dcr", "copies", "rules"])
def test_judges_return_finite_scores(name: str):
    table, schema = with_schema(made_table(0))
    parts = split(table, schema)
    case = Case(parts, draw(parts.train, 500, seed=0), draw(parts.holdout, 500, seed=0), "town", 0)
    figures = judge(case, [name])
    assert figures
    assert all(math.isfinite(figure) for figure in figures.values())
