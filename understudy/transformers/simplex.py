"""Minimization of a function of a few variables without derivatives (Nelder and Mead 1965).

SciPy contains the same method, but the import of `scipy.optimize` takes longer than the fit of a small table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

# Points are tuples of Python floats, because operations on arrays of two numbers take longer than the losses.
Point = tuple[float, ...]
Loss = Callable[[Point], float]
Found = tuple[Point, float]

N_STEPS_MAX = 400
# The search ends when the points and their losses differ by less than this. The losses are log likelihoods,
# and the standard errors of fitted parameters are far larger.
TOLERANCE = 1e-3
# Distance of the first points from the start, along each axis.
FIRST_STEP = 0.25


def minimize(loss: Loss, start: Sequence[float]) -> Found:
    """Return the point with the lowest loss that the search finds, and its loss.

    Parameters
    ----------
    loss : callable
        The function to minimize. It may return infinity outside its domain.
    start : sequence of float
        Start of the search, at which the loss is finite.
    """
    simplex = [(point, loss(point)) for point in _first_points(start)]
    for _ in range(N_STEPS_MAX):
        simplex.sort(key=_loss_of)
        if simplex[-1][1] - simplex[0][1] <= TOLERANCE and _width(simplex) <= TOLERANCE:
            break
        simplex = _step(loss, simplex)
    return min(simplex, key=_loss_of)


def _loss_of(found: Found) -> float:
    return found[1]


def _first_points(start: Sequence[float]) -> list[Point]:
    first = tuple(float(x) for x in start)
    others = [(*first[:i], first[i] + FIRST_STEP, *first[i + 1 :]) for i in range(len(first))]
    return [first, *others]


def _width(simplex: Sequence[Found]) -> float:
    """Return the largest distance of a point from the best point along any axis."""
    best = simplex[0][0]
    return max(abs(x - y) for point, _ in simplex[1:] for x, y in zip(point, best, strict=True))


def _step(loss: Loss, simplex: list[Found]) -> list[Found]:
    """Return the sorted points with another point in place of the worst, or all points nearer to the best."""
    *kept, (worst, highest) = simplex
    center = [sum(axis) / len(kept) for axis in zip(*(point for point, _ in kept), strict=True)]

    def along(distance: float) -> Found:
        point = tuple(x + distance * (x - y) for x, y in zip(center, worst, strict=True))
        return point, loss(point)

    new = along(1.0)
    if new[1] < kept[0][1]:
        new = min(new, along(2.0), key=_loss_of)
    elif new[1] >= kept[-1][1]:
        contracted = along(0.5 if new[1] < highest else -0.5)
        if contracted[1] > min(new[1], highest):
            return [simplex[0], *_toward(loss, simplex[0][0], simplex[1:])]
        new = contracted
    return [*kept, new]


def _toward(loss: Loss, best: Point, others: Sequence[Found]) -> list[Found]:
    """Return points halfway between the best point and the other points."""
    points = [tuple(x + 0.5 * (y - x) for x, y in zip(best, point, strict=True)) for point, _ in others]
    return [(point, loss(point)) for point in points]
