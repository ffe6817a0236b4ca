"""Whether the synthetic rows can do the real ones' work."""

from __future__ import annotations

from understudy.evaluation.metrics.usefulness import (
    AugmentationResult,
    RareClassResult,
    TrainSyntheticTestRealResult,
)
from understudy.evaluation.metrics.usefulness.rare_class import RareClassScores
from understudy.evaluation.metrics.usefulness.train_synthetic_test_real import PredictorScores
from understudy.evaluation.page import elements, formatting, receiver
from understudy.evaluation.page.charts import curves
from understudy.evaluation.page.charts.curves import Axes, Curve
from understudy.evaluation.page.elements import Chapter, Head
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report

METRICS = ("train_synthetic_test_real", "rare_class", "augmentation")
TITLE = "Usefulness"
MODELS = {"synthetic": "trained on synthetic rows", "real": "trained on real rows"}
BOTH = (Head("Synthetic", is_number=True), Head("Real", is_number=True))
# In this order; what a task does not have is not listed.
MEASURES = {
    "score": "",
    "accuracy": "Accuracy",
    "log_loss": "Log loss, lower is better",
    "brier": "Brier score, lower is better",
    "average_precision": "Average precision, rarest class",
    "mean_absolute_error": "Mean absolute error",
    "root_mean_squared_error": "Root mean squared error",
}


def draw(report: Report) -> str:
    """Return how well models trained on synthetic rows predict real ones."""
    tested = (
        "real rows that nobody has learnt from"
        if "holdout" in report.tables
        else "real rows; without a holdout, these are rows that the synthesizer may have learnt from"
    )
    lead = (
        "Whether the synthetic rows can do the real ones' work: a model is trained on them alone, and asked "
        f"to predict {tested}. The same model trained on real rows stands beside it."
    )
    body = f"{elements.reasons(report, METRICS)}{_prediction(report)}{_rare(report)}"
    return elements.section("usefulness", TITLE, lead, body)


def _prediction(report: Report) -> str:
    found = elements.found(report, TrainSyntheticTestRealResult)
    if found is None:
        return ""
    scores, result = found
    measure = "area under the ROC curve" if result.measure == "AUC" else "R²: the share of variance explained"
    if result.classes is not None and result.classes > 2:
        measure += f", mean over {result.classes} classes"
    text = (
        f"Predicting {elements.name(result.target)}: {measure}; {result.model}, trained on "
        f"{formatting.count(result.n_rows['train'])} synthetic rows, tested on "
        f"{formatting.count(result.n_rows['test'])} real rows.{_loss(result)}"
    )
    cards = [elements.measured(scores, _models(result), text=text), _roc(result)]
    return elements.halves(cards) + elements.beside(_augmentation(report), [_classes(result)])


def _loss(result: TrainSyntheticTestRealResult) -> str:
    if result.loss is None or result.loss_interval is None:
        return ""
    side = "worse" if result.loss > 0 else "better"
    return (
        f" It is <strong>{formatting.decimal(abs(result.loss))} {side}</strong> than the model of real rows "
        f"(95 % interval of real minus synthetic: {formatting.span(result.loss_interval)})."
    )


def _models(result: TrainSyntheticTestRealResult) -> str:
    rows = []
    for field, title in MEASURES.items():
        value = getattr(result.synthetic, field)
        if value is None:
            continue
        rows.append(
            [title or result.measure, _measure(result.synthetic, field), _measure(result.real, field)]
        )
    heads = [Head("Model trained on"), *BOTH]
    return elements.table("Both models on the same real rows", heads, rows)


def _measure(model: PredictorScores | None, field: str) -> str:
    value = None if model is None else getattr(model, field)
    if value is None:
        return formatting.NONE
    return formatting.number(value) if field.endswith("_error") else formatting.decimal(value)


def _roc(result: TrainSyntheticTestRealResult) -> str:
    roc = result.roc
    if roc is None:
        return ""
    by_role = {
        role: list(zip(roc.false_positive_rate, rates, strict=True))
        for role, rates in (("real", roc.real), ("synthetic", roc.synthetic))
        if rates is not None
    }
    axes = ("Others taken for the class", "Rows of the class found")
    title = f'Finding <span class="name">{escape(roc.label)}</span>'
    return elements.card(receiver.figures(by_role, axes, names=MODELS), title=title)


