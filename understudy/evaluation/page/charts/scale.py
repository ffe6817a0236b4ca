"""The scale of a metric: its score next to its baselines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from understudy.evaluation.metrics.base import Direction, UnscoredResult
from understudy.evaluation.page import formatting
from understudy.evaluation.scores import MetricScores

# Minimum length of a scale, as a fraction of the metric's range. The minimum makes small differences look
# small.
SHOWN_MIN = 0.05
# The scale omits the best possible score if its distance to all shown scores exceeds two limits:
# BEST_AWAY_MAX times the span of the shown scores, and BEST_AWAY_FRACTION times the metric's range.
BEST_AWAY_MAX = 1.5
BEST_AWAY_FRACTION = 0.25
# Margin at the ends of a scale, as a fraction of the span of the shown scores.
MARGIN = 0.04


def goodness(direction: Direction, best: float) -> Callable[[float], float]:
    """Return a function that is 0 at the best score and decreases toward worse scores."""
    if direction == "nearer":
        return lambda score: -abs(score - best)
    # An attacker can always guess, so an attack that does worse than chance counts as guessing, which is the
    # best score.
    sign = 1 if direction == "higher" else -1
    return lambda score: min(sign * (score - best), 0.0)


@dataclass(frozen=True)
class Scale:
    """A score on its scale, with better scores further right. All numbers are SVG positions.

    Parameters
    ----------
    label : str
        The text alternative of the chart.
    dot, interval : float and (float, float)
        The score of the synthetic table and its interval.
    post, band : float and (left, width)
        The mean score of real rows and its prediction interval.
    independent, leak : float or None
        The scores of the other baselines.
    worse, better : str
        The labels of the two ends.
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
    """The range of a scale, in units of goodness (see `goodness`).

    Parameters
    ----------
    has_best : bool
        Whether the right end is the best possible score.
    """

    low: float
    high: float
    has_best: bool

    def x(self, goodness: float) -> float:
        """Return the SVG position of a goodness value."""
        fraction = (goodness - self.low) / (self.high - self.low)
        return Scale.left + min(max(fraction, 0.0), 1.0) * (Scale.right - Scale.left)


def draw_scale(scores: MetricScores) -> Scale:
    """Return the scale of a metric with its score, interval and baselines."""
    result = scores.synthetic
    assert not isinstance(result, UnscoredResult)
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
    interval = None if result.interval is None else _reach(axis, good, result.score, result.interval)
    worse, better = _ends(axis, scores)
    return Scale(
        label=_label(scores),
        dot=round(axis.x(good(result.score)), 1),
        interval=None if interval is None else (round(interval[0], 1), round(interval[1], 1)),
        post=None if floor is None else round(axis.x(good(floor.score)), 1),
        band=band,
        independent=at["independent"],
        leak=at["leak"],
        worse=worse,
        better=better,
    )


def _axis(shown: list[float], worst: float) -> Axis:
    """Return an axis within the range from `worst` to 0 that contains all shown values."""
    low, high = min(shown), max(shown)
    has_best = -high <= max(BEST_AWAY_MAX * (high - low), BEST_AWAY_FRACTION * -worst)
    if has_best:
        high = max(high, 0.0)
    margin = max(SHOWN_MIN * -worst - (high - low), MARGIN * (high - low))
    if has_best:
        return Axis(max(low - margin, worst), high, has_best=True)
    return Axis(max(low - margin / 2, worst), min(high + margin / 2, 0.0), has_best=False)


def _shown(scores: MetricScores) -> list[float]:
    """Return all scores and interval ends that the scale must contain."""
    result = scores.synthetic
    assert not isinstance(result, UnscoredResult)
    shown = [result.score, *(result.interval or ())]
    shown += [value for value in others(scores).values() if value is not None]
    return shown if scores.floor is None else [*shown, scores.floor.score, *(scores.floor.interval or ())]


def others(scores: MetricScores) -> dict[str, float | None]:
    """Return the scores of the baselines `independent` and `leak`."""
    return {
        role: None if result is None else result.score
        for role, result in (("independent", scores.independent), ("leak", scores.leak))
    }


def _reach(
    axis: Axis, good: Callable[[float], float], score: float, interval: tuple[float, float]
) -> tuple[float, float]:
    """Return the positions of the ends of an interval, which is cut off at the best score."""
    ends = [good(score), *(good(end) for end in interval)]
    low, high = interval
    is_folded = good((low + high) / 2) > (good(low) + good(high)) / 2 + 1e-12
    xs = [axis.x(end) for end in ends] + ([axis.x(0.0)] if is_folded else [])
    return min(xs), max(xs)


def _ends(axis: Axis, scores: MetricScores) -> tuple[str, str]:
    """Return the labels for the two ends of the scale."""
    # If scores nearer to the best score are better, the labels refer to the side of the best score on which
    # the score lies.
    is_below = scores.direction == "nearer" and (scores.synthetic.score or 0.0) < scores.best
    sign = 1 if scores.direction == "higher" or is_below else -1
    low, high = (formatting.score(scores.best + sign * end, scores.name) for end in (axis.low, axis.high))
    return low, f"best {high}" if axis.has_best else f"better {high}"


def _label(scores: MetricScores) -> str:
    """Return the text alternative of the scale."""
    score = formatting.score(scores.synthetic.score, scores.name)
    parts = [f"{scores.title}: synthetic rows {score}"]
    if scores.floor is not None:
        parts.append(f"real rows {formatting.score(scores.floor.score, scores.name)}")
    names = {"independent": "independent columns", "leak": "noisy copy"}
    parts += [
        f"{names[role]} {formatting.score(value, scores.name)}"
        for role, value in others(scores).items()
        if value is not None
    ]
    return f"{', '.join(parts)}; best possible score {formatting.score(scores.best, scores.name)}"
