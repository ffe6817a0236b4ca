"""Whether the synthetic rows can do the real ones' work."""

from __future__ import annotations

from understudy.evaluation.metrics.usefulness import TrainSyntheticTestReal
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.elements import Chapter
from understudy.evaluation.report import Report

TITLE = "Usefulness"


def draw(report: Report) -> str:
    """Return how well models trained on synthetic rows predict real ones."""
    tested = (
        "real rows that nobody has learnt from"
        if "holdout" in report.tables
        else "real rows; without a holdout, these are rows that the synthesizer may have learnt from"
    )
    lead = (
        "Whether the synthetic rows can do the real ones' work: a model is trained on them alone, and asked "
        f"to predict {tested}."
    )
    found = elements.found(report, TrainSyntheticTestReal)
    if found is None:
        return elements.section(
            "usefulness", TITLE, lead, elements.reasons(report, ["train_synthetic_test_real"])
        )
    scores, result = found
    measure = "area under the ROC curve" if result.measure == "AUC" else "R²: the share of variance explained"
    if result.classes is not None and result.classes > 2:
        measure += f", mean over {result.classes} classes"
    text = (
        f"Predicting {elements.name(result.target)}: {measure}; {result.model}, trained on "
        f"{formatting.count(result.n_rows['train'])} synthetic rows, tested on "
        f"{formatting.count(result.n_rows['test'])} real rows. “Fresh real rows” stands for the same model, "
        "trained on real rows."
    )
    body = elements.halves([elements.measured(scores, text=text)])
    return elements.section("usefulness", TITLE, lead, body)


CHAPTER = Chapter("usefulness", "Usefulness", draw)
