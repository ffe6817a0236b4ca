"""Attribute inference: guessing sensitive values from all other values of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.attacks.sensitive_attributes import sensitive_columns
from understudy.evaluation.attacks.victims import find_victims, needed_victims, search
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.nearest_neighbours import Neighbours, Points, as_points
from understudy.evaluation.statistics.proportions import (
    CONFIDENCE,
    Interval,
    Proportion,
    difference,
    share_of,
)

# Maximum error of a numeric guess that counts as correct, as a fraction of the column's ranks.
TOLERANCE = 0.05
# Index of the first view that omits a sensitive column. There is one such view for each sensitive column.
N_OTHER_VIEWS = 3

Guessed = NDArray[np.float32] | NDArray[np.int32]


class SensitiveAttributeScore(BaseModel):
    """Success rates of an attacker who guesses a row's value in this column from its other values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    is_category: Annotated[
        bool,
        Field(
            description=(
                "Whether a guess must be exact to be correct. If false, a guessed number is correct if its "
                "rank differs from that of the true value by at most 5% of the number of ranks."
            )
        ),
    ]
    attack: Annotated[float, Field(description="Share of correct guesses for training rows.")]
    control: Annotated[float, Field(description="Share of correct guesses for held-out rows.")]
    excess: Annotated[float, Field(description="`attack` minus `control`.")]
    interval: Interval


class AttributeInferenceResult(MetricResult):
    """Share of correct guesses for training rows minus the share for held-out rows, in the worst column."""

    metric: Literal["attribute_inference"] = "attribute_inference"
    columns: Annotated[
        list[SensitiveAttributeScore],
        Field(
            description="Scores of the sensitive columns, in descending order of `attack` minus `control`."
        ),
    ]


@dataclass(frozen=True)
class Side:
    """Victim records, either training or held-out rows, and their nearest synthetic rows."""

    points: Points
    near: Neighbours
    units: NDArray[np.int64]

    def hits(self, synthetic: Points, column: int, view: int) -> Proportion:
        """Return the share of victim rows for which the nearest synthetic row gives a correct guess."""
        place = synthetic.place(column)
        guesses = _values(synthetic, place)[self.near.rows[view, :, 0]]
        return share_of(_is_right(_values(self.points, place), guesses), self.units)


def score(comparison: Comparison) -> AttributeInferenceResult | UnscoredResult:
    """Guess from the nearest synthetic row, and return the largest excess among the sensitive columns.

    Notes
    -----
    The attack follows Giomi et al. (2023), section 4.3, without the division by 1 - control. The control
    removes information that holds for the whole population. A synthetic table is meant to show relations such
    as that between occupation and income, which also hold for people who are not in the table.
    """
    secrets = sensitive_columns(comparison)
    if not secrets or len(comparison.columns) < 2:
        return UnscoredResult(reason="needs two columns, at least one of which can be sensitive")
    victims = find_victims(comparison)
    if victims is None:
        return UnscoredResult(reason=needed_victims(comparison))
    neighbours = search(comparison)
    sides = [
        Side(as_points(comparison, victims.members.table), neighbours.members, victims.members.units),
        Side(as_points(comparison, victims.others.table), neighbours.others, victims.others.units),
    ]
    guessed = [
        _guess(comparison, column, [side.hits(neighbours.synthetic, column, view) for side in sides])
        for view, column in enumerate(secrets, start=N_OTHER_VIEWS)
    ]
    return AttributeInferenceResult(
        score=max(guess.excess for guess in guessed),
        # The intervals are simultaneously valid, so the maxima of their lower and upper ends form an interval
        # for the largest excess.
        interval=(max(guess.interval[0] for guess in guessed), max(guess.interval[1] for guess in guessed)),
        columns=sorted(guessed, key=lambda guess: -guess.excess),
        n_rows=victims.n_rows | {"synthetic": comparison.synthetic.n_rows},
        n_subjects=victims.n_subjects(),
    )


def _guess(comparison: Comparison, column: int, shares: list[Proportion]) -> SensitiveAttributeScore:
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
    values: Guessed = points.numbers[place] if place < n_numbers else points.codes[place - n_numbers]
    return values


def _is_right(truth: Guessed, guess: Guessed) -> NDArray[np.bool_]:
    return np.asarray(truth == guess if truth.dtype == np.int32 else np.abs(truth - guess) <= TOLERANCE)


ATTRIBUTE_INFERENCE = Metric(
    name="attribute_inference",
    title="Attribute inference",
    summary="Share of correct guesses of a sensitive value for training rows minus the share for held-out "
    "rows, in the column at most risk. The attacker knows all other values of the row. 0 means no advantage.",
    concern="synthetic rows reveal more about sensitive values of training rows than about those of held-out "
    "rows",
    source="Giomi et al. 2023, A unified framework for quantifying privacy risk in synthetic data, without "
    "the division by 1 - control",
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
