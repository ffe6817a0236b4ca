"""Curves on two axes: receiver operating characteristics, precision and recall, calibration, support."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from understudy.evaluation.page.formatting import escape

WIDTH, HEIGHT = 320, 268
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 40
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
N_POINTS_OF_DIAGONAL = 24

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Curve:
    """Points that belong together.

    Parameters
    ----------
    role : str
        What they were computed from; each role has a colour and a pattern of dashes of its own.
    points : sequence of (x, y)
        In the order of x; numbers from 0 to 1.
    has_dots : bool
        Whether each point is an estimate by itself.
    """

    role: str
    points: Points
    has_dots: bool = False


@dataclass(frozen=True)
class Axes:
    """What a drawing's two axes are.

    Parameters
    ----------
    x, y : str
        Titles; plain text.
    low : float or None
        Where a logarithmic x axis begins; None for a linear one.
    has_diagonal : bool
        Whether y = x is drawn: chance, or perfection.
    """

    x: str
    y: str
    low: float | None = None
    has_diagonal: bool = True

    def at(self, x: float, y: float) -> str:
        """Return a point of the drawing."""
        if self.low is not None:
            x = 1 - math.log(max(x, self.low)) / math.log(self.low)
        left = LEFT + min(max(x, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)
        top = TOP + (1 - min(max(y, 0.0), 1.0)) * (HEIGHT - TOP - BOTTOM)
        return f"{left:.1f} {top:.1f}"


def draw(curves: Sequence[Curve], axes: Axes, label: str) -> str:
    """Return curves in a square of which both sides are from 0 to 1.

    The label, which says what is found, has to be safe already.
    """
    lines = "".join(_line(curve, axes) for curve in curves)
    diagonal = _diagonal(axes) if axes.has_diagonal else ""
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f"{_grid(axes)}{diagonal}{lines}</svg>"
    )


def _line(curve: Curve, axes: Axes) -> str:
    points = [axes.at(x, y) for x, y in curve.points]
    if not points:
        return ""
    dots = (
        "".join(
            f'<circle class="f-{curve.role}" cx="{point.split()[0]}" cy="{point.split()[1]}" r="3.2"/>'
            for point in points
        )
        if curve.has_dots
        else ""
    )
    return f'<path class="curve s-{curve.role}" d="M{"L".join(points)}"/>{dots}'


def _diagonal(axes: Axes) -> str:
    if axes.low is None:
        points = [axes.at(0, 0), axes.at(1, 1)]
    else:
        steps = [axes.low ** (1 - i / N_POINTS_OF_DIAGONAL) for i in range(N_POINTS_OF_DIAGONAL + 1)]
        points = [axes.at(x, x) for x in steps]
    return f'<path class="diagonal" d="M{"L".join(points)}"/>'


def _grid(axes: Axes) -> str:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    drawn = []
    for tick in TICKS:
        y = axes.at(0, tick).split()[1]
        drawn.append(
            f'<path class="s-line" d="M{LEFT} {y}H{right}"/>'
            f'<text x="{LEFT - 6}" y="{float(y) + 3.6:.1f}" font-size="10" text-anchor="end">{tick:g}</text>'
        )
    for tick in TICKS if axes.low is None else _decades(axes.low):
        x = axes.at(tick, 0).split()[0]
        drawn.append(
            f'<path class="s-line" d="M{x} {TOP}V{bottom}"/>'
            f'<text x="{x}" y="{bottom + 14}" font-size="10" text-anchor="middle">{tick:g}</text>'
        )
    middle_x, middle_y = (LEFT + right) / 2, (TOP + bottom) / 2
    return "".join(drawn) + (
        f'<text x="{middle_x:.0f}" y="{HEIGHT - 6}" font-size="11" '
        f'text-anchor="middle">{escape(axes.x)}</text>'
        f'<text transform="translate(11 {middle_y:.0f}) rotate(-90)" font-size="11" '
        f'text-anchor="middle">{escape(axes.y)}</text>'
    )


def _decades(low: float) -> list[float]:
    n = round(-math.log10(low))
    return [10.0**-i for i in range(n, -1, -1)]
