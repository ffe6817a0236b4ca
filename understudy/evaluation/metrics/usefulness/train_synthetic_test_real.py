"""Train on synthetic, test on real (TSTR)."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.models.prediction import (
    MODEL,
    Experiment,
    Labelled,
    Predictions,
    Target,
    Task,
    experiment,
    measure,
)
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN
from understudy.evaluation.statistics.influence import area, average_precision

N_POINTS = 41
# Minimum number of test rows of a class for a ROC curve. With fewer rows, the curve would reveal single rows.
N_ROWS_OF_CURVE_MIN = 20
PROBABILITY_MIN = 1e-6


class PredictorScores(BaseModel):
    """Scores of one model on the test rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    score: Annotated[float, Field(description="AUC, or R2 if the target is numeric.")]
    interval: tuple[float, float]
    accuracy: float | None = None
    log_loss: float | None = None
    brier: Annotated[
        float | None, Field(description="Mean squared error of the probabilities, summed over classes.")
    ] = None
    average_precision: Annotated[
        float | None, Field(description="Average precision for the rarest class with at least 5 test rows.")
    ] = None
    mean_absolute_error: Annotated[
        float | None, Field(description="Mean absolute error in the unit of the target.")
    ] = None
    root_mean_squared_error: float | None = None


class ClassScores(BaseModel):
    """Scores of both models for one class that has enough test rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    n_test: int
    auc_synthetic: float
    auc_real: float | None
    precision_synthetic: Annotated[
        float | None,
        Field(
            description="Precision of the model trained on the evaluated rows. Null if the "
            "model never predicts the class."
        ),
    ]
    precision_real: float | None
    recall_synthetic: float
    recall_real: float | None


class RocCurve(BaseModel):
    """ROC curves of both models at the same false positive rates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Annotated[str, Field(description="Name of the positive class.")]
    false_positive_rate: list[float]
    synthetic: Annotated[
        list[float], Field(description="True positive rates of the model trained on the evaluated rows.")
    ]
    real: list[float] | None


class TrainSyntheticTestRealResult(MetricResult):
    """AUC or R2 of a model that was trained only on the evaluated rows, measured on real test rows."""

    metric: Literal["train_synthetic_test_real"] = "train_synthetic_test_real"
    target: str
    task: Task
    measure: Annotated[
        Literal["AUC", "R2"],
        Field(description="AUC (macro-averaged one-vs-rest for more than two classes), or R2."),
    ]
    model: str
    classes: Annotated[
        int | None,
        Field(description="Number of classes in the test rows. Rare categories are pooled into one class."),
    ] = None
    synthetic: Annotated[
        PredictorScores, Field(description="Scores of the model trained on the evaluated rows.")
    ]
    real: Annotated[
        PredictorScores | None, Field(description="Scores of the same model trained on real rows.")
    ] = None
    loss: Annotated[
        float | None,
        Field(
            description="Score of the model trained on real rows minus that of the model trained on the "
            "evaluated rows."
        ),
    ] = None
    loss_interval: Annotated[
        tuple[float, float] | None,
        Field(
            description="Confidence interval (95%) of `loss`, computed from paired predictions for the test "
            "rows."
        ),
    ] = None
    error_ratio: Annotated[
        float | None,
        Field(
            description="Root mean squared error divided by that of the model trained on real rows. Numeric "
            "targets only."
        ),
    ] = None
    by_class: list[ClassScores]
    roc: RocCurve | None = None


def score(comparison: Comparison) -> TrainSyntheticTestRealResult | UnscoredResult:
    """Train trees on the evaluated rows, and return their AUC or R2 on unseen real rows."""
    outcome = experiment(comparison)
    if isinstance(outcome, str):
        return UnscoredResult(reason=outcome)
    is_regression = outcome.target.classes is None
    synthetic = _model_scores(outcome.target, outcome.test, outcome.judged)
    real = None if outcome.real is None else _model_scores(outcome.target, outcome.test, outcome.real)
    loss, loss_interval = _loss(outcome)
    return TrainSyntheticTestRealResult(
        score=synthetic.score,
        interval=synthetic.interval,
        target=outcome.target.name,
        task=outcome.target.task,
        measure="R2" if is_regression else "AUC",
        model=MODEL,
        classes=None if is_regression else len(np.unique(outcome.test.truth)),
        synthetic=synthetic,
        real=real,
        loss=loss,
        loss_interval=loss_interval,
        error_ratio=_error_ratio(synthetic, real),
        by_class=[] if is_regression else _by_class(outcome),
        roc=None if is_regression else _roc(outcome),
        n_rows=outcome.n_rows,
    )


def _loss(outcome: Experiment) -> tuple[float | None, tuple[float, float] | None]:
    if outcome.real is None:
        return None, None
    real, judged = (measure(outcome.target, outcome.test, model) for model in (outcome.real, outcome.judged))
    gap = real - judged
    return gap.value, gap.interval(-2.0, 2.0)


