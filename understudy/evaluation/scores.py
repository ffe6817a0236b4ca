"""A metric's scores: that of the synthetic table, and those of the tables that it is read against."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.baselines import bootstrap_baseline, holdout_baseline, split_baseline
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics import METRICS, AnyResult
from understudy.evaluation.metrics.base import (
    Direction,
    Metric,
    MetricResult,
    RealBaseline,
    Topic,
    UnscoredResult,
    missing_need,
)
from understudy.progress import Progress

# In so many of a hundred reports on real rows, *all* scores lie within their floors.
CONFIDENCE = 0.95


class BaselineScore(BaseModel):
    """What real rows score in the synthetic table's place: what chance alone takes away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    score: Annotated[float, Field(description="The mean, where real rows were drawn several times.")]
    interval: Annotated[
        tuple[float, float] | None,
        Field(
            description="Where such a score lies: in 95 of 100 reports on real rows, *all* scores lie within"
            " these intervals. Left out where the score's spread is not known."
        ),
    ] = None
    n_draws: Annotated[int, Field(description="How often real rows were drawn.")]


class MetricScores(BaseModel):
    """A metric's score of the synthetic table, and of what it is read against."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    summary: str
    topic: Topic
    direction: Direction
    range: tuple[float, float]
    best: float
    synthetic: AnyResult
    independent: Annotated[
        AnyResult | None, Field(description="Of columns drawn independently: what costs nothing to reach.")
    ] = None
    leak: Annotated[
        AnyResult | None,
        Field(description="Of a noisy copy of the rows that were learnt from: faithful, and not private."),
    ] = None
    real: Annotated[
        AnyResult | None,
        Field(description="Of real rows in the place of synthetic ones; one draw, if there were several."),
    ] = None
    floor: Annotated[
        BaselineScore | None, Field(description="What such real rows score, and how sure that is.")
    ] = None


def score_all(
    comparison: Comparison,
    references: Mapping[str, Iterable[Comparison]],
    progress: Progress,
    metrics: Sequence[Metric] = tuple(METRICS.values()),
) -> list[MetricScores]:
    """Return the scores of all metrics, or of some.

    Parameters
    ----------
    references : mapping of name to an iterable of one Comparison
        `independent` and `leak`; made when they are needed, since each holds a table.
    """
    n_steps = 2 + len(references)
    results: dict[str, dict[str, AnyResult]] = {"synthetic": _results(metrics, comparison)}
    progress("scoring", 1 / n_steps)
    scored = [metric for metric in metrics if results["synthetic"][metric.name].score is not None]
    for number, (role, made) in enumerate(references.items(), start=2):
        for reference in made:
            results[role] = _results(scored, reference)
        progress("scoring", number / n_steps)
    draws = _draws_of_real_rows(scored, comparison)
    progress("scoring", 1.0)
    return [
        _scores(metric, {role: found.get(metric.name) for role, found in results.items()}, draws)
        for metric in metrics
    ]


def _draws_of_real_rows(metrics: Sequence[Metric], comparison: Comparison) -> dict[str, list[AnyResult]]:
    """Return the results of real rows in the synthetic table's place, for each metric that has such."""
    draws: dict[str, list[AnyResult]] = {}
    by_baseline: dict[RealBaseline | None, list[Metric]] = {}
    for metric in metrics:
        by_baseline.setdefault(metric.real_baseline, []).append(metric)
    for metric in by_baseline.get(RealBaseline.training, []):
        draws[metric.name] = [_result(metric, comparison.with_tables(synthetic=comparison.real))]
    for needs in {metric.needs for metric in by_baseline.get(RealBaseline.holdout, [])}:
        alike = [metric for metric in by_baseline[RealBaseline.holdout] if metric.needs == needs]
        draws |= {
            name: [found] for name, found in _results(alike, holdout_baseline(comparison, needs)).items()
        }
    for real_baseline, draw in (
        (RealBaseline.bootstrap, bootstrap_baseline),
        (RealBaseline.split, split_baseline),
    ):
        alike = by_baseline.get(real_baseline, [])
        for drawn in draw(comparison) if alike else ():
            for name, found in _results(alike, drawn).items():
                draws.setdefault(name, []).append(found)
    return draws


