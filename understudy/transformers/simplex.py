"""Minimization of a function of a few variables without derivatives (Nelder and Mead 1965).

SciPy contains the same method, but the import of `scipy.optimize` takes longer than the fit of a small table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Loss = Callable[[Floats], float]

N_STEPS_MAX = 400
# The search ends when the points and their losses differ by less than this. The losses are log likelihoods,
# and the standard errors of fitted parameters are far larger.
TOLERANCE = 1e-3
# Distance of the first points from the start, along each axis.
FIRST_STEP = 0.25


def minimize(loss: Loss, start: Sequence[float]) -> tuple[Floats, float]:
    """Return the point with the lowest loss that the search finds, and its loss.

    Parameters
    ----------
    loss : callable
        The function to minimize. It may return infinity outside its domain.
    start : sequence of float
        Start of the search, at which the loss is finite.
    """
    points = _first_points(np.asarray(start, float))
    losses = np.array([loss(point) for point in points])
    for _ in range(N_STEPS_MAX):
        order = np.argsort(losses, kind="stable")
        points, losses = points[order], losses[order]
        if losses[-1] - losses[0] <= TOLERANCE and np.abs(points[1:] - points[0]).max() <= TOLERANCE:
            break
        _step(loss, points, losses)
    best = int(np.argmin(losses))
    return points[best], float(losses[best])


def _first_points(start: Floats) -> Floats:
    points = np.tile(start, (len(start) + 1, 1))
    for i in range(len(start)):
        points[i + 1, i] += FIRST_STEP
    return points


def _step(loss: Loss, points: Floats, losses: Floats) -> None:
    """Replace the worst of the sorted points, or move all points toward the best one."""
    center = points[:-1].mean(axis=0)

    def along(distance: float) -> tuple[Floats, float]:
        point = center + distance * (center - points[-1])
        return point, loss(point)

    new = along(1.0)
    if new[1] < losses[0]:
        new = min(new, along(2.0), key=lambda found: found[1])
    elif new[1] >= losses[-2]:
        is_better = new[1] < losses[-1]
        contracted = along(0.5 if is_better else -0.5)
        if contracted[1] > min(new[1], losses[-1]):
            points[1:] = points[0] + 0.5 * (points[1:] - points[0])
            losses[1:] = [loss(point) for point in points[1:]]
            return
        new = contracted
    points[-1], losses[-1] = new
