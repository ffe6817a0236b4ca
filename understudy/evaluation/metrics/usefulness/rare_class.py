"""Average precision and calibration for the rarest class of the target."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.usefulness.train_synthetic_test_real import rarest_class
from understudy.evaluation.models.prediction import Experiment, experiment
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN
from understudy.evaluation.statistics.influence import average_precision, recall_and_precision

N_ROWS_OF_CLASS_MIN = 30
# Maximum share of the test rows that a rare class can have.
SHARE_MAX = 0.5
N_POINTS = 41
N_BINS = 10
N_RESAMPLED = 100

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class ReliabilityBin(BaseModel):
    """Mean predicted probability and observed frequency of the class in one tenth of the probability range.

    A bin contains the test rows with a predicted probability in that tenth.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_test: int
    predicted: Annotated[float, Field(description="Mean predicted probability of the class.")]
    observed: Annotated[float, Field(description="Share of the rows that are in the class.")]


class RareClassScores(BaseModel):
    """Scores of one model for the rarest class."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    average_precision: float
    interval: tuple[float, float]
    lift: Annotated[
        float,
        Field(
            description="Average precision divided by the share of the class. The lift of random guessing "
            "is 1."
        ),
    ]
    recall: Annotated[list[float], Field(description="Recall values of the precision-recall curve.")]
    precision: list[float]
    calibration_error: Annotated[
        float,
        Field(
            description="Mean absolute difference between `predicted` and `observed` over all bins, weighted "
            "by rows."
        ),
    ]
    reliability: Annotated[
        list[ReliabilityBin],
        Field(description="Bins that contain at least 5 rows of the class and at least 5 other rows."),
    ]


class RareClassResult(MetricResult):
    """Average precision for the rarest class that has enough test rows."""

    metric: Literal["rare_class"] = "rare_class"
    target: str
    label: Annotated[str, Field(description="Name of the class.")]
    n_positive: Annotated[int, Field(description="Number of test rows of the class.")]
    share: Annotated[
        float,
        Field(description="Share of the class among the test rows, which is the score of random guessing."),
    ]
    synthetic: RareClassScores
    real: RareClassScores | None = None


def score(comparison: Comparison) -> RareClassResult | UnscoredResult:
    """Return the average precision of the model trained on the evaluated rows for the rarest class.

    Notes
    -----
    Precision and recall are more informative than the ROC curve for a rare class (Saito and Rehmsmeier 2015).
    The calibration error follows Naeini, Cooper and Hauskrecht (2015).
    """
    outcome = experiment(comparison)
    if isinstance(outcome, str):
        return UnscoredResult(reason=outcome)
    if outcome.target.classes is None:
        return UnscoredResult(reason="needs a classification target")
    rarest = rarest_class(outcome.test.classes, N_ROWS_OF_CLASS_MIN)
    if rarest is None or np.mean(outcome.test.classes == rarest) > SHARE_MAX:
        return UnscoredResult(
            reason=f"needs a class with at least {N_ROWS_OF_CLASS_MIN} test rows and at most half of all "
            f"test rows"
        )
    return _result(comparison, outcome, rarest)


def _result(comparison: Comparison, outcome: Experiment, rarest: int) -> RareClassResult:
    is_positive = outcome.test.classes == rarest
    scores = [
        None if model is None else _scores(model.values[:, rarest], is_positive, comparison.rng("rare_class"))
        for model in (outcome.judged, outcome.real)
    ]
    assert scores[0] is not None
    return RareClassResult(
        score=scores[0].average_precision,
        interval=scores[0].interval,
        target=outcome.target.name,
        label=outcome.target.labels[rarest],
        n_positive=int(is_positive.sum()),
        share=float(is_positive.mean()),
        synthetic=scores[0],
        real=scores[1],
        n_rows=outcome.n_rows,
    )


def _scores(scores: Floats, is_positive: Bools, rng: np.random.Generator) -> RareClassScores:
    value = average_precision(scores, is_positive)
    bins, error = _reliability(scores, is_positive)
    recall, precision = _curve(scores, is_positive)
    return RareClassScores(
        average_precision=value,
        interval=_interval(value, scores, is_positive, rng),
        lift=value / float(is_positive.mean()),
        recall=recall,
        precision=precision,
        calibration_error=error,
        reliability=bins,
    )


def _interval(
    value: float, scores: Floats, is_positive: Bools, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the 95% interval of the value over resampled test rows."""
    n = len(scores)
    order = np.argsort(-scores, kind="stable")
    scores, is_positive = scores[order], is_positive[order]
    drawn = [
        average_precision(
            scores, is_positive, np.bincount(rng.integers(n, size=n), minlength=n).astype(np.float64)
        )
        for _ in range(N_RESAMPLED)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return min(float(low), value), max(float(high), value)


def _curve(scores: Floats, is_positive: Bools) -> tuple[list[float], list[float]]:
    """Return points of the precision-recall curve, each based on at least 5 rows of the class."""
    recall, precision = recall_and_precision(scores, is_positive)
    first = N_ROWS_SHOWN_MIN / is_positive.sum()
    at = np.unique(np.searchsorted(recall, np.linspace(first, 1.0, N_POINTS) - 1e-12))
    at = at[at < len(recall)]
    return [round(float(x), 4) for x in recall[at]], [round(float(x), 4) for x in precision[at]]


def _reliability(scores: Floats, is_positive: Bools) -> tuple[list[ReliabilityBin], float]:
    """Return the bins to show, and the calibration error over all bins."""
    bins = np.minimum((scores * N_BINS).astype(np.int64), N_BINS - 1)
    n, n_positive = np.bincount(bins, minlength=N_BINS), np.bincount(bins, is_positive, minlength=N_BINS)
    predicted = np.bincount(bins, scores, minlength=N_BINS)
    error = float(np.abs(predicted - n_positive).sum() / len(scores))
    shown = np.flatnonzero(np.minimum(n_positive, n - n_positive) >= N_ROWS_SHOWN_MIN)
    return [
        ReliabilityBin(
            n_test=int(n[i]), predicted=float(predicted[i] / n[i]), observed=float(n_positive[i] / n[i])
        )
        for i in shown
    ], error


RARE_CLASS = Metric(
    name="rare_class",
    title="Average precision of the rarest class",
    summary=(
        "Average precision for the rarest class of the target. The model is trained on synthetic rows and "
        "tested on real rows. Random guessing scores the share of the class. Compare the score with the "
        "score of the same model trained on real rows."
    ),
    concern="a model trained on these rows predicts the rarest class less well",
    source="Saito and Rehmsmeier 2015 (precision and recall for rare classes)",
    topic="usefulness",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=RareClassResult,
    score=score,
    needs=frozenset({Need.target}),
    real_baseline=RealBaseline.training,
)
