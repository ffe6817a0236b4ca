"""Tests for attacks on copied and new rows, and comparisons with hand-computed results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom

from tests.unit.evaluation.people import comparison, people
from understudy.evaluation.attacks.membership import found_at, roc_points
from understudy.evaluation.attacks.sensitive_attributes import sensitive_columns, split_columns
from understudy.evaluation.attacks.singling_out_guesses import (
    NOBODY,
    Crowd,
    hits_of_combinations,
    hits_of_values,
)
from understudy.evaluation.baselines import holdout_baseline
from understudy.evaluation.comparison import Comparison, ComparisonTables, compare
from understudy.evaluation.metrics.base import Need, UnscoredResult
from understudy.evaluation.metrics.privacy import (
    PRIVACY,
    attribute_inference,
    exact_copies,
    linkability,
    membership_distance,
    near_copies,
    singling_out,
)
from understudy.evaluation.metrics.privacy.canaries import exposure
from understudy.evaluation.metrics.privacy.membership_low_fpr import interval_of_found
from understudy.evaluation.metrics.privacy.singling_out import Population
from understudy.tables.inference import infer_table

N = 600


@pytest.fixture(scope="module")
def copied() -> Comparison:
    real = people(N, seed=1)
    return comparison(real, real, holdout=people(N, seed=2), target="is_member")


@pytest.fixture(scope="module")
def fresh() -> Comparison:
    return comparison(people(N, seed=1), people(N, seed=3), holdout=people(N, seed=2), target="is_member")


def test_copied_members_are_closer_than_held_out_rows(copied: Comparison) -> None:
    result = membership_distance.score(copied)
    # All members have a distance of 0. Held-out rows rarely have this distance, because heights are
    # continuous.
    assert result.score == pytest.approx(1.0, abs=0.05)
    assert isinstance(result, membership_distance.MembershipDistanceResult)
    assert result.found > 0.9


def test_true_positive_rate_is_measured_at_a_low_false_positive_rate() -> None:
    others, members = np.arange(100.0), np.array([97.5, 98.5, 99.5, 3.0])
    # Of the 100 nonmembers, 1% may be above the threshold. The threshold is the second highest score, 98.
    assert found_at(members, others, 0.01) == 0.5
    assert found_at(members, others, 0.001) == 0.25


def test_tied_members_count_as_not_detected() -> None:
    assert found_at(np.zeros(10), np.zeros(10), 0.01) == 0


def test_roc_curve_starts_without_false_positives_and_ends_with_all_members() -> None:
    rng = np.random.default_rng(0)
    points = roc_points(rng.normal(1, 1, 300), rng.normal(0, 1, 300))
    rates = np.array([[point.false_alarms, point.found] for point in points])
    assert len(points) <= 60
    assert (np.diff(rates, axis=0) >= 0).all()
    assert points[0].false_alarms == 0
    assert points[-1].found == 1


def test_interval_of_the_true_positive_rate_includes_the_error_of_the_threshold() -> None:
    rng = np.random.default_rng(0)
    n, n_trials = 1_000, 400
    # This is the share of a normal distribution with mean 1 above the 99% quantile of a standard normal
    # distribution.
    truth = 0.0924
    held = [
        low <= truth <= high
        for low, high in (
            interval_of_found(rng.normal(1, 1, n), rng.normal(0, 1, n)) for _ in range(n_trials)
        )
    ]
    # The coverage is at least 95% (Bonferroni). If it is exactly 95%, one in 1,000 runs fails by chance.
    assert sum(held) >= binom.ppf(0.001, n_trials, 0.95)


def test_exposure_of_known_ranks_is_exact() -> None:
    left_out = np.arange(7.0)
    # The value 9 is above all 7 values: log2(8 / 1). The value 3.5 is below the three highest values:
    # log2(8 / 4).
    assert exposure(np.array([9.0]), left_out) == 3
    assert exposure(np.array([3.5]), left_out) == 1


def test_unique_value_singles_out_its_row() -> None:
    tables = comparison(pa.table({"x": [1.0, 2, 3, 3]}), pa.table({"x": [1.0, 3, 5, 5, 2]}))
    pool = Crowd.of(tables.real)
    hits = hits_of_values(tables.synthetic, pool, 10, np.random.default_rng(0))
    # The guesses are 1, 2 and 3. Two rows of the pool have the value 3. The value 5 is not unique.
    assert sorted(hits) == [NOBODY, 0, 1]


def test_unique_combination_singles_out_its_row() -> None:
    one = pa.table({"x": ["a", "a", "b", "b"], "y": ["c", "d", "c", "d"]})
    tables = comparison(one, one)
    pool = Crowd.of(tables.real)
    hits = hits_of_combinations(tables.synthetic, pool, 10, np.random.default_rng(0))
    assert sorted(hits) == [0, 1, 2, 3]


def test_singling_out_compares_training_with_held_out_rows() -> None:
    # Of 200 guesses, 60 hit training rows and 20 hit held-out rows. The training table is twice as large as
    # the holdout, so the control is 2 * 20 / 200, and the risk is (0.3 - 0.2) / (1 - 0.2) = 1/8.
    hits = np.concatenate([np.arange(60), np.arange(1_000, 1_020), np.full(120, NOBODY)])
    found = singling_out.judge_guesses("many columns", hits, Population(1_000, 1_000, 500), confidence=0.95)
    assert (found.n, found.attack, found.control) == (200, pytest.approx(0.3), pytest.approx(0.2))
    assert found.risk == pytest.approx(0.125)
    assert found.interval[0] < 0.125 < found.interval[1]


def test_guesses_that_hit_the_same_row_count_once() -> None:
    hits = np.concatenate([np.zeros(50, dtype=np.int64), np.full(50, NOBODY)])
    assert singling_out.judge_guesses("one column", hits, Population(100, 100, 100), confidence=0.95).n == 51


def test_guesses_without_hits_have_a_risk_of_zero_with_an_upper_bound() -> None:
    population = Population(100, 100, 100)
    found = singling_out.judge_guesses("one column", np.full(1_000, NOBODY), population, confidence=0.95)
    assert (found.risk, found.interval[0]) == (0, 0)
    assert found.interval[1] == pytest.approx(1 - 0.025 ** (1 / 1_000))


def of_subjects(table: dict[str, Any]) -> Comparison:
    rows = pa.table(table)
    schema = infer_table(rows).schema.model_copy(update={"subject": ("who",)})
    return compare(ComparisonTables(rows, rows), schema)


def test_value_repeated_by_one_subject_singles_out_the_subject() -> None:
    tables = of_subjects({"who": [1, 1, 2, 2, 3], "x": [5.0, 5.0, 6.0, 7.0, 7.0]})
    hits = hits_of_values(tables.synthetic, Crowd.of(tables.real), 10, np.random.default_rng(0))
    # Only subject 1 has the value 5, and only subject 2 has the value 6. Two subjects have the value 7, so 7
    # is not a guess.
    assert sorted(hits) == [0, 2]


def test_combination_repeated_by_one_subject_singles_out_the_subject() -> None:
    tables = of_subjects({"who": [1, 1, 2, 2], "x": ["a", "a", "b", "b"], "y": ["c", "c", "c", "d"]})
    hits = hits_of_combinations(tables.synthetic, Crowd.of(tables.real), 10, np.random.default_rng(0))
    assert set(tables.real.units[hits]) == set(tables.real.units)


def test_hits_of_one_subject_count_as_one_independent_hit() -> None:
    # 40 rows of one subject count as one independent hit, and 40 rows of 40 subjects count as 40 hits.
    hits, together = np.arange(40), Population(40, 1, 1, np.zeros(80, dtype=np.int64))
    apart = Population(40, 40, 40, np.arange(80))
    ends = [
        singling_out.judge_guesses("many columns", hits, population, confidence=0.95).interval[0]
        for population in (together, apart)
    ]
    assert together.n_effective(hits) == 1
    assert ends[0] < 0 < ends[1]


def test_halves_of_copied_rows_are_linked(copied: Comparison, fresh: Comparison) -> None:
    linked, other = linkability.score(copied), linkability.score(fresh)
    assert isinstance(linked, linkability.LinkabilityResult)
    assert isinstance(other, linkability.LinkabilityResult)
    assert sorted(linked.one + linked.other) == sorted(column.name for column in copied.columns)
    assert linked.score > 0.5
    assert other.interval is not None
    assert other.interval[0] <= 0 <= other.interval[1]


def test_sensitive_values_of_copied_rows_are_guessed(copied: Comparison, fresh: Comparison) -> None:
    guessed, other = attribute_inference.score(copied), attribute_inference.score(fresh)
    assert isinstance(guessed, attribute_inference.AttributeInferenceResult)
    assert guessed.columns[0].attack > 0.9
    assert other.score is not None
    # The score is the largest of four differences between two shares of 600 rows. Three standard errors of a
    # difference are 0.087.
    assert other.score < 0.1


def test_dependency_that_holds_for_all_rows_is_not_a_privacy_risk() -> None:
    # One column determines the other, so guesses are correct for members and for non-members.
    tables = [pa.table({"x": [float(i % 3) for i in range(300)], "y": list("abc" * 100)}) for _ in range(3)]
    result = attribute_inference.score(comparison(tables[0], tables[1], holdout=tables[2], sensitive=("y",)))
    assert isinstance(result, attribute_inference.AttributeInferenceResult)
    assert result.columns[0].control == 1
    assert result.score == 0


def test_sensitive_columns_can_be_specified_or_are_chosen_automatically() -> None:
    real = people(N, seed=1)
    chosen = sensitive_columns(comparison(real, real, target="visits"))
    names = real.column_names
    assert names[chosen[0]] == "visits"
    assert {names[i] for i in chosen[1:3]} == {"town", "is_member"}
    assert sensitive_columns(comparison(real, real, sensitive=("joined",))) == [names.index("joined")]


def test_both_halves_of_a_linkability_attack_have_informative_columns() -> None:
    real = people(N, seed=1)
    split = split_columns(comparison(real, real))
    informative = [real.column_names.index(name) for name in ("height", "joined")]
    assert split[informative[0]] != split[informative[1]]


@pytest.mark.parametrize(("n_changed", "n_different"), [(1, 1), (0, 0)])
def test_copies_with_one_changed_value_are_near_duplicates(n_changed: int, n_different: int) -> None:
    real = people(N, seed=1)
    turned = pa.array(["elsewhere"] * N) if n_changed else real["town"]
    synthetic = real.set_column(2, "town", turned)
    result = near_copies.score(comparison(real, synthetic, holdout=people(N, seed=2)))
    assert isinstance(result, near_copies.NearCopiesResult)
    assert result.copies[n_different].attack == 1


def test_copies_of_unique_rows_have_a_small_p_value() -> None:
    real = people(N, seed=1)
    result = exact_copies.score(comparison(real, real, holdout=people(N, seed=2)))
    assert result.is_telling
    assert result.n_copies_of_unique == N
    # All 600 copied rows are training rows, which are half of all rows.
    assert result.p_value == pytest.approx(0.5**N)


def test_holdout_baseline_is_not_compared_with_itself() -> None:
    holdout = people(N, seed=2)
    base = comparison(people(N, seed=1), people(N, seed=3), holdout=holdout)
    assert exact_copies.score(holdout_baseline(base, frozenset())).p_value is None


def test_halves_of_the_real_rows_are_not_counted_as_copies_of_each_other() -> None:
    base = comparison(people(N, seed=1), people(N, seed=3))
    assert exact_copies.score(holdout_baseline(base, frozenset())).score == 0


UNUSUAL_TABLES: dict[str, dict[str, Any]] = {
    "one column of numbers": {"x": [float(i) for i in range(300)]},
    "one column of strings": {"x": ["a", "b", "c"] * 100},
    "constant": {"x": [1.0] * 300, "y": ["a"] * 300},
    "all missing": {"x": pa.nulls(300, pa.float64()), "y": pa.nulls(300, pa.string())},
    "only strings": {"x": ["a", "b", "c"] * 100, "y": ["d", "e"] * 150},
    "only numbers": {"x": [float(i) for i in range(300)], "y": [float(i % 7) for i in range(300)]},
}


METRICS_WITHOUT_CANARIES = [metric for metric in PRIVACY if Need.canaries not in metric.needs]


@pytest.mark.parametrize("name", UNUSUAL_TABLES)
@pytest.mark.parametrize("metric", METRICS_WITHOUT_CANARIES, ids=lambda metric: metric.name)
def test_unusual_tables_are_scored_or_the_reason_is_reported(name: str, metric: Any) -> None:
    table = pa.table(UNUSUAL_TABLES[name])
    compared = comparison(table, table.slice(0, 100), holdout=table)
    result = metric.score(compared)
    assert isinstance(result, UnscoredResult) or np.isfinite(result.score)
