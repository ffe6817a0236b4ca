"""Membership inference by the distance to the nearest synthetic row."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from understudy.evaluation.attacks.membership import RocPoint, by_distance, found_at, roc_points
from understudy.evaluation.attacks.victims import find_victims, needed_victims
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.auc import auc_standard_error, interval

# Minimum number of victim records for reporting a false positive rate of 0.1% (5 of 5,000 held-out rows).
N_VICTIMS_FOR_RARE = 10_000


class MembershipDistanceResult(MetricResult):
    """AUC of an attacker who classifies rows close to a synthetic row as training rows."""

    metric: Literal["membership_distance"] = "membership_distance"
    found: Annotated[float, Field(description="True positive rate at a false positive rate of 1%.")]
    found_rarely: Annotated[
        float | None,
        Field(
            description="True positive rate at a false positive rate of 0.1%. Null if there are fewer than "
            "10,000 victim records."
        ),
    ] = None
    roc: list[RocPoint]


def score(comparison: Comparison) -> MembershipDistanceResult | UnscoredResult:
    """Return the AUC of the distance to the nearest synthetic row for training and held-out rows.

    Notes
    -----
    Chen et al. (2020), "GAN-Leaks": the full black-box attack without calibration.
    """
    victims = find_victims(comparison)
    if victims is None:
        return UnscoredResult(reason=needed_victims(comparison))
    attack = by_distance(comparison)
    is_many = 2 * victims.n >= N_VICTIMS_FOR_RARE
    return MembershipDistanceResult(
        score=attack.auc,
        interval=interval(attack.auc, auc_standard_error(attack.auc, victims.n, victims.n), 0.0, 1.0),
        found=attack.found,
        found_rarely=found_at(attack.members, attack.others, 0.001) if is_many else None,
        roc=roc_points(attack.members, attack.others),
        n_rows=victims.n_rows | {"synthetic": comparison.synthetic.n_rows},
        n_subjects=victims.n_subjects(),
    )


MEMBERSHIP_DISTANCE = Metric(
    name="membership_distance",
    title="Membership inference by distance",
    summary="Success (AUC) of an attacker who separates training rows from other real rows by the distance "
    "to the nearest synthetic row. 0.5 is guessing.",
    concern="the distance to synthetic rows reveals which rows are in the training table",
    source="Chen et al. 2020, GAN-Leaks (full black-box attack)",
    topic="privacy",
    direction="lower",
    range=(0.0, 1.0),
    best=0.5,
    result=MembershipDistanceResult,
    score=score,
    needs=frozenset({Need.holdout}),
    real_baseline=RealBaseline.holdout,
    chance=0.5,
)
