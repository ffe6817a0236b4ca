"""Line charts with two axes: ROC, precision-recall, calibration and support curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
N_POINTS_OF_DIAGONAL = 24

Points = Sequence[tuple[float, float]]
Position = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """The data of a curve.

    Parameters
    ----------
    role : str
        The role of the table that the curve describes. Each role has its own color and dash pattern.
    points : sequence of (x, y)
        The points in ascending order of x. Both coordinates range from 0 to 1.
    has_dots : bool
        Whether each point is a separate estimate, which is drawn as a dot.
    """

    role: str
    points: Points
    has_dots: bool = False


@dataclass(frozen=True)
class Line:
    """A curve as an SVG path, with dots if its points are separate estimates."""

    role: str
    path: str
    dots: Sequence[Position]


@dataclass(frozen=True)
class Drawing:
    """A chart of curves. Both axes range from 0 to 1. All numbers are SVG positions.

    Parameters
    ----------
    label : str
        The text alternative of the chart.
    x_ticks, y_ticks : sequence of (position, text)
        The tick labels.
    grid : str
        The SVG path of the grid lines.
    diagonal : str
        The SVG path of the diagonal; empty if there is none.
    """

    width: ClassVar[int] = 320
    height: ClassVar[int] = 268
    left: ClassVar[int] = 52
    right: ClassVar[int] = 308
    top: ClassVar[int] = 10
    bottom: ClassVar[int] = 228

    label: str
    x_title: str
    y_title: str
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    grid: str
    diagonal: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Figures:
    """Charts of the same curves with a common legend.

    Parameters
    ----------
    legend : sequence of (role, name)
        The entries of the legend.
    """

    legend: Sequence[tuple[str, str]]
    drawings: Sequence[Drawing]


@dataclass(frozen=True)
class Axes:
    """The titles and scales of the two axes of a chart.

    Parameters
    ----------
    low : float or None
        The lower end of a logarithmic x axis; None for a linear axis.
    has_diagonal : bool
        Whether to draw the line y = x, which represents chance or a perfect result.
    """

    x: str
    y: str
    low: float | None = None
    has_diagonal: bool = True

    def at(self, x: float, y: float) -> Position:
        """Return the SVG position of a point."""
        if self.low is not None:
            x = 1 - math.log(max(x, self.low)) / math.log(self.low)
        left = Drawing.left + min(max(x, 0.0), 1.0) * (Drawing.right - Drawing.left)
        top = Drawing.top + (1 - min(max(y, 0.0), 1.0)) * (Drawing.bottom - Drawing.top)
        return round(left, 1), round(top, 1)


def legend(curves: Sequence[Curve], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the legend entries of curves."""
    return [(curve.role, names[curve.role]) for curve in curves]


def draw_curves(curves: Sequence[Curve], axes: Axes, label: str) -> Drawing:
    """Return the chart of curves."""
    x_ticks = [
        (axes.at(tick, 0)[0], f"{tick:g}") for tick in (TICKS if axes.low is None else _decades(axes.low))
    ]
    y_ticks = [(axes.at(0, tick)[1], f"{tick:g}") for tick in TICKS]
    return Drawing(
        label=label,
        x_title=axes.x,
        y_title=axes.y,
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        grid="".join(f"M{Drawing.left} {y}H{Drawing.right}" for y, _ in y_ticks)
        + "".join(f"M{x} {Drawing.top}V{Drawing.bottom}" for x, _ in x_ticks),
        diagonal=_diagonal(axes) if axes.has_diagonal else "",
        lines=[_line(curve, axes) for curve in curves if curve.points],
    )


def _line(curve: Curve, axes: Axes) -> Line:
    positions = [axes.at(x, y) for x, y in curve.points]
    return Line(curve.role, _path(positions), positions if curve.has_dots else ())


def _diagonal(axes: Axes) -> str:
    if axes.low is None:
        return _path([axes.at(0, 0), axes.at(1, 1)])
    steps = [axes.low ** (1 - i / N_POINTS_OF_DIAGONAL) for i in range(N_POINTS_OF_DIAGONAL + 1)]
    return _path([axes.at(x, x) for x in steps])


def _path(positions: Sequence[Position]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in positions)


def _decades(low: float) -> list[float]:
    n = round(-math.log10(low))
    return [10.0**-i for i in range(n, -1, -1)]
