"""Near duplicates: training rows with an almost identical synthetic row."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.attacks.victims import find_victims, needed_victims
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.nearest_neighbours import as_points, count_differences
from understudy.evaluation.statistics.proportions import (
    CONFIDENCE,
    Interval,
    Proportion,
    difference,
    share_of,
)

# Maximum difference between two numbers that count as equal, as a fraction of the column's ranks.
TOLERANCE = 0.01
N_DIFFERENT_ASKED = (0, 1)


class NearCopyCounts(BaseModel):
    """Shares of real rows with a near duplicate. Near duplicates differ in at most `n_different` columns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_different: Annotated[int, Field(description="Maximum number of columns that differ.")]
    attack: Annotated[
        float,
        Field(description="Share of training rows that have a near duplicate among the synthetic rows."),
    ]
    control: Annotated[
        float,
        Field(description="Share of held-out rows that have a near duplicate among the synthetic rows."),
    ]
    excess: Annotated[float, Field(description="`attack` minus `control`.")]
    interval: Interval


class NearCopiesResult(MetricResult):
    """Share of training rows that have a near duplicate, minus the share of held-out rows that have one.

    The score is the largest difference over all values of `n_different`.
    """

    metric: Literal["near_copies"] = "near_copies"
    copies: list[NearCopyCounts]


def score(comparison: Comparison) -> NearCopiesResult | UnscoredResult:
    """Return the share of training rows with a near duplicate minus the share of held-out rows."""
    victims = find_victims(comparison)
    if victims is None:
        return UnscoredResult(reason=needed_victims(comparison))
    synthetic = as_points(comparison, comparison.synthetic)
    sides = [
        (count_differences(as_points(comparison, records.table), synthetic, TOLERANCE), records.units)
        for records in (victims.members, victims.others)
    ]
    # In a table with one column, any two rows differ in at most one column.
    asked_of = [n for n in N_DIFFERENT_ASKED if n < len(comparison.columns)]
    copies = []
    for n in asked_of:
        attack, control = (share_of(differences <= n, units) for differences, units in sides)
        copies.append(_copied(attack, control, n, len(asked_of)))
    return NearCopiesResult(
        score=max(counts.excess for counts in copies),
        # The intervals are simultaneously valid, so the maxima of their lower and upper ends form an interval
        # for the larger excess.
        interval=(max(counts.interval[0] for counts in copies), max(counts.interval[1] for counts in copies)),
        copies=copies,
        n_rows=victims.n_rows | {"synthetic": comparison.synthetic.n_rows},
        n_subjects=victims.n_subjects(),
    )


def _copied(attack: Proportion, control: Proportion, n_different: int, n_asked: int) -> NearCopyCounts:
    confidence = 1 - (1 - CONFIDENCE) / n_asked
    excess = difference(attack, control, confidence=confidence)
    return NearCopyCounts(
        n_different=n_different,
        attack=attack.value,
        control=control.value,
        excess=excess.score,
        interval=excess.interval,
    )


NEAR_COPIES = Metric(
    name="near_copies",
    title="Near duplicates",
    summary="Share of training rows that have an almost identical synthetic row, minus the share of held-out "
    "rows that have one. New real rows would score 0 on average.",
    concern="training rows occur almost unchanged in the synthetic table",
    source="Compare SDMetrics: NewRowSynthesis, which counts synthetic rows and has no control",
    topic="privacy",
    direction="lower",
    range=(-1.0, 1.0),
    best=0.0,
    result=NearCopiesResult,
    score=score,
    needs=frozenset({Need.holdout}),
    real_baseline=RealBaseline.holdout,
    chance=0.0,
)
