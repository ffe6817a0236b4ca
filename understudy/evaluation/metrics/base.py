"""The definition of a metric, and the base classes for results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.documentation import docs_link
from understudy.evaluation.comparison import Comparison


class Need(StrEnum):
    """Input that a metric requires in addition to the two tables."""

    holdout = "holdout"
    target = "target"
    protected = "protected"
    queries = "queries"
    canaries = "canaries"


# Reason that a report states for a missing score, by unmet need.
_UNMET = {
    Need.target: "needs a target column",
    Need.protected: "needs protected columns",
    Need.queries: "needs queries",
    Need.canaries: "needs canaries, planted when the model was trained",
    Need.holdout: "needs a holdout",
}


# Whether higher or lower scores are better. `nearer` means that scores closer to the best score are better,
# from either side.
Direction = Literal["higher", "lower", "nearer"]
Topic = Literal["fidelity", "usefulness", "bias", "privacy"]


class MetricResult(BaseModel):
    """A score and the number of rows that were used to compute it; each metric adds more fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    score: float
    interval: Annotated[
        tuple[float, float] | None,
        Field(description="Confidence interval (95%) of the score. Null if the score is not an estimate."),
    ] = None
    n_rows: Annotated[dict[str, int], Field(description="Number of rows used, by table.")]
    n_subjects: Annotated[
        dict[str, int],
        Field(description="Number of subjects used, by table. Empty if the metric counts rows."),
    ] = {}


class UnscoredResult(BaseModel):
    """The reason why a metric has no score."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Literal["unscored"] = "unscored"
    score: None = None
    reason: Annotated[str, Field(description="Reason as a verb phrase, such as `needs a holdout`.")]
    is_fault: Annotated[
        bool,
        Field(
            description="Whether the metric failed with an error. If true, the verdict of a policy that "
            "checks the metric is at least `warn`."
        ),
    ] = False


class RealBaseline(Enum):
    """Method for scoring real rows in place of the synthetic rows."""

    # Both tables are resampled with replacement from all real rows several times. The tables keep their
    # sizes. This method suits scores that are smooth functions of the distribution. It does not suit scores
    # that depend on single rows or their neighbors, because resampled rows occur more than once.
    bootstrap = "bootstrap"
    # All real rows are randomly split into two disjoint tables several times. The sizes of these tables are
    # as close to the original sizes as the number of rows allows. This method suits scores that are fast to
    # compute and depend on single extreme rows.
    split = "split"
    # Other real rows, without repetition: the holdout, or half of the real rows if there is no holdout. For a
    # metric that needs a holdout, the original holdout is split: one half is evaluated, and the other half
    # serves as the holdout.
    holdout = "holdout"
    # The training rows, for metrics that train a model on the evaluated table.
    training = "training"
    # The holdout. Without a holdout, each real row is compared with all other real rows so that the reference
    # has the same size as in the comparison. The metric's `score_real` handles both cases.
    leave_one_out = "leave-one-out"


@dataclass(frozen=True)
class RealScore:
    """The score of real rows, and a prediction interval for the score of the same number of new real rows.

    Parameters
    ----------
    interval : (float, float)
        Bounds of the prediction interval. The argument of the metric's `score_real` is the probability that a
        new score lies below the lower bound, and also the probability that it lies above the upper bound.
    """

    result: MetricResult
    interval: tuple[float, float]


@dataclass(frozen=True)
class Metric:
    """A metric in the catalog.

    Parameters
    ----------
    name : str
        Identifier in reports, policies and the API. It is also the anchor in `docs/reference/metrics.md`.
    title : str
        Established name of the metric.
    summary : str
        Plain-language explanation of the score, in one to three sentences.
    concern : str
        Problem that a bad score indicates, as a clause without a capital letter or a period.
    topic : Topic
        Topic of the metric. A copy of the real table scores worst in `privacy` and best in all other topics.
    direction : Direction
        `higher` or `lower` if higher or lower scores are better, or `nearer` if scores closer to the best
        score are better.
    range : (float, float)
        Lowest and highest possible score.
    best : float
        Score of data that cannot be distinguished from new real data.
    result : type
        Class of the result.
    score : callable (Comparison) -> MetricResult or UnscoredResult
        Function that computes the score. It does not change its input, and the same comparison gives the
        same score.
    needs : frozenset of Need
        Required inputs. The function `score` is called only if all of these inputs are present.
    real_baseline : RealBaseline or None
        Method that determines the score of real rows, or None if real rows cannot be scored.
    chance : float or None
        Score of an attack that guesses at random, or None for metrics that are not attacks. If the confidence
        interval includes this value, a violated bound makes the verdict inconclusive instead of failed.
    score_real : callable (Comparison, float) -> RealScore, or None
        Function that scores real rows and predicts the score of new real rows, for the baseline
        `leave_one_out`. The second argument is the probability that a new score lies beyond one end of the
        interval.
    source : str
        Library or paper that defines the metric, the name of the metric in that source, and the differences
        between the score and that definition. Empty if there is no such source.
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
    score_real: Callable[[Comparison, float], RealScore] | None = None
    source: str = ""

    @property
    def documentation(self) -> str:
        """URL of the metric's section in the documentation."""
        return docs_link("reference/metrics", self.name)


def missing_need(metric: Metric, comparison: Comparison) -> UnscoredResult | None:
    """Return the first unmet need of a metric as a result, or None if all needs are met."""
    present = {
        Need.target: comparison.options.target,
        Need.protected: comparison.options.protected,
        Need.queries: comparison.options.queries,
        Need.canaries: comparison.canaries,
        Need.holdout: comparison.holdout,
    }
    # The order determines the reported reason: `_UNMET` begins with the needs that are easiest to meet.
    unmet = (reason for need, reason in _UNMET.items() if need in metric.needs and not present[need])
    reason = next(unmet, None)
    return None if reason is None else UnscoredResult(reason=reason)
