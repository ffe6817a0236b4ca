"""The definition of a metric, and the base classes of its results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.documentation import docs_link
from understudy.evaluation.comparison import Comparison


class Need(StrEnum):
    """Input that a metric requires beyond the two tables."""

    holdout = "holdout"
    target = "target"
    protected = "protected"
    queries = "queries"
    canaries = "canaries"


# Reasons in reports for a score that is missing because of an unmet need.
_UNMET = {
    Need.target: "needs a target column",
    Need.protected: "needs protected columns",
    Need.queries: "needs queries",
    Need.canaries: "needs canaries, planted when the model was trained",
    Need.holdout: "needs a holdout",
}


# Direction of better scores; `nearer` means closer to the best score, from either side.
Direction = Literal["higher", "lower", "nearer"]
Topic = Literal["fidelity", "usefulness", "bias", "privacy"]


class MetricResult(BaseModel):
    """A score and the number of rows that were used to compute it; each metric adds more fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    score: float
    interval: Annotated[
        tuple[float, float] | None,
        Field(description="Confidence interval (95 %) of the score. Null if the score is not an estimate."),
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
            description="Whether the metric failed with an error. If the policy checks the metric, the "
            "verdict is then at least `warn`."
        ),
    ] = False


class RealBaseline(Enum):
    """Method that determines the score of real rows in place of the synthetic rows."""

    # Both tables are resampled several times with replacement from all real rows and keep their sizes. This
    # suits scores that are smooth functions of the distribution. It does not suit scores that depend on
    # single rows or their neighbours, because resampled rows occur more than once.
    bootstrap = "bootstrap"
    # All real rows are split at random into two disjoint tables, several times. The sizes are as close to
    # those of the original tables as the number of rows allows. This suits scores that are fast to compute
    # and depend on single extreme rows.
    split = "split"
    # Other real rows, each used once: the holdout, or half of the real rows if there is none. A metric
    # that needs a holdout gets one half of it as the evaluated table and the other half as the holdout.
    holdout = "holdout"
    # The training rows, for metrics that train a model on the evaluated table.
    training = "training"
    # The holdout. Without one, each real row is compared with all other real rows, so that the reference has
    # the size of the comparison. The metric's `score_real` does both.
    leave_one_out = "leave-one-out"


@dataclass(frozen=True)
class RealScore:
    """The score of real rows, and the prediction interval of the score of as many further real rows.

    Parameters
    ----------
    interval : (float, float)
        Ends that a further score exceeds with the probability passed to the metric's `score_real`, each.
    """

    result: MetricResult
    interval: tuple[float, float]


@dataclass(frozen=True)
class Metric:
    """A metric of the catalogue.

    Parameters
    ----------
    name : str
        Identifier in reports, policies and the API. It is also the anchor in `docs/reference/metrics.md`.
    title : str
        The field's name of the metric.
    summary : str
        Plain-language explanation of the score, in one to three sentences.
    concern : str
        Problem that a bad score indicates, as a clause without a capital letter or a period.
    topic : Topic
        Topic of the metric. A copy of the real table scores worst in `privacy` and best in all other topics.
    direction : Direction
        Direction of better scores.
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
        Required inputs; `score` is only called if all of them are present.
    real_baseline : RealBaseline or None
        Method that determines the score of real rows; None if no real rows can be scored.
    chance : float or None
        Score of an attack by random guessing; None for metrics that are not attacks. A violated bound makes
        the verdict inconclusive instead of failed if the interval of the score reaches this value.
    score_real : callable (Comparison, float) -> RealScore, or None
        Function that scores real rows and predicts the score of others, for the baseline `leave_one_out`. The
        number is the probability of a score beyond one end of the interval.
    source : str
        Name of the metric in another library or the paper that defines it, and how the score differs from
        that definition. Empty if there is no such source.
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
        """Address of the metric's section in the documentation."""
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
    # The order matters, because `_UNMET` begins with the needs that a caller can meet most easily.
    unmet = (reason for need, reason in _UNMET.items() if need in metric.needs and not present[need])
    reason = next(unmet, None)
    return None if reason is None else UnscoredResult(reason=reason)
