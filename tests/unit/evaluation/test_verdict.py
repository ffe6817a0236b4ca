"""Tests for policy verdicts: thresholds, intervals, chance levels, and missing scores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from understudy.errors import InvalidInput
from understudy.evaluation import verdict
from understudy.evaluation.metrics import METRICS
from understudy.evaluation.metrics.base import Metric, MetricResult, UnscoredResult
from understudy.evaluation.scores import BaselineScore, MetricScores
from understudy.evaluation.verdict import PolicyCheck, check_policy, judge
from understudy.parameters.policy import POLICIES, Policy, PolicyThreshold, resolve_policy

SHAPES, COPIES, TWO_SAMPLE = (METRICS[name] for name in ("column_shapes", "exact_copies", "two_sample"))


def scores(
    metric: Metric,
    score: float | None,
    interval: tuple[float, float] | None = None,
    floor: float | None = None,
    floor_interval: tuple[float, float] | None = None,
) -> MetricScores:
    """Return scores that contain only the fields used by the verdict."""
    result: MetricResult | UnscoredResult = UnscoredResult(reason="needs a holdout")
    if score is not None:
        result = metric.result.model_construct(
            metric=metric.name, score=score, interval=interval, n_rows={"real": 1}
        )
    return MetricScores.model_construct(
        name=metric.name,
        title=metric.title,
        direction=metric.direction,
        best=metric.best,
        synthetic=result,
        floor=None if floor is None else BaselineScore(score=floor, interval=floor_interval, n_draws=1),
    )


def check(threshold: PolicyThreshold, metric_scores: MetricScores) -> PolicyCheck:
    return judge(Policy(name="own", thresholds=(threshold,)), [metric_scores]).checks[0]


@pytest.mark.parametrize(
    ("metric", "score", "outcome"),
    [
        (SHAPES, 0.95, "pass"),
        (SHAPES, 0.85, "warn"),
        (SHAPES, 0.65, "fail"),
    ],
)
def test_higher_score_has_a_better_outcome(metric: Metric, score: float, outcome: str) -> None:
    threshold = PolicyThreshold(metric=metric.name, warn=0.9, fail=0.7)
    assert check(threshold, scores(metric, score)).outcome == outcome


@pytest.mark.parametrize(("score", "outcome"), [(0.0, "pass"), (0.02, "warn"), (0.2, "fail")])
def test_lower_score_has_a_better_outcome(score: float, outcome: str) -> None:
    threshold = PolicyThreshold(metric="exact_copies", warn=0.01, fail=0.1)
    assert check(threshold, scores(COPIES, score)).outcome == outcome


@pytest.mark.parametrize(
    ("score", "outcome"), [(0.55, "pass"), (0.75, "warn"), (0.25, "warn"), (0.95, "fail")]
)
def test_score_closer_to_the_best_has_a_better_outcome_on_both_sides(score: float, outcome: str) -> None:
    threshold = PolicyThreshold(metric="two_sample", warn=0.7, fail=0.9)
    assert check(threshold, scores(TWO_SAMPLE, score)).outcome == outcome


@pytest.mark.parametrize(
    ("interval", "outcome"),
    [
        ((0.48, 0.54), "pass"),
        ((0.48, 0.62), "inconclusive"),
        ((0.51, 0.57), "warn"),
        ((0.55, 0.62), "fail"),
    ],
)
def test_check_of_an_attack_uses_the_whole_confidence_interval(
    monkeypatch: pytest.MonkeyPatch, interval: tuple[float, float], outcome: str
) -> None:
    attack = replace(COPIES, name="attack", chance=0.5)
    monkeypatch.setitem(verdict.METRICS, "attack", attack)
    threshold = PolicyThreshold(metric="attack", warn=0.55, fail=0.6)
    assert check(threshold, scores(attack, sum(interval) / 2, interval)).outcome == outcome


@pytest.mark.parametrize(
    ("score", "floor", "outcome"), [(0.9, 0.92, "pass"), (0.8, 0.9, "warn"), (0.5, 0.9, "fail")]
)
def test_loss_is_the_difference_from_the_score_of_real_rows(score: float, floor: float, outcome: str) -> None:
    threshold = PolicyThreshold(metric="column_shapes", of="loss", warn=0.05, fail=0.25)
    assert check(threshold, scores(SHAPES, score, floor=floor)).outcome == outcome


def test_loss_without_a_baseline_is_unscored() -> None:
    threshold = PolicyThreshold(metric="column_shapes", of="loss", warn=0.05)
    assert check(threshold, scores(SHAPES, 0.5)).outcome == "unscored"


@pytest.mark.parametrize(
    ("score", "outcome"), [(0.91, "pass"), (0.8, "inconclusive"), (0.6, "inconclusive"), (0.5, "fail")]
)
def test_loss_is_inconclusive_if_real_rows_can_score_as_low(score: float, outcome: str) -> None:
    threshold = PolicyThreshold(metric="column_shapes", of="loss", warn=0.05, fail=0.25)
    result = check(threshold, scores(SHAPES, score, floor=0.9, floor_interval=(0.55, 0.98)))
    assert result.outcome == outcome
    assert result.loss_interval == pytest.approx((0.55 - score, 0.98 - score))


def test_loss_is_computed_on_equal_numbers_of_synthetic_and_real_rows() -> None:
    whole, cut = scores(SHAPES, 0.9, floor=0.7), scores(SHAPES, 0.5)
    threshold = PolicyThreshold(metric="column_shapes", of="loss", warn=0.05, fail=0.25)
    result = check(threshold, whole.model_copy(update={"synthetic_cut": cut.synthetic}))
    assert (result.value, result.outcome) == (pytest.approx(0.2), "warn")


def test_verdict_names_the_required_scores_that_are_missing() -> None:
    thresholds = tuple(
        PolicyThreshold(metric=name, fail=0.5, required=True)
        for name in ("exact_copies", "membership_distance")
    )
    metrics = [scores(METRICS[threshold.metric], None) for threshold in thresholds]
    sentence = judge(Policy(name="own", thresholds=thresholds), metrics).sentence
    assert sentence.endswith(
        "but required scores are missing: Exact copies, Membership inference by distance."
    )


@pytest.mark.parametrize(("required", "outcome"), [(True, "warn"), (False, "pass")])
def test_missing_score_affects_the_outcome_only_if_it_is_required(required: bool, outcome: str) -> None:
    policy = Policy(
        name="own", thresholds=(PolicyThreshold(metric="column_shapes", fail=0.5, required=required),)
    )
    verdict = judge(policy, [scores(SHAPES, None)])
    assert verdict.outcome == outcome
    assert "needs a holdout" in verdict.checks[0].sentence


def test_check_of_a_metric_that_raised_an_error_does_not_pass() -> None:
    broken = scores(COPIES, None).model_copy(
        update={"synthetic": UnscoredResult(reason="could not be computed", is_fault=True)}
    )
    policy = Policy(name="own", thresholds=(PolicyThreshold(metric="exact_copies", fail=0.1),))
    assert judge(policy, [broken]).outcome == "warn"


def test_worst_check_determines_the_verdict_and_the_verdict_names_it() -> None:
    policy = Policy(
        name="own",
        thresholds=(
            PolicyThreshold(metric="column_shapes", warn=0.9),
            PolicyThreshold(metric="exact_copies", fail=0.1),
        ),
    )
    verdict = judge(policy, [scores(SHAPES, 0.5), scores(COPIES, 0.5)])
    assert verdict.outcome == "fail"
    assert verdict.sentence == "The synthetic data does not meet the policy own. Failed checks: Exact copies."


def test_all_predefined_policies_are_valid() -> None:
    for policy in POLICIES.values():
        check_policy(policy)


def test_public_policy_is_at_least_as_strict_as_the_standard_policy() -> None:
    standard = {(one.metric, one.of): one for one in POLICIES["standard"].thresholds}
    public = {(one.metric, one.of): one for one in POLICIES["public"].thresholds}
    assert standard.keys() <= public.keys()
    for key, mild in standard.items():
        metric, harsh = METRICS[key[0]], public[key]
        for bound in ("warn", "fail"):
            one, other = getattr(mild, bound), getattr(harsh, bound)
            if one is None:
                continue
            is_low_good = mild.of == "loss" or metric.direction != "higher"
            assert (other <= one) if is_low_good else (other >= one)


def test_error_for_an_unknown_policy_or_metric_lists_the_known_names() -> None:
    with pytest.raises(InvalidInput, match="standard, public"):
        resolve_policy("lenient")
    with pytest.raises(InvalidInput, match="'beauty'"):
        check_policy(Policy(name="own", thresholds=(PolicyThreshold(metric="beauty", fail=1),)))
