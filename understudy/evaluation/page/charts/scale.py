"""A score on a scale, with what it is read against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from understudy.evaluation.metrics.base import Direction, UnscoredResult
from understudy.evaluation.page import formatting
from understudy.evaluation.page.charts import marks
from understudy.evaluation.scores import BaselineScore, MetricScores

WIDTH, HEIGHT = 260, 44
LEFT, RIGHT = 2, 8
LANE = 17
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
    """Worse at the left, better at the right.

    Parameters
    ----------
    low, high : float
        Goodness at the two ends.
    has_best : bool
        Whether the best possible score is the right end.
    """

    low: float
    high: float
    has_best: bool

    def x(self, value: float) -> float:
        """Return where a goodness has its place."""
        fraction = (value - self.low) / (self.high - self.low)
        return LEFT + min(max(fraction, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)


def _scale(shown: list[float], worst: float) -> Scale:
    """Return a scale for goodness from `worst` to 0."""
    low, high = min(shown), max(shown)
    has_best = -high <= max(BEST_AWAY_MAX * (high - low), BEST_AWAY_FRACTION * -worst)
    if has_best:
        high = max(high, 0.0)
    margin = max(SHOWN_MIN * -worst - (high - low), MARGIN * (high - low))
    if has_best:
        return Scale(max(low - margin, worst), high, has_best=True)
    return Scale(max(low - margin / 2, worst), min(high + margin / 2, 0.0), has_best=False)


def draw(scores: MetricScores) -> str:
    """Return the score, its interval, the floor of real rows, independent columns and the noisy copy."""
    good = goodness(scores.direction, scores.best)
    scale = _scale([good(one) for one in _shown(scores)], min(good(end) for end in scores.range))
    drawn = [f'<path class="s-line" stroke-width="2" d="M{LEFT} {LANE}H{WIDTH - RIGHT}"/>']
    if scores.floor is not None:
        drawn.append(_floor(scale, good, scores.floor))
    for role, mark in (("leak", marks.cross), ("independent", marks.diamond)):
        value = others(scores)[role]
        drawn.append("" if value is None else mark(scale.x(good(value)), LANE))
    drawn.append(_synthetic(scale, good, scores))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_label(scores)}">'
        f"{''.join(drawn)}{_ends(scale, scores)}</svg>"
    )


def _shown(scores: MetricScores) -> list[float]:
    """Return every number that has a place on the scale."""
    found = scores.synthetic
    assert not isinstance(found, UnscoredResult)
    shown = [found.score, *(found.interval or ())]
    shown += [value for value in others(scores).values() if value is not None]
    return shown if scores.floor is None else [*shown, scores.floor.score, *(scores.floor.interval or ())]


def others(scores: MetricScores) -> dict[str, float | None]:
    """Return the scores of the two references that are no real rows."""
    return {
        role: None if found is None else found.score
        for role, found in (("independent", scores.independent), ("leak", scores.leak))
    }


def _floor(scale: Scale, good: Callable[[float], float], floor: BaselineScore) -> str:
    post = marks.post(scale.x(good(floor.score)), LANE)
    if floor.interval is None:
        return post
    left, right = _reach(scale, good, floor.score, floor.interval)
    return marks.band(left, right, LANE) + post


def _synthetic(scale: Scale, good: Callable[[float], float], scores: MetricScores) -> str:
    found = scores.synthetic
    assert not isinstance(found, UnscoredResult)
    dot = marks.dot(scale.x(good(found.score)), LANE)
    if found.interval is None:
        return dot
    left, right = _reach(scale, good, found.score, found.interval)
    return f'<path class="s-synthetic" stroke-width="2.4" d="M{left:.1f} {LANE}H{right:.1f}"/>{dot}'


def _reach(
    scale: Scale, good: Callable[[float], float], score: float, interval: tuple[float, float]
) -> tuple[float, float]:
    """Return the ends of an interval; one around the best score folds there."""
    ends = [good(score), *(good(end) for end in interval)]
    low, high = interval
    is_folded = good((low + high) / 2) > (good(low) + good(high)) / 2 + 1e-12
    xs = [scale.x(end) for end in ends] + ([scale.x(0.0)] if is_folded else [])
    return min(xs), max(xs)


def _ends(scale: Scale, scores: MetricScores) -> str:
    """Return what the two ends of the scale are."""
    # Of `nearer`, the side on which the score lies.
    is_below = scores.direction == "nearer" and (scores.synthetic.score or 0.0) < scores.best
    sign = 1 if scores.direction == "higher" or is_below else -1
    low, high = (formatting.score(scores.best + sign * end, scores.name) for end in (scale.low, scale.high))
    right = f"best {high}" if scale.has_best else f"better {high}"
    y = HEIGHT - 5
    return (
        f'<text x="{LEFT}" y="{y}" font-size="11">{low}</text>'
        f'<text x="{WIDTH - RIGHT}" y="{y}" font-size="11" text-anchor="end">{right}</text>'
    )


def _label(scores: MetricScores) -> str:
    """Return what the drawing shows, in words."""
    found = formatting.score(scores.synthetic.score, scores.name)
    said = [f"{formatting.escape(scores.title)}: synthetic {found}"]
    if scores.floor is not None:
        said.append(f"fresh real rows {formatting.score(scores.floor.score, scores.name)}")
    names = {"independent": "independent columns", "leak": "noisy copy"}
    said += [
        f"{names[role]} {formatting.score(value, scores.name)}"
        for role, value in others(scores).items()
        if value is not None
    ]
    return f"{', '.join(said)}; the best is {formatting.score(scores.best, scores.name)}"