def _model_scores(target: Target, test: Labelled, model: Predictions) -> PredictorScores:
    estimate = measure(target, test, model)
    interval = estimate.interval(-1.0 if target.classes is None else 0.0, 1.0)
    if target.classes is None:
        residuals = test.truth - model.values
        return PredictorScores(
            score=estimate.value,
            interval=interval,
            mean_absolute_error=target.width * float(np.abs(residuals).mean()),
            root_mean_squared_error=target.width * float(np.sqrt(np.mean(residuals**2))),
        )
    truth = test.classes
    rarest = rarest_class(truth, N_ROWS_SHOWN_MIN)
    of_truth = model.values[np.arange(len(truth)), truth]
    one_hot = np.eye(model.values.shape[1])[truth]
    return PredictorScores(
        score=estimate.value,
        interval=interval,
        accuracy=float(np.mean(model.classes == truth)),
        # A probability of 0 would make the loss infinite, for example for a class without training rows.
        log_loss=float(-np.log(np.maximum(of_truth, PROBABILITY_MIN)).mean()),
        brier=float(((model.values - one_hot) ** 2).sum(axis=1).mean()),
        average_precision=(
            None if rarest is None else average_precision(model.values[:, rarest], truth == rarest)
        ),
    )


def rarest_class(truth: NDArray[np.int64], n_rows_min: int) -> int | None:
    """Return the rarest class with at least `n_rows_min` rows. Of equally rare classes, return the last."""
    counts = np.bincount(truth)
    enough = np.flatnonzero(counts >= n_rows_min)[::-1]
    return int(enough[np.argmin(counts[enough])]) if len(enough) else None


def _error_ratio(synthetic: PredictorScores, real: PredictorScores | None) -> float | None:
    if real is None or not real.root_mean_squared_error or synthetic.root_mean_squared_error is None:
        return None
    return synthetic.root_mean_squared_error / real.root_mean_squared_error


def _by_class(outcome: Experiment) -> list[ClassScores]:
    counts = np.bincount(outcome.test.classes)
    shown = np.flatnonzero((counts >= N_ROWS_SHOWN_MIN) & (counts < len(outcome.test.truth)))
    return [_class_scores(outcome, int(k), int(counts[k])) for k in shown]


def _class_scores(outcome: Experiment, k: int, n_test: int) -> ClassScores:
    is_k = outcome.test.classes == k
    synthetic = _auc_precision_recall(outcome.judged, is_k, k)
    real = (None, None, None) if outcome.real is None else _auc_precision_recall(outcome.real, is_k, k)
    return ClassScores(
        label=outcome.target.labels[k],
        n_test=n_test,
        auc_synthetic=synthetic[0],
        auc_real=real[0],
        precision_synthetic=synthetic[1],
        precision_real=real[1],
        recall_synthetic=synthetic[2],
        recall_real=real[2],
    )


def _auc_precision_recall(
    model: Predictions, is_k: NDArray[np.bool_], k: int
) -> tuple[float, float | None, float]:
    is_predicted = model.classes == k
    n_correct = float(np.sum(is_predicted & is_k))
    precision = n_correct / float(is_predicted.sum()) if is_predicted.any() else None
    return area(model.values[:, k], is_k).value, precision, n_correct / float(is_k.sum())


def _roc(outcome: Experiment) -> RocCurve | None:
    rarest = rarest_class(outcome.test.classes, N_ROWS_OF_CURVE_MIN)
    if rarest is None or np.sum(outcome.test.classes != rarest) < N_ROWS_OF_CURVE_MIN:
        return None
    is_positive = outcome.test.classes == rarest
    rates = np.linspace(0.0, 1.0, N_POINTS)
    curves = [
        None if model is None else roc_at(model.values[:, rarest], is_positive, rates)
        for model in (outcome.judged, outcome.real)
    ]
    assert curves[0] is not None
    return RocCurve(
        label=outcome.target.labels[rarest],
        false_positive_rate=[round(float(rate), 4) for rate in rates],
        synthetic=curves[0],
        real=curves[1],
    )


def roc_at(
    scores: NDArray[np.float64], is_positive: NDArray[np.bool_], rates: NDArray[np.float64]
) -> list[float]:
    """Return the true positive rates at the given false positive rates by linear interpolation."""
    order = np.argsort(-scores, kind="stable")
    is_last = np.append(np.diff(scores[order]) != 0, True)
    true = np.append(0, np.cumsum(is_positive[order])[is_last]) / is_positive.sum()
    false = np.append(0, np.cumsum(~is_positive[order])[is_last]) / (~is_positive).sum()
    return [round(float(rate), 4) for rate in np.interp(rates, false, true)]


TRAIN_SYNTHETIC_TEST_REAL = Metric(
    name="train_synthetic_test_real",
    title="Train on synthetic, test on real (TSTR)",
    summary="Predictive performance on real rows of a model trained only on synthetic rows. Compare it "
    "with the performance of the same model trained on real rows.",
    concern="a model trained on these rows predicts real rows less well",
    source="Esteban, Hyland and Rätsch 2017; compare SDMetrics: ML Efficacy",
    topic="usefulness",
    direction="higher",
    range=(-1.0, 1.0),
    best=1.0,
    result=TrainSyntheticTestRealResult,
    score=score,
    needs=frozenset({Need.target}),
    real_baseline=RealBaseline.training,
)
