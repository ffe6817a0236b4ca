"""Tests for aggregate queries with known answers, and for answers that must not be shown."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.evaluation.people import comparison
from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.metrics.usefulness import queries
from understudy.evaluation.statistics.query_answers import described, rarefied
from understudy.parameters.evaluation_options import AggregateQuery

DAY = datetime.date(2020, 1, 1)
REAL = pa.table(
    {
        "town": ["north"] * 10 + ["south"] * 10 + ["secret"] * 2,
        "pay": [float(i) for i in range(22)],
        "joined": pa.array([DAY + datetime.timedelta(days=i) for i in range(22)]),
    }
)
SYNTHETIC = pa.table(
    {
        "town": ["north"] * 5 + ["west"] * 6,
        "pay": [float(i) for i in range(11)],
        "joined": pa.array([DAY + datetime.timedelta(days=2 * i) for i in range(11)]),
    }
)


def ask(real: pa.Table, synthetic: pa.Table, **query: Any) -> queries.QueryAnswers:
    result = queries.score(comparison(real, synthetic, queries=(AggregateQuery.model_validate(query),)))
    assert isinstance(result, queries.QueriesResult)
    return result.queries[0]


def test_counts_are_scaled_and_small_groups_are_hidden() -> None:
    found = ask(REAL, SYNTHETIC, aggregate="count", group_by=["town"])
    shown = {group.group: (group.real, group.synthetic, group.error) for group in found.groups}
    # A count of 5 among 11 synthetic rows scales to 10 among 22 rows.
    assert shown == {("north",): (10.0, 10.0, 0.0), ("south",): (10.0, 0.0, 1.0)}
    assert (found.n_groups_hidden, found.n_groups_invented) == (1, 1)
    assert "secret" not in found.model_dump_json()
    assert found.error == 0.5


def test_sums_are_scaled_and_means_are_not() -> None:
    # The real sum is 0 + … + 21 = 231. The synthetic sum is twice (0 + … + 10) = 110.
    found = ask(REAL, SYNTHETIC, aggregate="sum", column="pay").groups[0]
    assert (found.real, found.synthetic) == (231.0, 110.0)
    assert found.error == pytest.approx(121 / 231, abs=1e-4)
    found = ask(REAL, SYNTHETIC, aggregate="mean", column="pay").groups[0]
    assert (found.real, found.synthetic) == (10.5, 5.0)
    # The sample variance of 0, …, 10 is 11.
    assert found.synthetic_interval is not None
    assert found.synthetic_interval[1] - 5 == pytest.approx(1.96 * np.sqrt(11 / 11), abs=1e-3)
    assert found.is_within is False


def test_share_that_meets_a_condition_is_computed_by_group() -> None:
    where = {"pay": {"minimum": 5, "maximum": 100}}
    found = ask(REAL, REAL, aggregate="share", group_by=["town"], where=where)
    shares = {group.group: group.real for group in found.groups}
    # In the north, the values are 0 to 9, and 5 to 9 meet the condition. In the south, all values meet the
    # condition.
    assert shares == {("north",): 0.5, ("south",): 1.0}


def test_bounds_on_dates_are_given_as_strings() -> None:
    where = {"joined": {"minimum": "2020-01-03", "maximum": "2020-01-12"}}
    found = ask(REAL, SYNTHETIC, aggregate="count", where=where)
    # The range contains ten real days. Five synthetic days (2, 4, …, 10) scale to ten of 22.
    assert (found.groups[0].real, found.groups[0].synthetic) == (10.0, 10.0)


def test_error_of_a_mean_date_is_reported_in_standard_deviations() -> None:
    found = ask(REAL, REAL.slice(0, 22), aggregate="mean", column="joined")
    assert found.measure == "in standard deviations"
    assert found.error == 0.0


def test_value_that_does_not_occur_has_a_count_of_zero() -> None:
    found = ask(REAL, SYNTHETIC, aggregate="count", where={"town": {"equals": "nowhere"}})
    assert (found.groups[0].real, found.groups[0].synthetic, found.error) == (0.0, 0.0, 0.0)


def test_answer_based_on_few_real_rows_is_not_shown() -> None:
    requested = AggregateQuery.model_validate({"aggregate": "count", "where": {"town": {"equals": "secret"}}})
    result = queries.score(comparison(REAL, SYNTHETIC, queries=(requested,)))
    assert isinstance(result, UnscoredResult)
    assert "would be based on fewer than 5 real rows" in result.reason


def test_quantile_near_a_single_row_is_not_shown() -> None:
    requested = AggregateQuery(aggregate="quantile", quantile=0.95, column="pay", group_by=("town",))
    assert isinstance(queries.score(comparison(REAL, SYNTHETIC, queries=(requested,))), UnscoredResult)
    median = ask(REAL, SYNTHETIC, aggregate="quantile", quantile=0.5, column="pay", group_by=["town"])
    assert [group.real for group in median.groups] == [4.5, 14.5]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"aggregate": "mean", "column": "town"}, "needs a column of numbers or times"),
        (
            {"aggregate": "sum", "column": "joined"},
            "needs a column of numbers or durations, but the kind of 'joined' is",
        ),
        (
            {"aggregate": "count", "where": {"joined": {"equals": 5}}},
            "does not match the kind of column 'joined'",
        ),
        (
            {"aggregate": "count", "where": {"pay": {"equals": "much"}}},
            "does not match the kind of column 'pay'",
        ),
    ],
)
def test_reason_is_reported_for_an_invalid_query(query: dict[str, Any], reason: str) -> None:
    result = queries.score(comparison(REAL, SYNTHETIC, queries=(AggregateQuery.model_validate(query),)))
    assert isinstance(result, UnscoredResult)
    assert reason in result.reason
    assert "much" not in result.reason


def test_query_cannot_group_by_a_numeric_column_with_many_values() -> None:
    table = pa.table({"pay": np.arange(200.0)})
    result = queries.score(
        comparison(table, table, queries=(AggregateQuery(aggregate="count", group_by=("pay",)),))
    )
    assert isinstance(result, UnscoredResult)
    assert "more than 50 values" in result.reason


def test_query_without_an_answer_does_not_affect_the_others() -> None:
    requested = (
        AggregateQuery(aggregate="mean", column="town"),
        AggregateQuery(aggregate="mean", column="pay", name="pay"),
    )
    result = queries.score(comparison(REAL, REAL, queries=requested))
    assert isinstance(result, queries.QueriesResult)
    assert (result.score, result.queries[0].error, result.queries[1].name) == (0.0, None, "pay")


def test_distinct_values_are_counted_in_equal_numbers_of_rows() -> None:
    # Two of the rows a, a and b can be chosen in three ways. Two of these choices contain both values.
    assert rarefied(np.array([0.0, 0.0, 1.0]), 2) == pytest.approx(5 / 3)
    assert rarefied(np.array([0.0, 0.0, 1.0]), 3) == pytest.approx(2.0)
    half = pa.table({"c": [f"v{i}" for i in range(40)] * 5})
    found = ask(half, half.slice(0, 100), aggregate="distinct", column="c").groups[0]
    # The answer uses 100 of 200 real rows, and each of 40 values occurs in 5 rows: 40 (1 -
    # C(195,100)/C(200,100)).
    assert found.synthetic == 40.0
    assert found.real == pytest.approx(40 * (1 - 0.5**5), abs=0.3)


def test_queries_are_described_in_words() -> None:
    requested = {"pay": {"minimum": 3}, "town": {"one_of": ["north", "south"]}}
    query = AggregateQuery.model_validate(
        {"aggregate": "quantile", "quantile": 0.5, "column": "pay", "group_by": ["town"], "where": requested}
    )
    assert described(query) == "median of pay by town where pay is at least 3 and town is one of north, south"


def test_intervals_have_about_the_stated_coverage() -> None:
    rng = np.random.default_rng(0)
    tables = [
        pa.table({"x": rng.normal(size=4000), "g": pa.array([f"g{i}" for i in rng.integers(0, 40, 4000)])})
        for _ in range(2)
    ]
    requested = (
        AggregateQuery(aggregate="mean", column="x", group_by=("g",)),
        AggregateQuery(aggregate="count", group_by=("g",)),
        AggregateQuery(aggregate="quantile", quantile=0.5, column="x", group_by=("g",)),
    )
    result = queries.score(comparison(*tables, queries=requested))
    assert isinstance(result, queries.QueriesResult)
    covered = [
        group.difference_interval[0] <= 0 <= group.difference_interval[1]
        for query in result.queries
        for group in query.groups
        if group.difference_interval is not None
    ]
    # There are 120 intervals at a level of 95%. Means and medians are correlated, so four standard errors
    # are 4 * 0.02 * sqrt(1.5).
    assert np.mean(covered) > 0.85
