"""Data augmentation: the effect of adding synthetic rows to real training rows."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.models.prediction import (
    Experiment,
    Labelled,
    Predictions,
    Target,
    experiment,
    measure,
    rows_judged,
    rows_of_real,
    train_and_predict,
)


class AugmentationResult(MetricResult):
    """Gain in AUC or R2 when the evaluated rows are added to the real training rows of a model."""

    metric: Literal["augmentation"] = "augmentation"
    target: str
    measure: Literal["AUC", "R2"]
    real: Annotated[float, Field(description="AUC or R2 of the model trained on real rows only.")]
    augmented: Annotated[
        float, Field(description="AUC or R2 of the model trained on real and evaluated rows.")
    ]


def score(comparison: Comparison) -> AugmentationResult | UnscoredResult:
    """Return the increase in AUC or R2 on real test rows when the evaluated rows are added."""
    outcome = experiment(comparison)
    if isinstance(outcome, str):
        return UnscoredResult(reason=outcome)
    if outcome.real is None:
        return UnscoredResult(reason="needs more real rows to train on")
    both = _augmented(comparison, outcome.target, outcome.test)
    return _result(outcome, outcome.real, both)


def _result(outcome: Experiment, real: Predictions, both: Predictions) -> AugmentationResult:
    alone, augmented = (measure(outcome.target, outcome.test, model) for model in (real, both))
    gain = augmented - alone
    return AugmentationResult(
        score=min(max(gain.value, -1.0), 1.0),
        interval=gain.interval(-1.0, 1.0),
        target=outcome.target.name,
        measure="R2" if outcome.target.classes is None else "AUC",
        real=alone.value,
        augmented=augmented.value,
        n_rows={"train": both.n_rows_train, "train_real": real.n_rows_train, "test": len(outcome.test.truth)},
    )


def _augmented(comparison: Comparison, target: Target, test: Labelled) -> Predictions:
    real, judged = rows_of_real(comparison), rows_judged(comparison)
    both = Labelled(
        real.table,
        np.concatenate([real.features, judged.features]),
        np.concatenate([real.truth, judged.truth]),
    )
    return train_and_predict(target, both, test, seed=comparison.seed)


AUGMENTATION = Metric(
    name="augmentation",
    title="Data augmentation",
    summary="Improvement of a model's predictions of real rows when synthetic rows are added to its real "
    "training rows. 0 means no effect, and a negative score means harm. Added synthetic rows usually bring "
    "little or no improvement.",
    concern="adding these rows to real training rows makes a model worse",
    source="Compare SDMetrics: BinaryClassifierPrecisionEfficacy, which uses the precision at a fixed recall",
    topic="usefulness",
    direction="higher",
    range=(-1.0, 1.0),
    best=1.0,
    result=AugmentationResult,
    score=score,
    needs=frozenset({Need.target}),
    real_baseline=RealBaseline.training,
)
