"""Membership inference by density (DOMIAS)."""

from __future__ import annotations

from typing import Literal

from understudy.evaluation.attacks.membership import (
    AttackerScore,
    RocPoint,
    attacks_with_references,
    by_density,
    roc_points,
)
from understudy.evaluation.attacks.victims import find_victims, needed_victims
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.auc import auc_standard_error, interval


class MembershipDensityResult(MetricResult):
    """AUC of an attacker who compares the density of synthetic rows with the density of reference rows."""

    metric: Literal["membership_density"] = "membership_density"
    attackers: list[AttackerScore]
    roc: list[RocPoint]


def score(comparison: Comparison) -> MembershipDensityResult | UnscoredResult:
    """Return the AUC for separating training rows from other real rows by the ratio of densities.

    Notes
    -----
    van Breugel et al. (2023), "Membership inference attacks against synthetic data through overfitting
    detection" (DOMIAS). Distances to nearest neighbors replace the paper's density estimators.
    """
    victims = find_victims(comparison)
    if victims is None:
        return UnscoredResult(reason=needed_victims(comparison))
    attack, n = by_density(comparison), victims.n_apart
    return MembershipDensityResult(
        score=attack.auc,
        interval=interval(attack.auc, auc_standard_error(attack.auc, n, n), 0.0, 1.0),
        attackers=[attacker.describe() for attacker in attacks_with_references(comparison)],
        roc=roc_points(attack.members, attack.others),
        n_rows=victims.n_rows_apart()
        | {"references": victims.references.n_rows, "synthetic": comparison.synthetic.n_rows},
        n_subjects=victims.n_subjects(n),
    )


MEMBERSHIP_DENSITY = Metric(
    name="membership_density",
    title="Membership inference by density",
    summary="Success (AUC) of an attacker who has real reference rows and looks for rows around which "
    "synthetic rows are denser than reference rows. 0.5 is guessing.",
    concern="synthetic rows cluster around training rows",
    source="DOMIAS: van Breugel et al. 2023, with nearest neighbors as density estimates",
    topic="privacy",
    direction="lower",
    range=(0.0, 1.0),
    best=0.5,
    result=MembershipDensityResult,
    score=score,
    needs=frozenset({Need.holdout}),
    real_baseline=RealBaseline.holdout,
    chance=0.5,
)
