"""True positive rate of membership inference at a false positive rate of 1%."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.attacks.membership import (
    FALSE_ALARMS,
    AttackerScore,
    Scores,
    attacks_with_references,
)
from understudy.evaluation.attacks.victims import N_VICTIMS_MIN, find_victims, needed_victims
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.proportions import CONFIDENCE, Interval, beta_quantile, exact_interval


class MembershipLowFprResult(MetricResult):
    """True positive rate of the best attacker at a false positive rate of 1%."""

    metric: Literal["membership_low_fpr"] = "membership_low_fpr"
    attacker: Annotated[
        str, Field(description="Name of the best attacker on the first half of the victim records.")
    ]
    attackers: Annotated[
        list[AttackerScore],
        Field(description="Scores of all attackers on the first half of the victim records."),
    ]
    auc: Annotated[
        float, Field(description="AUC of the best attacker on the second half of the victim records.")
    ]


def score(comparison: Comparison) -> MembershipLowFprResult | UnscoredResult:
    """Select the best attacker on half of the records, and return its true positive rate on the other half.

    Notes
    -----
    Carlini et al. (2022), "Membership inference attacks from first principles": an attack is relevant if it
    identifies some members with confidence, not if it is slightly better than guessing for all members.
    """
    victims = find_victims(comparison)
    if victims is None or victims.n_apart < N_VICTIMS_MIN:
        return UnscoredResult(reason=needed_victims(comparison, n_holdout=3 * N_VICTIMS_MIN // 2))
    n = victims.n_apart
    is_first = np.arange(n) < n // 2
    attacks = attacks_with_references(comparison)
    first = [attack.of(is_first, is_first) for attack in attacks]
    best = int(np.argmax([attack.found for attack in first]))
    second = attacks[best].of(~is_first, ~is_first)
    return MembershipLowFprResult(
        score=second.found,
        interval=interval_of_found(second.members, second.others),
        attacker=second.name,
        attackers=[attack.describe() for attack in first],
        auc=second.auc,
        n_rows={
            role: n_rows - side.n_rows_of_first(n // 2)
            for (role, n_rows), side in zip(
                victims.n_rows_apart().items(), (victims.members, victims.others), strict=True
            )
        }
        | {"references": victims.references.n_rows, "synthetic": comparison.synthetic.n_rows},
        n_subjects=victims.n_subjects(n - n // 2),
    )


def interval_of_found(members: Scores, others: Scores, *, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of the true positive rate at a false positive rate of 1% in the population.

    Notes
    -----
    The threshold is also an estimate. The share of the population of other rows above the j-th highest of n
    scores has the distribution Beta(j, n - j + 1), so order statistics enclose the threshold. The exact
    interval of the share of members above each order statistic accounts for the sampling of members. Each of
    the four bounds has a quarter of the total error probability.
    """
    n = len(others)
    tail = (1 - confidence) / 4
    ranks = np.arange(1, n + 1)
    ordered = np.sort(others)[::-1]
    # The thresholds are two order statistics. With the required confidence, at most 1% of the population is
    # above one of them, and at least 1% is above the other.
    is_strict = beta_quantile(1 - tail, ranks, n - ranks + 1) <= FALSE_ALARMS
    is_loose = beta_quantile(tail, ranks, n - ranks + 1) >= FALSE_ALARMS
    strict = ordered[is_strict.sum() - 1] if is_strict.any() else np.inf
    loose = ordered[np.argmax(is_loose)] if is_loose.any() else -np.inf
    low, high = _exact(members > strict, confidence), _exact(members >= loose, confidence)
    return low[0], high[1]


def _exact(is_found: NDArray[np.bool_], confidence: float) -> Interval:
    # The interval has half of the total error probability, with a quarter at each end. Only one end is used.
    return exact_interval(int(is_found.sum()), len(is_found), confidence=(1 + confidence) / 2)


MEMBERSHIP_LOW_FPR = Metric(
    name="membership_low_fpr",
    title="Membership inference TPR at 1% FPR",
    summary="Share of training rows that the best attacker identifies while misclassifying 1 in 100 "
    "other rows: the true positive rate (TPR) at a false positive rate (FPR) of 1%. 0.01 is guessing.",
    concern="an attacker can identify some training rows with confidence",
    source="Carlini et al. 2022, Membership inference attacks from first principles (measure, not attack)",
    topic="privacy",
    direction="lower",
    range=(0.0, 1.0),
    best=0.01,
    result=MembershipLowFprResult,
    score=score,
    needs=frozenset({Need.holdout}),
    real_baseline=RealBaseline.holdout,
    chance=0.01,
)
