"""What a metric is: a name, what its score means, and a function of a comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.documentation import docs_link
from understudy.evaluation.comparison import Comparison


class Need(StrEnum):
    """What a metric cannot do without."""

    holdout = "holdout"
    target = "target"
    protected = "protected"
    queries = "queries"
    canaries = "canaries"


# What is said of a need that is not met.
_UNMET = {
    Need.target: "needs a target column",
    Need.protected: "needs protected columns",
    Need.queries: "needs queries",
    Need.canaries: "needs canaries, planted when the model was trained",
    Need.holdout: "needs a holdout",
}


# Which scores are good ones; `nearer` to the best one, from either side.
Direction = Literal["higher", "lower", "nearer"]
Topic = Literal["fidelity", "usefulness", "bias", "privacy"]


class MetricResult(BaseModel):
    """A score and what it was computed from; each metric adds its own fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    score: float
    interval: Annotated[
        tuple[float, float] | None, Field(description="95 % interval of the score, where it is an estimate.")
    ] = None
    n_rows: Annotated[dict[str, int], Field(description="Rows used, by table.")]
    n_subjects: Annotated[
        dict[str, int],
        Field(description="Subjects that were counted, by table; empty where rows are counted."),
    ] = {}


class UnscoredResult(BaseModel):
    """No score, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Literal["unscored"] = "unscored"
    score: None = None
    reason: Annotated[str, Field(description="A phrase such as `needs a holdout`.")]
    is_fault: Annotated[
        bool,
        Field(
            description="Whether the metric broke, rather than lacked something: every verdict warns then."
        ),
    ] = False


class RealBaseline(Enum):
    """How it is found out what real rows would score in the synthetic table's place."""

    # Both tables are drawn anew, with replacement, from all real rows, in their own sizes, a few times: the
    # spread of a score that is a smooth function of the rows' distribution. Not for scores that look at
    # single rows or their neighbours, since rows would occur twice.
    bootstrap = "bootstrap"
    # All real rows are dealt out anew to both tables, no row to both, a few times, in sizes as near to their
    # own as there are rows for: for scores that hang on single extreme rows, and cost little.
    split = "split"
    # Other real rows, none of them twice: the holdout, or half of the real rows where there is none. A metric
    # that needs a holdout gets one half of it as the judged table, and the other half as the holdout.
    holdout = "holdout"
    # The rows that were learnt from: what a model would have learnt of them.
    training = "training"


@dataclass(frozen=True)
class Metric:
    """One member of the family.

    Parameters
    ----------
    name : str
        Identifier in reports, policies and the API. It is also the anchor in `docs/reference/metrics.md`.
    title : str
        The field's name of the metric.
    summary : str
        Plain-language explanation of the score, in one to three sentences.
    concern : str
        Problem that a bad score points to: a clause without capital letter and period.
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
    real_baseline : RealBaseline or None
        Which real rows show what real data would score, if any can.
    chance : float or None
        Of an attack: the score of one who knows nothing. A bound that is passed by less than the interval's
        distance to it makes a verdict inconclusive instead of failed.
    source : str
        Name of the metric in SDMetrics, or the paper that defines it; empty if there is neither.
    """

    name: str
    title: str
    summary: str
    concern: str
    topic: Topic
    direction: Direction
    range: tuple[float, float]
    best: float
    result: type[MetricResult]
    score: Callable[[Comparison], MetricResult | UnscoredResult]
    needs: frozenset[Need] = frozenset()
    real_baseline: RealBaseline | None = None
    chance: float | None = None
    source: str = ""

    @property
    def documentation(self) -> str:
        """Address of the metric's section in the documentation."""
        return docs_link("reference/metrics", self.name)


def missing_need(metric: Metric, comparison: Comparison) -> UnscoredResult | None:
    """Return why a metric cannot be scored, if something that it needs is not there."""
    present = {
        Need.target: comparison.options.target,
        Need.protected: comparison.options.protected,
        Need.queries: comparison.options.queries,
        Need.canaries: comparison.canaries,
        Need.holdout: comparison.holdout,
    }
    # In the order of `_UNMET`: what the caller can most easily give comes first.
    unmet = (reason for need, reason in _UNMET.items() if need in metric.needs and not present[need])
    reason = next(unmet, None)
    return None if reason is None else UnscoredResult(reason=reason)