def _classes(result: TrainSyntheticTestRealResult) -> str:
    if not result.by_class:
        return ""
    heads = [
        Head("Class"),
        Head("Test rows", is_number=True),
        *(
            Head(f"{measure}, {kind}", is_number=True)
            for measure in ("AUC", "Precision", "Recall")
            for kind in ("synthetic", "real")
        ),
    ]
    rows = [
        [
            escape(one.label),
            formatting.count(one.n_test),
            *(
                formatting.decimal(value)
                for value in (
                    one.auc_synthetic,
                    one.auc_real,
                    one.precision_synthetic,
                    one.precision_real,
                    one.recall_synthetic,
                    one.recall_real,
                )
            ),
        ]
        for one in result.by_class
    ]
    return elements.card(
        elements.long_table("Class by class, by the rows trained on", heads, rows, "classes")
    )


def _rare(report: Report) -> str:
    found = elements.found(report, RareClassResult)
    if found is None:
        return ""
    scores, result = found
    text = (
        f'{escape(scores.summary)} Here: <span class="name">{escape(result.label)}</span>, '
        f"{formatting.count(result.n_positive)} of the test rows, {formatting.percent(result.share)}."
    )
    rows = [["Average precision", *_of_both(result, "average_precision")]]
    rows.append(["Times better than guessing", *_of_both(result, "lift")])
    rows.append(["Calibration error, lower is better", *_of_both(result, "calibration_error")])
    table = elements.table("Both models on the same real rows", [Head("Model trained on"), *BOTH], rows)
    finders = {"real": result.real, "synthetic": result.synthetic}
    shown = {role: finder for role, finder in finders.items() if finder is not None}
    drawings = elements.card(_recall(shown, result.share), title="Precision and recall")
    drawings += elements.card(_reliability(shown), title="Is 70 % really 70 %?")
    return f'<div class="thirds">{elements.measured(scores, table, text=text)}{drawings}</div>'


def _of_both(result: RareClassResult, field: str) -> list[str]:
    return [
        formatting.NONE if finder is None else formatting.decimal(getattr(finder, field))
        for finder in (result.synthetic, result.real)
    ]


def _recall(finders: dict[str, RareClassScores], share: float) -> str:
    shown = [
        Curve(role, list(zip(finder.recall, finder.precision, strict=True)))
        for role, finder in finders.items()
    ]
    label = "Precision against recall. " + ", ".join(
        f"{MODELS[role]}: average precision {formatting.decimal(finder.average_precision)}"
        for role, finder in finders.items()
    )
    drawn = curves.draw(
        shown, Axes("Rows of the class found", "Found rows that are right", has_diagonal=False), label
    )
    note = (
        f'<p class="small muted">Guessing is right {formatting.percent(share)} of the time, at any recall.'
        "</p>"
    )
    return f"{receiver.legend(list(finders), MODELS)}<figure>{drawn}</figure>{note}"


def _reliability(finders: dict[str, RareClassScores]) -> str:
    if not any(finder.reliability for finder in finders.values()):
        return '<p class="small muted">Not shown: no tenth of the probabilities has rows enough.</p>'
    shown = [
        Curve(role, [(one.predicted, one.observed) for one in finder.reliability], has_dots=True)
        for role, finder in finders.items()
    ]
    label = "Calibration: share observed against probability predicted. " + ", ".join(
        f"{MODELS[role]}: mean error {formatting.decimal(finder.calibration_error)}"
        for role, finder in finders.items()
    )
    drawn = curves.draw(shown, Axes("Probability that the model gives", "Share that is right"), label)
    note = (
        '<p class="small muted">On the diagonal, the probabilities can be believed. Points stand for at '
        "least 5 rows of the class and 5 others.</p>"
    )
    return f"{receiver.legend(list(finders), MODELS)}<figure>{drawn}</figure>{note}"


def _augmentation(report: Report) -> str:
    found = elements.found(report, AugmentationResult)
    if found is None:
        return ""
    scores, result = found
    text = (
        f"{escape(scores.summary)} Real rows alone: {result.measure} {formatting.decimal(result.real)}; with "
        f"synthetic rows added: {formatting.decimal(result.augmented)}."
    )
    return elements.measured(scores, text=text)


CHAPTER = Chapter("usefulness", "Usefulness", draw)
