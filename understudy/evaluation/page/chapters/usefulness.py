"""The view model of the usefulness chapter: models trained on synthetic rows or on real rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.metrics.usefulness import (
    AugmentationResult,
    RareClassResult,
    TrainSyntheticTestRealResult,
)
from understudy.evaluation.metrics.usefulness.rare_class import RareClassScores
from understudy.evaluation.metrics.usefulness.train_synthetic_test_real import PredictorScores
from understudy.evaluation.page import elements, formatting, receiver
from understudy.evaluation.page.charts.curves import Axes, Curve, Figures, draw_curves, legend
from understudy.evaluation.page.elements import Chapter, Head, Measured, Reason, Table, numbers

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

METRICS = ("train_synthetic_test_real", "rare_class", "augmentation")
MODELS = {"synthetic": "trained on synthetic rows", "real": "trained on real rows"}
HEADS = (Head("Model trained on"), *numbers("Synthetic", "Real"))
CLASS_HEADS = (
    Head("Class"),
    *numbers("Test rows"),
    *numbers(
        *(
            f"{measure}, {kind}"
            for measure in ("AUC", "Precision", "Recall")
            for kind in ("synthetic", "real")
        )
    ),
)
# The rows of the table, in this order. Scores that do not apply to the task are omitted.
MEASURES = {
    "score": "",
    "accuracy": "Accuracy",
    "log_loss": "Log loss (lower is better)",
    "brier": "Brier score (lower is better)",
    "average_precision": "Average precision of the rarest class",
    "mean_absolute_error": "Mean absolute error",
    "root_mean_squared_error": "Root mean squared error",
}
RARE_MEASURES = {
    "average_precision": "Average precision",
    "lift": "Lift over random guessing",
    "calibration_error": "Calibration error (lower is better)",
}


@dataclass(frozen=True)
class PredictionCards:
    """The scores of the models trained on synthetic rows and on real rows, in total and by class.

    Parameters
    ----------
    measure : str
        The description of the score.
    loss : (str, str, str) or None
        The difference between the scores: its size, `better` or `worse`, and its interval.
    roc : (class, Figures) or None
        The ROC curves for one class.
    """

    card: Measured
    target: str
    measure: str
    model: str
    n_train: int
    n_test: int
    loss: tuple[str, str, str] | None
    models: Table
    roc: tuple[str, Figures] | None
    classes: Table


@dataclass(frozen=True)
class RareCards:
    """The scores of the rarest class: precision, recall and calibration."""

    card: Measured
    label: str
    n_positive: int
    share: str
    models: Table
    recall: Figures
    reliability: Figures | None


@dataclass(frozen=True)
class AugmentationCard:
    """The effect of adding synthetic rows to real training rows."""

    card: Measured
    measure: str
    real: str
    augmented: str


@dataclass(frozen=True)
class UsefulnessView:
    """The content of the chapter on usefulness."""

    has_holdout: bool
    reasons: Sequence[Reason]
    prediction: PredictionCards | None
    augmentation: AugmentationCard | None
    rare: RareCards | None


def view(report: Report) -> UsefulnessView:
    """Return the cards of the usefulness metrics that were scored."""
    return UsefulnessView(
        has_holdout="holdout" in report.tables,
        reasons=elements.reasons(report, METRICS),
        prediction=_prediction(report),
        augmentation=_augmentation(report),
        rare=_rare(report),
    )


def _prediction(report: Report) -> PredictionCards | None:
    scored = elements.scored_result(report, TrainSyntheticTestRealResult)
    if scored is None:
        return None
    scores, result = scored
    measure = "area under the ROC curve" if result.measure == "AUC" else "R², the share of variance explained"
    if result.classes is not None and result.classes > 2:
        measure += f", mean over {result.classes} classes"
    return PredictionCards(
        card=elements.measured(scores),
        target=result.target,
        measure=measure,
        model=result.model,
        n_train=result.n_rows["train"],
        n_test=result.n_rows["test"],
        loss=_loss(result),
        models=_models(result),
        roc=_roc(result),
        classes=_classes(result),
    )


def _loss(result: TrainSyntheticTestRealResult) -> tuple[str, str, str] | None:
    if result.loss is None or result.loss_interval is None:
        return None
    side = "worse" if result.loss > 0 else "better"
    return formatting.decimal(abs(result.loss)), side, formatting.span(result.loss_interval)


def _models(result: TrainSyntheticTestRealResult) -> Table:
    rows = [
        [title or result.measure, _measure(result.synthetic, field), _measure(result.real, field)]
        for field, title in MEASURES.items()
        if getattr(result.synthetic, field) is not None
    ]
    return Table(HEADS, rows)


def _measure(model: PredictorScores | None, field: str) -> str:
    value = None if model is None else getattr(model, field)
    if value is None:
        return formatting.NONE
    return formatting.number(value) if field.endswith("_error") else formatting.decimal(value)


def _roc(result: TrainSyntheticTestRealResult) -> tuple[str, Figures] | None:
    roc = result.roc
    if roc is None:
        return None
    by_role = {
        role: list(zip(roc.false_positive_rate, rates, strict=True))
        for role, rates in (("real", roc.real), ("synthetic", roc.synthetic))
        if rates is not None
    }
    axes = ("False positive rate", "True positive rate")
    return roc.label, receiver.figures(by_role, axes, names=MODELS)


def _classes(result: TrainSyntheticTestRealResult) -> Table:
    rows = [
        [
            scores.label,
            formatting.count(scores.n_test),
            formatting.decimal(scores.auc_synthetic),
            formatting.decimal(scores.auc_real),
            formatting.decimal(scores.precision_synthetic),
            formatting.decimal(scores.precision_real),
            formatting.decimal(scores.recall_synthetic),
            formatting.decimal(scores.recall_real),
        ]
        for scores in result.by_class
    ]
    return Table(CLASS_HEADS, rows)


def _rare(report: Report) -> RareCards | None:
    scored = elements.scored_result(report, RareClassResult)
    if scored is None:
        return None
    scores, result = scored
    rows = [[title, *_of_both(result, field)] for field, title in RARE_MEASURES.items()]
    finders = {"real": result.real, "synthetic": result.synthetic}
    shown = {role: finder for role, finder in finders.items() if finder is not None}
    return RareCards(
        card=elements.measured(scores),
        label=result.label,
        n_positive=result.n_positive,
        share=formatting.percent(result.share),
        models=Table(HEADS, rows),
        recall=_recall(shown),
        reliability=_reliability(shown),
    )


def _of_both(result: RareClassResult, field: str) -> list[str]:
    return [
        formatting.NONE if finder is None else formatting.decimal(getattr(finder, field))
        for finder in (result.synthetic, result.real)
    ]


def _recall(finders: Mapping[str, RareClassScores]) -> Figures:
    shown = [
        Curve(role, list(zip(finder.recall, finder.precision, strict=True)))
        for role, finder in finders.items()
    ]
    label = "Precision by recall. " + ", ".join(
        f"{MODELS[role]}: average precision {formatting.decimal(finder.average_precision)}"
        for role, finder in finders.items()
    )
    axes = Axes("Recall", "Precision", has_diagonal=False)
    return Figures(legend(shown, MODELS), [draw_curves(shown, axes, label)])


def _reliability(finders: Mapping[str, RareClassScores]) -> Figures | None:
    if not any(finder.reliability for finder in finders.values()):
        return None
    shown = [
        Curve(role, [(one.predicted, one.observed) for one in finder.reliability], has_dots=True)
        for role, finder in finders.items()
    ]
    label = "Calibration: observed share by predicted probability. " + ", ".join(
        f"{MODELS[role]}: calibration error {formatting.decimal(finder.calibration_error)}"
        for role, finder in finders.items()
    )
    axes = Axes("Predicted probability", "Observed share")
    return Figures(legend(shown, MODELS), [draw_curves(shown, axes, label)])


def _augmentation(report: Report) -> AugmentationCard | None:
    scored = elements.scored_result(report, AugmentationResult)
    if scored is None:
        return None
    scores, result = scored
    return AugmentationCard(
        card=elements.measured(scores),
        measure=result.measure,
        real=formatting.decimal(result.real),
        augmented=formatting.decimal(result.augmented),
    )


CHAPTER = Chapter("usefulness", "Usefulness", view)