def _scores(
    metric: Metric, results: Mapping[str, AnyResult | None], draws: Mapping[str, Sequence[AnyResult]]
) -> MetricScores:
    synthetic = results["synthetic"]
    assert synthetic is not None
    drawn = draws.get(metric.name, ())
    return MetricScores(
        name=metric.name,
        title=metric.title,
        summary=metric.summary,
        topic=metric.topic,
        direction=metric.direction,
        range=metric.range,
        best=metric.best,
        synthetic=synthetic,
        independent=results.get("independent"),
        leak=results.get("leak"),
        real=drawn[0] if drawn else None,
        floor=_floor(metric, [one for one in drawn if not isinstance(one, UnscoredResult)]),
    )


def _floor(metric: Metric, drawn: Sequence[MetricResult]) -> BaselineScore | None:
    if not drawn:
        return None
    scores = np.array([one.score for one in drawn])
    ends = _ends_of_many(scores, metric.best) if len(scores) > 1 else _ends_of_one(drawn[0])
    interval = None
    if ends is not None:
        low, high = (min(max(end, metric.range[0]), metric.range[1]) for end in sorted(ends))
        interval = (low, high)
    return BaselineScore(score=float(scores.mean()), interval=interval, n_draws=len(scores))


def _ends_of_many(scores: np.ndarray[tuple[int], np.dtype[np.float64]], best: float) -> tuple[float, float]:
    """Return the ends of the prediction interval of one more score."""
    # Loaded here: scipy is slow to load, and the API lists metrics without it.
    from scipy.stats import t

    n = len(scores)
    width = float(t.ppf(1 - _tail(), n - 1) * math.sqrt(1 + 1 / n))
    gaps = scores - best
    if np.all(gaps > 0) or np.all(gaps < 0):
        # Distances to the best score cannot be negative and have a long tail: their logarithms are nearer to
        # normal than they are.
        logs, sign = np.log(np.abs(gaps)), float(np.sign(gaps[0]))
        centre, half = float(logs.mean()), width * float(logs.std(ddof=1))
        return best + sign * math.exp(centre - half), best + sign * math.exp(centre + half)
    centre, half = float(scores.mean()), width * float(scores.std(ddof=1))
    return centre - half, centre + half


def _ends_of_one(result: MetricResult) -> tuple[float, float] | None:
    """Return the same for a score that was drawn once, and whose own interval is known."""
    # Loaded here: scipy is slow to load, and the API lists metrics without it.
    from scipy.stats import norm

    if result.interval is None:
        return None
    standard_error = (result.interval[1] - result.interval[0]) / 2 / norm.ppf(0.975)
    # Both scores are estimates: that of these rows, and that which is held against it.
    half = float(norm.ppf(1 - _tail()) * math.sqrt(2) * standard_error)
    return result.score - half, result.score + half


def _tail() -> float:
    """Return how often one score may lie beyond one end of its floor (Bonferroni)."""
    n = sum(metric.real_baseline is not None for metric in METRICS.values())
    return (1 - CONFIDENCE) / 2 / n


def _results(metrics: Iterable[Metric], comparison: Comparison) -> dict[str, AnyResult]:
    return {metric.name: _result(metric, comparison) for metric in metrics}


def _result(metric: Metric, comparison: Comparison) -> AnyResult:
    """Return the score, or why there is none."""
    unmet = missing_need(metric, comparison)
    if unmet is not None:
        return unmet
    try:
        result = metric.score(comparison)
    # Too little memory is the job's matter, not the metric's: it may be tried again with more.
    except MemoryError:
        raise
    # One metric must not cost the report; whatever goes wrong in it is said in its place.
    except Exception as error:
        reason = f"could not be computed on these tables ({type(error).__name__})"
        return UnscoredResult(reason=reason, is_fault=True)
    if result.score is not None and not np.isfinite(result.score):
        return UnscoredResult(reason="is not defined on these tables")
    return result
