"""Whether synthetic rows tell what a person in the table would not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.attacks.attack_targets import search, targets, what_is_needed
from understudy.evaluation.attacks.sensitive_attributes import sensitive_columns
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.nearest_neighbours import Neighbours, Points, as_points
from understudy.evaluation.statistics.proportions import (
    CONFIDENCE,
    Interval,
    TargetShare,
    difference,
    share_of,
)

# Of the ranks of a column: a number that is guessed so well is guessed right.
TOLERANCE = 0.05
# The views of the neighbours before those of all columns but one.
N_OTHER_VIEWS = 3

Guessed = NDArray[np.float32] | NDArray[np.int32]


class SensitiveAttributeScore(BaseModel):
    """How often an attacker guesses a value who knows all others of the row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    is_category: Annotated[
        bool, Field(description="Guessed right if equal; else if within 5 % of the column's ranks.")
    ]
    attack: Annotated[float, Field(description="Share guessed right, of the rows that were learnt from.")]
    control: Annotated[float, Field(description="The same of held-out rows: what is told of anybody.")]
    excess: float
    interval: Interval


class AttributeInferenceResult(MetricResult):
    """Largest excess of right guesses for rows that were learnt from."""

    metric: Literal["attribute_inference"] = "attribute_inference"
    columns: Annotated[list[SensitiveAttributeScore], Field(description="Largest excess first.")]


@dataclass(frozen=True)
class Side:
    """The targets of one kind, as points, and the synthetic rows that are nearest to them."""

    points: Points
    near: Neighbours
    units: NDArray[np.int64]

    def hits(self, synthetic: Points, column: int, view: int) -> TargetShare:
        """Return how often the nearest synthetic row has the right value of a column."""
        place = synthetic.place(column)
        guesses = _values(synthetic, place)[self.near.rows[view, :, 0]]
        return share_of(_is_right(_values(self.points, place), guesses), self.units)


def score(comparison: Comparison) -> AttributeInferenceResult | UnscoredResult:
    """Return the largest excess, over the sensitive columns, of guesses by the nearest synthetic row.

    Notes
    -----
    Giomi et al. (2023), section 4.3. The control is what makes it a matter of privacy: that somebody's income
    can be told from his occupation is what the table is made for, and holds for people who are not in it.
    """
    secrets = sensitive_columns(comparison)
    if not secrets or len(comparison.columns) < 2:
        return UnscoredResult(reason="needs two columns, one of which can be guessed")
    chosen = targets(comparison)
    if chosen is None:
        return UnscoredResult(reason=what_is_needed(comparison))
    found = search(comparison)
    sides = [
        Side(as_points(comparison, chosen.members.table), found.members, chosen.members.units),
        Side(as_points(comparison, chosen.others.table), found.others, chosen.others.units),
    ]
    guessed = [
        _guess(comparison, column, [side.hits(found.synthetic, column, view) for side in sides])
        for view, column in enumerate(secrets, start=N_OTHER_VIEWS)
    ]
    return AttributeInferenceResult(
        score=max(one.excess for one in guessed),
        # The largest of several: each interval is so wide that all hold at once, and so do their upper ends.
        interval=(max(one.interval[0] for one in guessed), max(one.interval[1] for one in guessed)),
        columns=sorted(guessed, key=lambda one: -one.excess),
        n_rows=chosen.n_rows | {"synthetic": comparison.synthetic.n_rows},
        n_subjects=chosen.n_subjects(),
    )


def _guess(comparison: Comparison, column: int, shares: list[TargetShare]) -> SensitiveAttributeScore:
    attack, control = shares
    confidence = 1 - (1 - CONFIDENCE) / len(sensitive_columns(comparison))
    excess = difference(attack, control, confidence=confidence)
    return SensitiveAttributeScore(
        column=comparison.columns[column].name,
        is_category=comparison.encoder.columns[column].is_categorical,
        attack=attack.value,
        control=control.value,
        excess=excess.score,
        interval=excess.interval,
    )


def _values(points: Points, place: int) -> Guessed:
    n_numbers = len(points.numbers)
    found: Guessed = points.numbers[place] if place < n_numbers else points.codes[place - n_numbers]
    return found


def _is_right(truth: Guessed, guess: Guessed) -> NDArray[np.bool_]:
    return np.asarray(truth == guess if truth.dtype == np.int32 else np.abs(truth - guess) <= TOLERANCE)


ATTRIBUTE_INFERENCE = Metric(
    name="attribute_inference",
    title="Attribute inference",
    summary="How much more often an attacker who knows the rest of a row guesses a sensitive value "
    "correctly for training rows than for held-out rows, in the worst column. 0 means no advantage.",
    concern="synthetic rows reveal sensitive values of people in the training table, beyond what holds for "
    "everybody",
    source="Giomi et al. 2023, Quantifying privacy risk in synthetic data",
    topic="privacy",
    direction="lower",
    range=(-1.0, 1.0),
    best=0.0,
    result=AttributeInferenceResult,
    score=score,
    needs=frozenset({Need.holdout}),
    real_baseline=RealBaseline.holdout,
    chance=0.0,
)
