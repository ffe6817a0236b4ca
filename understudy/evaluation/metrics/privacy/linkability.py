"""Linkability: the use of synthetic rows to link two files about the same people."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.attacks.sensitive_attributes import split_columns
from understudy.evaluation.attacks.victims import (
    AttackVictims,
    Search,
    find_victims,
    needed_victims,
    search,
)
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.nearest_neighbours import Neighbours
from understudy.evaluation.statistics.proportions import CONFIDENCE, Interval, risk, share_of

NEIGHBOURS_ASKED = (1, 10)


class LinkedRows(BaseModel):
    """Success rates of an attacker who uses a specific number of neighbors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_neighbours: int
    attack: Annotated[float, Field(description="Share of training rows that are linked.")]
    control: Annotated[float, Field(description="Share of held-out rows that are linked.")]
    risk: Annotated[float, Field(description="Risk: (attack - control) / (1 - control).")]
    interval: Interval


class LinkabilityResult(MetricResult):
    """Risk that synthetic rows help to link two files about the same people."""

    metric: Literal["linkability"] = "linkability"
    one: Annotated[list[str], Field(description="Columns of the first file.")]
    other: Annotated[list[str], Field(description="Columns of the second file.")]
    neighbours: list[LinkedRows]


def score(comparison: Comparison) -> LinkabilityResult | UnscoredResult:
    """Return the larger of the risks for 1 and for 10 neighbors.

    Notes
    -----
    Giomi et al. (2023), "A unified framework for quantifying privacy risk in synthetic data", section 4.2:
    two halves are linked if their nearest synthetic rows include a common row.
    """
    if len(comparison.columns) < 2:
        return UnscoredResult(reason="needs two columns")
    victims = find_victims(comparison)
    if victims is None:
        return UnscoredResult(reason=needed_victims(comparison))
    nearest = search(comparison)
    linked = [_linked(victims, nearest, k) for k in NEIGHBOURS_ASKED]
    return LinkabilityResult(
        score=max(rows.risk for rows in linked),
        # The intervals are simultaneously valid, so the maxima of their lower and upper ends form an interval
        # for the larger risk.
        interval=(max(rows.interval[0] for rows in linked), max(rows.interval[1] for rows in linked)),
        one=_names(comparison, is_one=True),
        other=_names(comparison, is_one=False),
        neighbours=linked,
        n_rows=victims.n_rows | {"synthetic": comparison.synthetic.n_rows},
        n_subjects=victims.n_subjects(),
    )


def _linked(victims: AttackVictims, nearest: Search, k: int) -> LinkedRows:
    attack = share_of(_is_linked(nearest.members, k), victims.members.units)
    control = share_of(_is_linked(nearest.others, k), victims.others.units)
    confidence = 1 - (1 - CONFIDENCE) / len(NEIGHBOURS_ASKED)
    excess = risk(attack, control, confidence=confidence)
    return LinkedRows(
        n_neighbours=k,
        attack=attack.value,
        control=control.value,
        risk=excess.score,
        interval=excess.interval,
    )


def _is_linked(neighbours: Neighbours, k: int) -> NDArray[np.bool_]:
    one, other = (neighbours.rows[view, :, :k] for view in (1, 2))
    is_same = (one[:, :, None] == other[:, None, :]) & (one[:, :, None] >= 0)
    return np.asarray(is_same.any(axis=(1, 2)))


def _names(comparison: Comparison, *, is_one: bool) -> list[str]:
    columns = zip(comparison.columns, split_columns(comparison), strict=True)
    return [column.name for column, is_in_one in columns if is_in_one == is_one]


LINKABILITY = Metric(
    name="linkability",
    title="Linkability",
    summary="Risk that synthetic rows link the two halves of a training row, beyond the rate for held-out "
    "rows. 0 means no advantage for an attacker.",
    concern="synthetic rows allow two files about the same people to be linked",
    source="Giomi et al. 2023, A unified framework for quantifying privacy risk in synthetic data",
    topic="privacy",
    direction="lower",
    range=(-1.0, 1.0),
    best=0.0,
    result=LinkabilityResult,
    score=score,
    needs=frozenset({Need.holdout}),
    real_baseline=RealBaseline.holdout,
    chance=0.0,
)
