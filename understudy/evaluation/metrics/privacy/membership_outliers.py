"""Membership inference on outliers."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.attacks.membership import Attack, Scores, attacks_with_references, mean_of
from understudy.evaluation.attacks.victims import VictimRecords, find_victims, search
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.auc import auc_standard_error, interval

# Share of victim records that count as outliers.
SHARE = 0.05
N_OUTLIERS_MIN = 100
# Number of nearest reference rows. Records with a large mean distance to these rows are outliers.
N_NEAREST = 5


class MembershipOutliersResult(MetricResult):
    """AUC of the best attacker on the victim records that are farthest from other real rows."""

    metric: Literal["membership_outliers"] = "membership_outliers"
    attacker: Annotated[
        str,
        Field(
            description="Name of the attacker with the highest AUC on the victim records that are not "
            "outliers."
        ),
    ]
    share: Annotated[float, Field(description="Share of the victim records that are outliers.")]
    auc_of_others: Annotated[
        float, Field(description="AUC of the same attacker on the victim records that are not outliers.")
    ]


def score(comparison: Comparison) -> MembershipOutliersResult | UnscoredResult:
    """Return the AUC, on outliers, of the attacker with the highest AUC on all other records.

    Notes
    -----
    Only the reference rows determine which rows are outliers. Synthetic rows do not depend on reference rows,
    so the choice does not reveal anything about membership.
    """
    victims = find_victims(comparison)
    if victims is None:
        return _too_few(comparison)
    nearest, attacks = search(comparison), attacks_with_references(comparison)
    outlyingness = [
        _outlyingness(apart, records.units[: len(apart)])
        for records, apart in (
            (victims.members, nearest.members_apart),
            (victims.others, nearest.others_apart),
        )
    ]
    threshold = np.quantile(np.concatenate(outlyingness), 1 - SHARE)
    is_outlier = [distances > threshold for distances in outlyingness]
    if min(mask.sum() for mask in is_outlier) < N_OUTLIERS_MIN:
        return _too_few(comparison)
    rest: list[Attack] = [attack.of(*(~mask for mask in is_outlier)) for attack in attacks]
    best = int(np.argmax([attack.auc for attack in rest]))
    attack = attacks[best].of(*is_outlier)
    n_members, n_others = len(attack.members), len(attack.others)
    return MembershipOutliersResult(
        score=attack.auc,
        interval=interval(attack.auc, auc_standard_error(attack.auc, n_members, n_others), 0.0, 1.0),
        attacker=attack.name,
        share=SHARE,
        auc_of_others=rest[best].auc,
        n_rows={
            "real": _n_rows(victims.members, is_outlier[0]),
            "holdout": _n_rows(victims.others, is_outlier[1]),
            "synthetic": comparison.synthetic.n_rows,
        },
        n_subjects={"real": n_members, "holdout": n_others} if victims.is_of_subjects else {},
    )


def _n_rows(records: VictimRecords, is_chosen: NDArray[np.bool_]) -> int:
    units = records.units[: records.n_rows_of_first(len(is_chosen))]
    return int(is_chosen[units].sum())


def _outlyingness(apart: NDArray[np.float32], units: NDArray[np.int64]) -> Scores:
    return mean_of(apart[:, :N_NEAREST].mean(axis=1), units)


def _too_few(comparison: Comparison) -> UnscoredResult:
    unit = "subjects" if comparison.has_subjects else "rows"
    return UnscoredResult(
        reason=f"needs {N_OUTLIERS_MIN} outliers among the training {unit} and the held-out {unit}"
    )


MEMBERSHIP_OUTLIERS = Metric(
    name="membership_outliers",
    title="Membership inference on outliers",
    summary="Success (AUC) of the best attacker on the rows that are least like any other row. An average "
    "over all rows hides their risk. 0.5 is guessing.",
    concern="rare training rows can be identified",
    source="Compare Meeus et al. 2023, Achilles' heels, which attacks outliers with shadow models",
    topic="privacy",
    direction="lower",
    range=(0.0, 1.0),
    best=0.5,
    result=MembershipOutliersResult,
    score=score,
    needs=frozenset({Need.holdout}),
    real_baseline=RealBaseline.holdout,
    chance=0.5,
)
