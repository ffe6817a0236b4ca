"""Receiver operating characteristics: the share that is found at each rate of false alarms."""

from __future__ import annotations

from collections.abc import Mapping

from understudy.evaluation.page import formatting
from understudy.evaluation.page.charts.curves import Axes, Curve, Figures, Points, draw_curves, legend

NAMES = {
    "synthetic": "synthetic rows",
    "real": "fresh real rows",
    "independent": "independent columns",
    "leak": "noisy copy",
}
# From this rate of false alarms on, the logarithmic drawing shows the curve.
LOW = 1e-3
SURE = 0.01


def found_at(points: Points, rate: float) -> float:
    """Return the share that is found at a rate of false alarms, by the line through the points."""
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
    """Return the curves, and optionally a second drawing that enlarges the rare false alarms.

    Parameters
    ----------
    by_role : mapping of role to points (false alarms, found)
        `synthetic` is among them.
    axes : (str, str)
        The titles of false alarms and of found.
    """
    shown = [Curve(role, points) for role, points in by_role.items() if points]
    label = f"{axes[1]} against {axes[0].lower()}. At 1 in 100 false alarms: " + ", ".join(
        f"{names[curve.role]} {formatting.percent(found_at(curve.points, SURE))}" for curve in shown
    )
    drawings = [draw_curves(shown, Axes(*axes), label)]
    if has_log:
        drawings.append(draw_curves(shown, Axes(f"{axes[0]}, rare ones large", axes[1], low=LOW), label))
    return Figures(legend(shown, names), drawings)
