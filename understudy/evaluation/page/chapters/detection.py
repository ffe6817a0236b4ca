"""Whether a classifier tells the tables apart, and by what."""

from __future__ import annotations

from understudy.evaluation.metrics.fidelity import TwoSample
from understudy.evaluation.page import elements
from understudy.evaluation.page.charts.bars import bars
from understudy.evaluation.page.elements import Chapter
from understudy.evaluation.report import Report

N_GIVEAWAYS_LISTED = 8
TITLE = "Can they be told apart?"
LEAD = (
    "The hardest question: a strong classifier learns to tell synthetic rows from real ones, then is "
    "asked about rows that it has not seen. It uses all columns together, so it finds what no single "
    "picture shows."
)


def draw(report: Report) -> str:
    """Return how well a classifier tells the tables apart, and by which columns."""
    found = elements.found(report, TwoSample)
    if found is None:
        return elements.section("detection", TITLE, LEAD, elements.reasons(report, ["two_sample"]))
    scores, result = found
    text = (
        "Area under the ROC curve. Shown one real and one synthetic row, the classifier picks the synthetic "
        f"one <strong>{100 * result.score:.3g} times in 100</strong>. Guessing is right 50 times."
    )
    return elements.section(
        "detection", TITLE, LEAD, elements.halves([elements.measured(scores, text=text), _giveaways(result)])
    )


def _giveaways(result: TwoSample) -> str:
    shown = [giveaway for giveaway in result.giveaways[:N_GIVEAWAYS_LISTED] if giveaway.auc_lost > 0]
    said = (
        '<p class="small muted">How much the area falls when one column is shuffled, so that the classifier '
        "can no longer use it.</p>"
    )
    if shown:
        longest = shown[0].auc_lost
        rows = [
            (giveaway.column, [("synthetic", giveaway.auc_lost / longest)], f"{giveaway.auc_lost:.3f}")
            for giveaway in shown
        ]
        said += f'<div class="bars wide gap">{bars(rows)}</div>'
    else:
        said += '<p class="gap">No column stands out.</p>'
    return elements.card(said, title="What gave the synthetic rows away")


CHAPTER = Chapter("detection", "Detection", draw)
