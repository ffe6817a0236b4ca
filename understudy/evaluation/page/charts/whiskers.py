"""Estimates drawn as dots with intervals, one below the other on a common axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar


@dataclass(frozen=True)
class Estimate:
    """An estimate and its interval.

    Parameters
    ----------
    role : str
        `real`, `synthetic` or another role that the style sheet defines.
    """

    role: str
    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Track:
    """The positions of an estimate and its interval, in percent of the chart's width."""

    role: str
    left: float
    width: float
    dot: float


@dataclass(frozen=True)
class Whiskers:
    """A chart of estimates.

    Parameters
    ----------
    zero : float or None
        The position of the line that marks the value 0, in percent of the width; None for no line.
    """

    kind: ClassVar[str] = "whiskers"
    tracks: tuple[Track, ...]
    zero: float | None = None


def reach(rows: Sequence[Sequence[Estimate]], *also: float) -> tuple[float, float]:
    """Return the ends of an axis that contains all estimates and the additional numbers `also`."""
    ends = [*also]
    for estimate in chain.from_iterable(rows):
        ends += [estimate.value, *(estimate.interval or ())]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    margin = (high - low) * 0.04 or 0.5
    return low - margin, high + margin


def whiskers(
    estimates: Sequence[Estimate], axis: tuple[float, float], *, zero: float | None = None
) -> Whiskers:
    """Return the chart of estimates on an axis, with a line at `zero` if it is given."""
    low, high = axis

    def at(value: float) -> float:
        return 100 * min(max((value - low) / (high - low), 0.0), 1.0)

    tracks = []
    for estimate in estimates:
        left, right = (at(end) for end in estimate.interval or (estimate.value, estimate.value))
        dot = round(at(estimate.value), 1)
        tracks.append(Track(estimate.role, round(left, 1), round(right - left, 1), dot))
    return Whiskers(tuple(tracks), None if zero is None else round(at(zero), 1))
