"""Whether synthetic rows lie where real ones do, and everywhere where real ones do."""

from __future__ import annotations

from understudy.evaluation.metrics.fidelity import (
    AlphaPrecisionResult,
    BetaRecallResult,
    CoverageResult,
    DensityResult,
)
from understudy.evaluation.page import elements, formatting, receiver
from understudy.evaluation.page.charts import curves
from understudy.evaluation.page.charts.curves import Axes, Curve
from understudy.evaluation.page.elements import Chapter
from understudy.evaluation.report import Report
from understudy.evaluation.scores import MetricScores

METRICS = ("alpha_precision", "beta_recall", "density", "coverage")
TITLE = "Where the rows lie"
LEAD = (
    "Rows are points, and like rows lie near each other. Precision and density ask whether synthetic rows "
    "lie where real ones do; recall and coverage, whether they lie everywhere where real ones do. A curve on "
    "the dashed diagonal is what real rows show."
)


def draw(report: Report) -> str:
    """Return the two curves, and the two scores of surroundings."""
    cards = []
    for kind, x, y in (
        (AlphaPrecisionResult, "Share of real rows, innermost first", "Synthetic rows as far in"),
        (BetaRecallResult, "Share of synthetic rows, innermost first", "Real rows that they reach"),
    ):
        found = elements.found(report, kind)
        if found is not None:
            cards.append(elements.measured(found[0], _curve(found[0], Axes(x, y))))
    for other in (DensityResult, CoverageResult):
        scored = elements.found(report, other)
        if scored is not None:
            cards.append(elements.measured(scored[0]))
    body = f"{elements.reasons(report, METRICS)}{elements.halves(cards)}"
    return elements.section("support", TITLE, LEAD, body)


def _curve(scores: MetricScores, axes: Axes) -> str:
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
    label = f"{axes.y} against {axes.x.lower()}: {_finding(shown[-1])}"
    legend = receiver.legend([curve.role for curve in shown])
    return f'{legend}<div class="curves"><figure>{curves.draw(shown, axes, label)}</figure></div>'


def _finding(curve: Curve) -> str:
    x, y = max(curve.points, key=lambda point: abs(point[0] - point[1]), default=(0.0, 0.0))
    return (
        f"the synthetic rows are farthest from the diagonal at {formatting.percent(x)}, where they reach "
        f"{formatting.percent(y)}"
    )


CHAPTER = Chapter("support", "Support", draw)
