"""Tests that bias metrics detect planted faults and name the right group."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.evaluation.people import comparison, people
from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.metrics.bias import (
    BaseRatesResult,
    DemographicParityResult,
    EqualisedOddsResult,
    RebalancingResult,
    SegmentsResult,
    base_rates,
    demographic_parity,
    equalised_odds,
    rebalancing,
    segments,
)
from understudy.evaluation.metrics.bias.rebalancing import reweighing
from understudy.evaluation.models.group_fairness import (
    Crossing,
    odds_difference,
    parity_difference,
    parity_ratio,
)
from understudy.evaluation.statistics.groups import groups_of


def applicants(n_rows: int, *, seed: int, penalty: float = 0.0) -> pa.Table:
    """Return equally qualified applicants of two sexes. Reject a share `penalty` of the qualified women."""
    rng = np.random.default_rng(seed)
    is_woman = rng.random(n_rows) < 0.4
    ability = rng.normal(size=n_rows)
    is_granted = ability + 0.4 * rng.normal(size=n_rows) > 0
    is_granted &= ~(is_woman & (rng.random(n_rows) < penalty))
    return pa.table(
        {
            "ability": ability,
            "age": rng.integers(20, 60, n_rows),
            "sex": np.where(is_woman, "female", "male"),
            "is_granted": is_granted,
        }
    )


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    return {
        "real": applicants(2000, seed=1),
        "holdout": applicants(2000, seed=2),
        "fair": applicants(2000, seed=3),
        # The positive rate of women is halved.
        "unfair": applicants(2000, seed=3, penalty=0.5),
    }


def score(module: object, tables: dict[str, pa.Table], name: str, **changed: object) -> object:
    options = {"target": "is_granted", "protected": ("age", "sex")} | changed
    compared = comparison(tables["real"], tables[name], holdout=tables["holdout"], **options)  # type: ignore[arg-type]
    return module.score(compared)  # type: ignore[attr-defined]


def test_halved_base_rate_is_detected_in_its_group(tables: dict[str, pa.Table]) -> None:
    result = score(base_rates, tables, "unfair")
    assert isinstance(result, BaseRatesResult)
    assert (result.worst_column, result.worst_group, result.worst_label) == ("sex", "female", "true")
    # The rate falls from 1/2 to 1/4 in samples of 800 rows. Four standard errors of the difference are 0.09.
    assert result.score == pytest.approx(0.25, abs=0.09)
    assert result.interval is not None
    assert result.interval[0] > 0.15
    fair = score(base_rates, tables, "fair")
    assert isinstance(fair, BaseRatesResult)
    # The score is the largest of six differences. For the smallest groups (about 500 rows), the standard
    # error is 0.03, and the tolerance is four standard errors.
    assert fair.score < 0.12


def test_shares_of_groups_are_compared_without_a_target(tables: dict[str, pa.Table]) -> None:
    is_kept = (tables["fair"]["sex"].to_numpy() == "male") | (np.arange(2000) % 2 == 0)
    thinned = tables | {"thinned": tables["fair"].filter(pa.array(is_kept))}
    result = score(base_rates, thinned, "thinned", target=None, protected=("sex",))
    assert isinstance(result, BaseRatesResult)
    # Half of the women are removed, so their share falls from 0.4 to 0.2 / (0.2 + 0.6) = 0.25.
    assert result.score == pytest.approx(0.15, abs=0.06)


def test_shifted_mean_of_a_group_is_detected(tables: dict[str, pa.Table]) -> None:
    is_woman = tables["fair"]["sex"].to_numpy() == "female"
    shifted = tables["fair"].set_column(
        0, "ability", pa.array(tables["fair"]["ability"].to_numpy() - 0.5 * is_woman)
    )
    result = score(base_rates, tables | {"shifted": shifted}, "shifted", target="ability")
    assert isinstance(result, BaseRatesResult)
    assert (result.worst_group, result.measure) == ("female", "standardised mean")
    assert result.score == pytest.approx(0.5, abs=0.2)


def test_small_group_is_not_scored_and_tiny_group_is_not_named() -> None:
    labels = ["a"] * 300 + ["b"] * 20 + ["secret"] * 3
    rng = np.random.default_rng(0)
    table = pa.table({"group": labels, "good": rng.random(323) < 0.5})
    result = base_rates.score(comparison(table, table, target="good", protected=("group",)))
    assert isinstance(result, BaseRatesResult)
    assert [(group.group, group.is_too_small) for group in result.columns[0].groups] == [
        ("a", False),
        ("b", True),
    ]
    assert result.columns[0].groups[1].rates == []
    assert result.columns[0].n_groups_hidden == 1
    assert "secret" not in result.model_dump_json()


def test_model_trained_on_unfair_rows_selects_women_less_often(tables: dict[str, pa.Table]) -> None:
    result = score(demographic_parity, tables, "unfair")
    assert isinstance(result, DemographicParityResult)
    sex = next(column for column in result.columns if column.column == "sex")
    assert result.score == sex.excess
    assert result.score > 0.2
    assert sex.excess_interval[0] > 0.1
    shares = {group.group: (group.synthetic, group.real) for group in sex.groups}
    women, men = shares["female"], shares["male"]
    assert np.subtract(women[0], men[0]) < -0.2  # type: ignore[arg-type]
    assert abs(np.subtract(women[1], men[1])) < 0.1  # type: ignore[arg-type]
    assert sex.synthetic.ratio is not None
    assert sex.synthetic.ratio < 0.8
    fair = score(demographic_parity, tables, "fair")
    assert isinstance(fair, DemographicParityResult)
    assert fair.score < 0.1


def test_model_trained_on_unfair_rows_rejects_qualified_women_more_often(tables: dict[str, pa.Table]) -> None:
    result = score(equalised_odds, tables, "unfair")
    assert isinstance(result, EqualisedOddsResult)
    sex = next(column for column in result.columns if column.column == "sex")
    women = next(group for group in sex.groups if group.group == "female")
    assert sex.excess > 0.3
    assert women.true_positive_synthetic is not None
    assert women.true_positive_real is not None
    assert women.true_positive_synthetic < women.true_positive_real - 0.3


def test_group_with_a_lost_dependency_is_the_worst_segment(tables: dict[str, pa.Table]) -> None:
    rng = np.random.default_rng(0)
    is_woman = tables["fair"]["sex"].to_numpy() == "female"
    lost = np.where(is_woman, rng.random(2000) < 0.5, tables["fair"]["is_granted"].to_numpy())
    table = tables["fair"].set_column(3, "is_granted", pa.array(lost.astype(bool)))
    result = score(segments, tables | {"lost": table}, "lost")
    assert isinstance(result, SegmentsResult)
    assert (result.worst_column, result.worst_group) == ("sex", "female")
    assert result.score < 0.7
    men = next(s for c in result.columns if c.column == "sex" for s in c.segments if s.group == "male")
    assert men.synthetic is not None
    assert men.synthetic > 0.85
    # Fresh rows in a group of 800 have a Kolmogorov-Smirnov distance of about 0.04.
    assert men.shape is not None
    assert men.shape > 0.9


def test_weights_remove_the_planted_bias(tables: dict[str, pa.Table]) -> None:
    result = score(rebalancing, tables, "unfair")
    assert isinstance(result, RebalancingResult)
    sex = next(column for column in result.columns if column.column == "sex")
    assert sex.after.parity_difference < sex.before.parity_difference / 2
    assert result.score == sex.reduction
    assert sex.weights[0] < 1 < sex.weights[1]


def test_weights_make_class_and_group_independent() -> None:
    groups, classes = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 0, 1])
    weights = reweighing(groups, classes)
    # The first weight is P(0) P(0) / P(0, 0) = (4/6)(4/6) / (3/6) = 8/9. The other weights follow in the same
    # way.
    assert weights == pytest.approx([8 / 9, 8 / 9, 8 / 9, 4 / 3, 4 / 3, 2 / 3])
    table = np.array([[np.sum(weights[(groups == g) & (classes == c)]) for c in (0, 1)] for g in (0, 1)])
    assert table / 6 == pytest.approx(np.outer([4 / 6, 2 / 6], [4 / 6, 2 / 6]))


def test_fairness_gaps_of_known_counts_are_exact() -> None:
    counts = np.zeros((2, 2, 2, 2))
    # Group 0 has 8 of 10 true positives and 2 of 10 false positives. Group 1 has 5 of 10 true positives and 0
    # of 10 false positives.
    counts[0, 1, 1, 0], counts[0, 1, 0, 0], counts[0, 0, 1, 0], counts[0, 0, 0, 0] = 8, 2, 2, 8
    counts[1, 1, 1, 0], counts[1, 1, 0, 0], counts[1, 0, 0, 0] = 5, 5, 10
    model = Crossing("yes", counts).model(0)
    assert float(parity_difference(model)) == pytest.approx(10 / 20 - 5 / 20)
    assert parity_ratio(model) == pytest.approx(0.5)
    assert float(odds_difference(model)) == pytest.approx(0.3)


def test_numeric_columns_are_grouped_at_round_numbers_near_the_quartiles() -> None:
    table = pa.table({"age": np.arange(20, 60).repeat(10), "c": ["a", "b"] * 200})
    groups = groups_of(comparison(table, table), "age")
    assert len(groups.labels) == 4 + 2
    assert groups.labels[0] == "below 30"
    assert groups.labels[3] == "50 and above"
    counts = np.bincount(groups.assign(np.arange(20.0, 60.0).repeat(10)))
    assert counts.tolist() == [100, 100, 100, 100]


@pytest.mark.parametrize("module", [demographic_parity, equalised_odds, rebalancing])
def test_fairness_is_not_scored_for_a_numeric_target(module: object) -> None:
    compared = comparison(people(200, seed=1), people(200, seed=2), target="height", protected=("town",))
    assert module.score(compared) == UnscoredResult(reason="needs a classification target")  # type: ignore[attr-defined]
