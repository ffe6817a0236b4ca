"""A score on a scale, beside the scores of its references."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from understudy.evaluation.metrics.base import Direction, UnscoredResult
from understudy.evaluation.page import formatting
from understudy.evaluation.scores import MetricScores

# Of the range of all scores: a scale is at least so long, since small gaps shall look small.
SHOWN_MIN = 0.05
# The best score has its place on the scale unless all scores lie farther from it than so many lengths of what
# they span, and than this part of the range.
BEST_AWAY_MAX = 1.5
BEST_AWAY_FRACTION = 0.25
MARGIN = 0.04


def goodness(direction: Direction, best: float) -> Callable[[float], float]:
    """Return a function that is 0 at the best score, and falls on the side, or the sides, that are bad."""
    if direction == "nearer":
        return lambda score: -abs(score - best)
    # An attacker who does worse than chance knows no less than one who guesses: not better than the best.
    sign = 1 if direction == "higher" else -1
    return lambda score: min(sign * (score - best), 0.0)


@dataclass(frozen=True)
class Scale:
    """The drawing of a score: worse at the left, better at the right. Numbers are positions.

    Parameters
    ----------
    label : str
        What the drawing shows, in words.
    dot, interval : float and (float, float)
        The synthetic rows.
    post, band : float and (left, width)
        Fresh real rows.
    worse, better : str
        The texts below the two ends.
    """

    width: ClassVar[int] = 260
    height: ClassVar[int] = 44
    left: ClassVar[int] = 2
    right: ClassVar[int] = 252
    lane: ClassVar[int] = 17

    label: str
    dot: float
    interval: tuple[float, float] | None
    post: float | None
    band: tuple[float, float] | None
    independent: float | None
    leak: float | None
    worse: str
    better: str


@dataclass(frozen=True)
class Axis:
    """The goodness at the two ends of a scale.

    Parameters
    ----------
    has_best : bool
        Whether the right end is the best possible score.
    """

    low: float
    high: float
    has_best: bool

    def x(self, goodness: float) -> float:
        """Return the position of a goodness."""
        fraction = (goodness - self.low) / (self.high - self.low)
        return Scale.left + min(max(fraction, 0.0), 1.0) * (Scale.right - Scale.left)


def draw_scale(scores: MetricScores) -> Scale:
    """Return the score, its interval, the floor of real rows, independent columns and the noisy copy."""
    found = scores.synthetic
    assert not isinstance(found, UnscoredResult)
    good = goodness(scores.direction, scores.best)
    axis = _axis([good(score) for score in _shown(scores)], min(good(end) for end in scores.range))
    at = {
        role: None if score is None else round(axis.x(good(score)), 1)
        for role, score in others(scores).items()
    }
    floor = scores.floor
    band = None
    if floor is not None and floor.interval is not None:
        left, right = _reach(axis, good, floor.score, floor.interval)
        band = (round(left, 1), round(max(right - left, 0), 1))
    interval = None if found.interval is None else _reach(axis, good, found.score, found.interval)
    worse, better = _ends(axis, scores)
    return Scale(
        label=_label(scores),
        dot=round(axis.x(good(found.score)), 1),
        interval=None if interval is None else (round(interval[0], 1), round(interval[1], 1)),
        post=None if floor is None else round(axis.x(good(floor.score)), 1),
        band=band,
        independent=at["independent"],
        leak=at["leak"],
        worse=worse,
        better=better,
    )


def _axis(shown: list[float], worst: float) -> Axis:
    """Return an axis for goodness from `worst` to 0."""
    low, high = min(shown), max(shown)
    has_best = -high <= max(BEST_AWAY_MAX * (high - low), BEST_AWAY_FRACTION * -worst)
    if has_best:
        high = max(high, 0.0)
    margin = max(SHOWN_MIN * -worst - (high - low), MARGIN * (high - low))
    if has_best:
        return Axis(max(low - margin, worst), high, has_best=True)
    return Axis(max(low - margin / 2, worst), min(high + margin / 2, 0.0), has_best=False)


def _shown(scores: MetricScores) -> list[float]:
    """Return every number that has a place on the scale."""
    found = scores.synthetic
    assert not isinstance(found, UnscoredResult)
    shown = [found.score, *(found.interval or ())]
    shown += [value for value in others(scores).values() if value is not None]
    return shown if scores.floor is None else [*shown, scores.floor.score, *(scores.floor.interval or ())]


def others(scores: MetricScores) -> dict[str, float | None]:
    """Return the scores of the two references that are not real rows."""
    return {
        role: None if found is None else found.score
        for role, found in (("independent", scores.independent), ("leak", scores.leak))
    }


def _reach(
    axis: Axis, good: Callable[[float], float], score: float, interval: tuple[float, float]
) -> tuple[float, float]:
    """Return the ends of an interval; one around the best score folds there."""
    ends = [good(score), *(good(end) for end in interval)]
    low, high = interval
    is_folded = good((low + high) / 2) > (good(low) + good(high)) / 2 + 1e-12
    xs = [axis.x(end) for end in ends] + ([axis.x(0.0)] if is_folded else [])
    return min(xs), max(xs)


def _ends(axis: Axis, scores: MetricScores) -> tuple[str, str]:
    """Return the texts below the two ends of the scale."""
    # Where nearer is better, the side on which the score lies.
    is_below = scores.direction == "nearer" and (scores.synthetic.score or 0.0) < scores.best
    sign = 1 if scores.direction == "higher" or is_below else -1
    low, high = (formatting.score(scores.best + sign * end, scores.name) for end in (axis.low, axis.high))
    return low, f"best {high}" if axis.has_best else f"better {high}"


def _label(scores: MetricScores) -> str:
    """Return what the drawing shows, in words."""
    found = formatting.score(scores.synthetic.score, scores.name)
    parts = [f"{scores.title}: synthetic {found}"]
    if scores.floor is not None:
        parts.append(f"fresh real rows {formatting.score(scores.floor.score, scores.name)}")
    names = {"independent": "independent columns", "leak": "noisy copy"}
    parts += [
        f"{names[role]} {formatting.score(value, scores.name)}"
        for role, value in others(scores).items()
        if value is not None
    ]
    return f"{', '.join(parts)}; the best is {formatting.score(scores.best, scores.name)}"
