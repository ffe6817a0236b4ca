"""Minimize a function of two variables without derivatives (Nelder and Mead 1965).

SciPy contains the same method, but the import of `scipy.optimize` takes longer than the fit of a small table.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

# Points are tuples of Python floats because operations on arrays of two numbers take longer than computing a
# loss.
Point = tuple[float, float]
Loss = Callable[[Point], float]
Found = tuple[Point, float]

N_STEPS_MAX = 400
# The search ends when the points and their losses differ by less than this number. The losses are log
# likelihoods, and the standard errors of fitted parameters are far larger.
TOLERANCE = 1e-3
# Distance of the first points from the start, along each axis.
FIRST_STEP = 0.25
_LOSS = itemgetter(1)


def minimize(loss: Loss, start: Point) -> Found:
    """Return the point with the lowest loss that the search finds, and its loss.

    Parameters
    ----------
    loss : callable
        The function to minimize. The function may return infinity outside its domain.
    start : (float, float)
        Start of the search, at which the loss is finite.
    """
    x, y = start
    triangle = [(point, loss(point)) for point in ((x, y), (x + FIRST_STEP, y), (x, y + FIRST_STEP))]
    for _ in range(N_STEPS_MAX):
        triangle.sort(key=_LOSS)
        if triangle[2][1] - triangle[0][1] <= TOLERANCE and _width(triangle) <= TOLERANCE:
            break
        triangle = _step(loss, triangle)
    return min(triangle, key=_LOSS)


def _width(triangle: list[Found]) -> float:
    """Return the largest distance of a point from the best point along an axis."""
    ((x, y), _), *others = triangle
    return max(max(abs(point[0] - x), abs(point[1] - y)) for point, _ in others)


def _step(loss: Loss, triangle: list[Found]) -> list[Found]:
    """Return the sorted points with the worst point replaced, or with all points moved toward the best."""
    best, second, ((x, y), highest) = triangle
    center_x, center_y = (best[0][0] + second[0][0]) / 2, (best[0][1] + second[0][1]) / 2
    step_x, step_y = center_x - x, center_y - y
    new = center_x + step_x, center_y + step_y
    own = loss(new)
    if own < best[1]:
        further = center_x + 2 * step_x, center_y + 2 * step_y
        lower = loss(further)
        return [best, second, (further, lower) if lower < own else (new, own)]
    if own < second[1]:
        return [best, second, (new, own)]
    distance = 0.5 if own < highest else -0.5
    contracted = center_x + distance * step_x, center_y + distance * step_y
    lower = loss(contracted)
    if lower > min(own, highest):
        return [best, _toward(loss, best[0], second[0]), _toward(loss, best[0], (x, y))]
    return [best, second, (contracted, lower)]


def _toward(loss: Loss, best: Point, other: Point) -> Found:
    """Return the point halfway between two points."""
    point = best[0] + 0.5 * (other[0] - best[0]), best[1] + 0.5 * (other[1] - best[1])
    return point, loss(point)
