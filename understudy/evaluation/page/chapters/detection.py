"""Whether a classifier tells the tables apart, by which columns, and which rows gave themselves away."""

from __future__ import annotations

from understudy.evaluation.metrics.fidelity import TwoSampleLinearResult, TwoSampleResult
from understudy.evaluation.metrics.fidelity.telling_apart import TellingApart
from understudy.evaluation.page import elements, formatting, receiver
from understudy.evaluation.page.charts.bars import bars
from understudy.evaluation.page.elements import Chapter
from understudy.evaluation.report import Report
from understudy.evaluation.scores import MetricScores

METRICS = ("two_sample", "two_sample_linear")
N_GIVEAWAYS_LISTED = 8
TITLE = "Can they be told apart?"
LEAD = (
    "The hardest question: a strong classifier learns to tell synthetic rows from real ones, then is "
    "asked about rows that it has not seen. It uses all columns together, so it finds what no single "
    "picture shows."
)
AXES = ("Real rows called synthetic", "Synthetic rows recognised")


def draw(report: Report) -> str:
    """Return how well each classifier tells the tables apart, and by what."""
    parts = []
    kinds: tuple[type[TellingApart], ...] = (TwoSampleResult, TwoSampleLinearResult)
    for kind in kinds:
        found = elements.found(report, kind)
        if found is not None:
            scores, result = found
            parts.append(elements.halves([_measured(scores, result), _evidence(result)]))
    body = f"{elements.reasons(report, METRICS)}{''.join(parts)}"
    return elements.section("detection", TITLE, LEAD, body)


def _measured(scores: MetricScores, result: TellingApart) -> str:
    text = (
        f"Area under the ROC curve ({formatting.escape(result.classifier)}). Shown one real and one "
        "synthetic row, it picks the synthetic one "
        f"<strong>{100 * result.score:.3g} times in 100</strong>. Guessing is right 50 times."
    )
    by_role = {
        role: other.curve
        for role, other in (
            ("independent", scores.independent),
            ("leak", scores.leak),
            ("real", scores.real),
            ("synthetic", result),
        )
        if isinstance(other, TellingApart)
    }
    return elements.measured(scores, receiver.figures(by_role, AXES), text=text)


def _evidence(result: TellingApart) -> str:
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
    return elements.card(said + _rows(result), title="What gave the synthetic rows away")


def _rows(result: TellingApart) -> str:
    if not result.rows:
        return ""
    items = "".join(
        f'<li>row {formatting.count(one.row)} <span class="muted">{formatting.decimal(one.score)}</span></li>'
        for one in result.rows
    )
    return (
        '<h4 class="gap">The rows that it was surest of</h4><p class="small muted">Their positions in the '
        "synthetic table, counted from 0, and how sure it was (1: certain). No values are shown.</p>"
        f'<ul class="chips small number">{items}</ul>'
    )


CHAPTER = Chapter("detection", "Detection", draw)
