"""Receiver operating characteristic (ROC) curves of classifiers and attacks."""

from __future__ import annotations

from collections.abc import Mapping

from understudy.evaluation.page import formatting
from understudy.evaluation.page.charts.curves import Axes, Curve, Figures, Points, draw_curves, legend

NAMES = {
    "synthetic": "synthetic rows",
    "real": "real rows (baseline)",
    "independent": "independent columns",
    "leak": "noisy copy",
}
# Lowest false positive rate on the logarithmic axis.
LOW = 1e-3
# False positive rate for which the text alternative contains the true positive rates.
SURE = 0.01


def found_at(points: Points, rate: float) -> float:
    """Return the true positive rate at a false positive rate, by linear interpolation."""
    before = (0.0, 0.0)
    for x, y in points:
        if x > rate:
            weight = (rate - before[0]) / (x - before[0])
            return before[1] + weight * (y - before[1])
        before = (x, y)
    return before[1]


def figures(
    by_role: Mapping[str, Points],
    axes: tuple[str, str],
    *,
    names: Mapping[str, str] = NAMES,
    has_log: bool = False,
) -> Figures:
    """Return the chart of ROC curves, optionally with a second chart on a logarithmic axis.

    Parameters
    ----------
    by_role : mapping of role to points (false positive rate, true positive rate)
        The curves by role; `synthetic` must be one of the roles.
    axes : (str, str)
        The axis titles for the false positive rate and the true positive rate.
    names : mapping of role to str
        The names of the roles in the legend.
    has_log : bool
        Whether to add a second chart with a logarithmic false positive rate.
    """
    shown = [Curve(role, points) for role, points in by_role.items() if points]
    label = f"{axes[1]} by {axes[0].lower()}. At a false positive rate of 1%: " + ", ".join(
        f"{names[curve.role]} {formatting.percent(found_at(curve.points, SURE))}" for curve in shown
    )
    drawings = [draw_curves(shown, Axes(*axes), label)]
    if has_log:
        drawings.append(draw_curves(shown, Axes(f"{axes[0]}, log scale", axes[1], low=LOW), label))
    return Figures(legend(shown, names), drawings)
