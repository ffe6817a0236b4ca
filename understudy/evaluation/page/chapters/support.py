"""The view model of precision, recall, density and coverage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.metrics.fidelity import (
    AlphaPrecisionResult,
    BetaRecallResult,
    CoverageResult,
    DensityResult,
)
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.charts.curves import Axes, Curve, Figures, draw_curves, legend
from understudy.evaluation.page.elements import Chapter, Measured, Reason
from understudy.evaluation.page.receiver import NAMES
from understudy.evaluation.scores import MetricScores

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

METRICS = ("alpha_precision", "beta_recall", "density", "coverage")


@dataclass(frozen=True)
class SupportView:
    """The cards of precision and recall with their curves, and the cards of density and coverage."""

    reasons: Sequence[Reason]
    cards: Sequence[tuple[Measured, Figures | None]]


def view(report: Report) -> SupportView:
    """Return the cards of the support metrics that were scored."""
    cards: list[tuple[Measured, Figures | None]] = []
    for kind, x, y in (
        (AlphaPrecisionResult, "Share of real rows, from the center", "Synthetic rows within that region"),
        (BetaRecallResult, "Share of synthetic rows, from the center", "Real rows near them"),
    ):
        scored = elements.scored_result(report, kind)
        if scored is not None:
            cards.append((elements.measured(scored[0]), _figures(scored[0], Axes(x, y))))
    for other in (DensityResult, CoverageResult):
        scored = elements.scored_result(report, other)
        if scored is not None:
            cards.append((elements.measured(scored[0]), None))
    return SupportView(elements.reasons(report, METRICS), cards)


def _figures(scores: MetricScores, axes: Axes) -> Figures:
    shown = [
        Curve(role, result.curve)
        for role, result in (
            ("independent", scores.independent),
            ("leak", scores.leak),
            ("real", scores.real),
            ("synthetic", scores.synthetic),
        )
        if isinstance(result, AlphaPrecisionResult | BetaRecallResult)
    ]
    label = f"{axes.y} by {axes.x.lower()}: {_finding(shown[-1])}"
    return Figures(legend(shown, NAMES), [draw_curves(shown, axes, label)])


def _finding(curve: Curve) -> str:
    x, y = max(curve.points, key=lambda point: abs(point[0] - point[1]), default=(0.0, 0.0))
    return (
        f"the curve of the synthetic rows is farthest from the diagonal at {formatting.percent(x)}, where "
        f"its value is {formatting.percent(y)}"
    )


CHAPTER = Chapter("support", "Precision and recall", view)
