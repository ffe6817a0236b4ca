"""What a metric is: a name, what its score means, and a function of a comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison


class Need(StrEnum):
    """What a metric cannot do without."""

    holdout = "holdout"
    target = "target"


# Which scores are good ones; `nearer` to the best one, from either side.
Direction = Literal["higher", "lower", "nearer"]
Topic = Literal["fidelity", "usefulness", "privacy"]


class MetricResult(BaseModel):
    """A score and what it was computed from; each metric adds its own fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    score: float
    interval: Annotated[
        tuple[float, float] | None, Field(description="95 % interval of the score, where it is an estimate.")
    ] = None
    n_rows: Annotated[dict[str, int], Field(description="Rows used, by table.")]


class Unscored(BaseModel):
    """No score, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Literal["unscored"] = "unscored"
    score: None = None
    reason: Annotated[str, Field(description="A phrase such as `needs a holdout`.")]


class StandIn(StrEnum):
    """Which real rows take the synthetic table's place to show what real data would score."""

    holdout = "holdout"
    training = "training"


@dataclass(frozen=True)
class Metric:
    """One member of the family.

    Parameters
    ----------
    name, title : str
        For machines and for people.
    summary : str
        What the score says, in a sentence for a reader who is no statistician.
    topic : Topic
        Under privacy a copy of the real table scores worst, under the others best.
    direction : Direction
    range : (float, float)
        Between which every score lies.
    best : float
        The score of data that cannot be told from real data.
    result : type
        What `score` returns if it can.
    score : callable (Comparison) -> MetricResult or Unscored
        Never changes its input; the same comparison gives the same score.
    needs : frozenset of Need
        Without which `score` is not asked.
    stand_in : StandIn or None
        Which real rows show what real data would score, if any can.
    """

    name: str
    title: str
    summary: str
    topic: Topic
    direction: Direction
    range: tuple[float, float]
    best: float
    result: type[MetricResult]
    score: Callable[[Comparison], MetricResult | Unscored]
    needs: frozenset[Need] = frozenset()
    stand_in: StandIn | None = None


def missing_need(metric: Metric, comparison: Comparison) -> Unscored | None:
    """Return why a metric cannot be scored, if something that it needs is not there."""
    if Need.target in metric.needs and comparison.target is None:
        return Unscored(reason="needs a target column")
    if Need.holdout in metric.needs and comparison.holdout is None:
        return Unscored(reason="needs a holdout")
    return None
