"""Heat maps with one square for each pair of columns. Darker squares represent larger numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from understudy.evaluation.page import formatting

OPACITIES = (0.0, 0.12, 0.24, 0.37, 0.51, 0.66, 0.82, 1.0)
# Lower limits of the color levels, from lightest to darkest. They apply to distances between distributions,
# to the strength of a dependency (0 to 1), and to changes in this strength.
DIFFERENCES = (0.02, 0.04, 0.07, 0.10, 0.15, 0.20, 0.30)
STRENGTHS = (0.02, 0.05, 0.10, 0.20, 0.35, 0.50, 0.75)
CHANGES = (0.01, 0.02, 0.04, 0.07, 0.10, 0.20, 0.40)
CELL = 20
N_LETTERS_MAX = 18
POSITIVE, NEGATIVE = "heat", "heat less"

Matrix = Sequence[Sequence[float | None]]


@dataclass(frozen=True)
class Margins:
    """The margins around the squares, which contain the column names."""

    left: int
    top: int
    right: int


@dataclass(frozen=True)
class Layer:
    """All squares of one color as one SVG path."""

    look: str
    opacity: float
    path: str


@dataclass(frozen=True)
class Name:
    """A column name, which labels one row and one column of the heat map."""

    text: str
    x: str
    y: str


@dataclass(frozen=True)
class HeatMap:
    """The heat map of a matrix.

    Parameters
    ----------
    label : str
        The text alternative of the chart.
    ground : str
        The SVG path of all squares that have a number.
    names : sequence of Name
        The column names; empty in a small map.
    """

    label: str
    width: int
    height: int
    margins: Margins
    ground: str
    layers: Sequence[Layer]
    names: Sequence[Name]


@dataclass(frozen=True)
class Legend:
    """The color scale of a heat map and its meaning.

    Parameters
    ----------
    limits : sequence of float
        The lower limits of the color levels.
    is_signed : bool
        Whether negative numbers have a separate row of colors.
    """

    opacities: ClassVar[Sequence[float]] = OPACITIES

    limits: Sequence[float]
    meaning: str
    is_signed: bool = False

    @property
    def rows(self) -> list[tuple[str, int]]:
        """The CSS class and the vertical position of each row of squares."""
        return [(POSITIVE, 0), (NEGATIVE, 14)] if self.is_signed else [(POSITIVE, 0)]


def draw_heat_map(
    columns: Sequence[str], matrix: Matrix, label: str, *, limits: Sequence[float], has_names: bool
) -> HeatMap:
    """Return the heat map of a matrix, with a different color for negative numbers."""
    margins = Margins(132, 100, 56) if has_names else Margins(0, 0, 0)
    size = len(columns) * CELL
    squares = _squares(matrix, limits, margins)
    return HeatMap(
        label=label,
        width=margins.left + size + margins.right,
        height=margins.top + size,
        margins=margins,
        ground="".join(path for (level, _), path in squares.items() if level >= 0),
        layers=[
            Layer(POSITIVE if sign > 0 else NEGATIVE, OPACITIES[level], path)
            for (level, sign), path in sorted(squares.items())
            if level > 0
        ],
        names=[_name(i, column, margins) for i, column in enumerate(columns)] if has_names else (),
    )


def _squares(matrix: Matrix, limits: Sequence[float], margins: Margins) -> dict[tuple[int, int], str]:
    """Return one SVG path for each color level and sign, with all of its squares."""
    paths: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    lefts = [f"M{margins.left + j * CELL + 1} " for j in range(len(matrix))]
    for i, row in enumerate(matrix):
        rest = f"{margins.top + i * CELL + 1}h18v18h-18z"
        for left, value in zip(lefts, row, strict=True):
            paths[_level(value, limits)].append(left + rest)
    return {level: "".join(squares) for level, squares in paths.items()}


def _level(value: float | None, limits: Sequence[float]) -> tuple[int, int]:
    """Return the color level and the sign of a number. A missing number has level -1."""
    if value is None:
        return -1, 1
    return bisect_right(limits, abs(value)), -1 if value < 0 else 1


def _name(i: int, column: str, margins: Margins) -> Name:
    middle = i * CELL + CELL / 2 + 4
    text = formatting.shortened(column, N_LETTERS_MAX)
    return Name(text, x=f"{margins.left + middle:.0f}", y=f"{margins.top + middle:.0f}")
