"""The scores of all metrics for the synthetic table and for the baselines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.baselines import N_RESAMPLED, bootstrap_baseline, holdout_baseline, split_baseline
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.equal_sizes import cut_to_baseline, metrics_with_loss, training_baseline
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
from understudy.evaluation.scoring_progress import ScoringProgress, count_passes
from understudy.progress import Progress

# Probability that *all* scores in a report on real rows lie within their prediction intervals.
CONFIDENCE = 0.95
# Number of intervals that are simultaneously valid. This number is fixed so that new metrics do not change
# the intervals in earlier evidence packs. The exact value hardly matters.
N_INTERVALS = 32


class BaselineScore(BaseModel):
    """Score of real rows that are evaluated as if they were synthetic.

    A synthetic table cannot be expected to score better.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    score: Annotated[
        float,
        Field(description="Mean score over all samples of real rows."),
    ]
    interval: Annotated[
        tuple[float, float] | None,
        Field(
            description="Prediction interval of the score. If real rows are evaluated as if they were "
            "synthetic, *all* scores of a report lie within their intervals with a probability of 95%. "
            "Null if the spread of the score is not known."
        ),
    ] = None
    n_draws: Annotated[int, Field(description="Number of times that real rows were sampled and scored.")]


class MetricScores(BaseModel):
    """The score of a metric for the synthetic table and its baselines."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    summary: str
    topic: Topic
    direction: Direction
    range: tuple[float, float]
    best: float
    synthetic: AnyResult
    synthetic_cut: Annotated[
        AnyResult | None,
        Field(
            description=(
                "Result for a random subset of the synthetic rows. The subset has as many rows as the table "
                "scored in `real` and is compared with the same real rows. The loss is computed from this "
                "result. Null if the sizes are equal or the policy does not check the loss."
            )
        ),
    ] = None
    independent: Annotated[
        AnyResult | None,
        Field(
            description="Result of the baseline that samples each column independently, without "
            "dependencies between columns."
        ),
    ] = None
    leak: Annotated[
        AnyResult | None,
        Field(
            description="Result of a baseline that copies the training rows and adds noise. The copy is "
            "faithful but not private."
        ),
    ] = None
    real: Annotated[
        AnyResult | None,
        Field(
            description="Result for real rows that are evaluated as if they were synthetic. If real rows "
            "were sampled several times, this is the result of the first sample."
        ),
    ] = None
    floor: Annotated[
        BaselineScore | None,
        Field(
            description="Mean score of real rows that are evaluated as if they were synthetic, with its "
            "interval."
        ),
    ] = None


def score_all(
    comparison: Comparison,
    baselines: Mapping[str, Iterable[Comparison]],
    progress: Progress,
    metrics: Sequence[Metric] = tuple(METRICS.values()),
) -> list[MetricScores]:
    """Return the scores of metrics for the synthetic table and its baselines.

    Parameters
    ----------
    baselines : mapping of name to an iterable of one Comparison
        The comparisons of the baselines `independent` and `leak`. They are passed as iterables so that each
        table is created only when it is needed.
    metrics : sequence of Metric
        The metrics to compute; all metrics by default.
    """
    steps = ScoringProgress(progress, _passes(metrics, comparison, len(baselines)))
    results: dict[str, dict[str, AnyResult]] = {"synthetic": _results(metrics, comparison, steps)}
    scored = [metric for metric in metrics if results["synthetic"][metric.name].score is not None]
    steps.end_first_pass(_passes(scored, comparison, len(baselines)))
    for role, comparisons in baselines.items():
        for baseline in comparisons:
            results[role] = _results(scored, baseline, steps)
    single, results["cut"] = _single_draws(scored, comparison, steps)
    draws = {name: [result] for name, result in single.items()} | _repeated_draws(scored, comparison, steps)
    progress("scoring", 1.0)
    return [
        _scores(
            metric,
            {role: result.get(metric.name) for role, result in results.items()},
            _floor_of(metric, comparison, draws.get(metric.name, ())),
        )
        for metric in metrics
    ]


def _passes(metrics: Sequence[Metric], comparison: Comparison, n_baselines: int) -> dict[str, int]:
    """Return how often each metric is scored for the baselines."""
    with_loss = metrics_with_loss(comparison)
    repeated = [m.name for m in metrics if m.real_baseline in (RealBaseline.bootstrap, RealBaseline.split)]
    trained = [m.name for m in metrics if m.real_baseline is RealBaseline.training]
    held_out = [m.name for m in metrics if m.real_baseline is RealBaseline.holdout]
    return count_passes(
        ([metric.name for metric in metrics], n_baselines),
        (repeated, N_RESAMPLED),
        (trained + held_out, 1),
        ([name for name in trained if name in with_loss], 1),
    )


def _single_draws(
    metrics: Sequence[Metric], comparison: Comparison, steps: ScoringProgress
) -> tuple[dict[str, AnyResult], dict[str, AnyResult]]:
    """Return the results of real rows sampled once, and of synthetic rows cut to the same sizes."""
    real: dict[str, AnyResult] = {}
    cut: dict[str, AnyResult] = {}
    with_loss = metrics_with_loss(comparison)
    for baseline, alike in _single_baselines(metrics, comparison, with_loss):
        real |= _results(alike, baseline, steps)
        checked = [metric for metric in alike if metric.name in with_loss]
        compared = cut_to_baseline(comparison, baseline) if checked else None
        if compared is not None:
            cut |= _results(checked, compared, steps)
    return real, cut


def _single_baselines(
    metrics: Sequence[Metric], comparison: Comparison, with_loss: frozenset[str]
) -> Iterator[tuple[Comparison, list[Metric]]]:
    """Yield the comparisons that use a single sample of real rows, and the metrics to score."""
    trained = [metric for metric in metrics if metric.real_baseline is RealBaseline.training]
    for is_checked, baseline in ((True, training_baseline), (False, _all_training_rows)):
        alike = [metric for metric in trained if (metric.name in with_loss) == is_checked]
        if alike:
            yield baseline(comparison), alike
    held_out = [metric for metric in metrics if metric.real_baseline is RealBaseline.holdout]
    for needs in {metric.needs for metric in held_out}:
        yield (
            holdout_baseline(comparison, needs),
            [metric for metric in held_out if metric.needs == needs],
        )


def _all_training_rows(comparison: Comparison) -> Comparison:
    return comparison.with_tables(synthetic=comparison.real)


def _repeated_draws(
    metrics: Sequence[Metric], comparison: Comparison, steps: ScoringProgress
) -> dict[str, list[AnyResult]]:
    """Return the results of real rows that are sampled several times, by metric."""
    draws: dict[str, list[AnyResult]] = {}
    by_baseline: dict[RealBaseline | None, list[Metric]] = {}
    for metric in metrics:
        by_baseline.setdefault(metric.real_baseline, []).append(metric)
    for real_baseline, draw in (
        (RealBaseline.bootstrap, bootstrap_baseline),
        (RealBaseline.split, split_baseline),
    ):
        alike = by_baseline.get(real_baseline, [])
        for drawn in draw(comparison) if alike else ():
            for name, result in _results(alike, drawn, steps).items():
                draws.setdefault(name, []).append(result)
    return draws


def _floor_of(
    metric: Metric, comparison: Comparison, drawn: Sequence[AnyResult]
) -> tuple[AnyResult | None, BaselineScore | None]:
    """Return the first result of real rows, and their mean score with its interval."""
    if metric.score_real is not None:
        scored = metric.score_real(comparison, _tail())
        return scored.result, BaselineScore(score=scored.result.score, interval=scored.interval, n_draws=1)
    first = drawn[0] if drawn else None
    return first, _floor(metric, [one for one in drawn if not isinstance(one, UnscoredResult)])


def _scores(
    metric: Metric,
    results: Mapping[str, AnyResult | None],
    real: tuple[AnyResult | None, BaselineScore | None],
) -> MetricScores:
    synthetic = results["synthetic"]
    assert synthetic is not None
    return MetricScores(
        name=metric.name,
        title=metric.title,
        summary=metric.summary,
        topic=metric.topic,
        direction=metric.direction,
        range=metric.range,
        best=metric.best,
        synthetic=synthetic,
        synthetic_cut=results.get("cut"),
        independent=results.get("independent"),
        leak=results.get("leak"),
        real=real[0],
        floor=real[1],
    )


def _floor(metric: Metric, drawn: Sequence[MetricResult]) -> BaselineScore | None:
    if not drawn:
        return None
    scores = np.array([result.score for result in drawn])
    ends = _ends_of_many(scores, metric.best) if len(scores) > 1 else _ends_of_one(drawn[0])
    interval = None
    if ends is not None:
        low, high = (min(max(end, metric.range[0]), metric.range[1]) for end in sorted(ends))
        interval = (low, high)
    return BaselineScore(score=float(scores.mean()), interval=interval, n_draws=len(scores))


def _ends_of_many(scores: np.ndarray[tuple[int], np.dtype[np.float64]], best: float) -> tuple[float, float]:
    """Return the ends of the prediction interval of a new score, computed from several samples."""
    # Imported here: scipy is slow to load, and code that only lists the metrics does not need it.
    from scipy.stats import t

    n = len(scores)
    width = float(t.ppf(1 - _tail(), n - 1) * math.sqrt(1 + 1 / n))
    gaps = scores - best
    if np.all(gaps > 0) or np.all(gaps < 0):
        # Distances to the best score cannot be negative and have a long tail, so their logarithms are closer
        # to a normal distribution.
        logs, sign = np.log(np.abs(gaps)), float(np.sign(gaps[0]))
        centre, half = float(logs.mean()), width * float(logs.std(ddof=1))
        return best + sign * math.exp(centre - half), best + sign * math.exp(centre + half)
    centre, half = float(scores.mean()), width * float(scores.std(ddof=1))
    return centre - half, centre + half


def _ends_of_one(result: MetricResult) -> tuple[float, float] | None:
    """Return the prediction interval from a single sample, or None if its confidence interval is unknown."""
    if result.interval is None:
        return None
    normal = NormalDist()
    standard_error = (result.interval[1] - result.interval[0]) / 2 / normal.inv_cdf(0.975)
    # The score of this sample and the new score are both estimates, so their variances add up.
    half = normal.inv_cdf(1 - _tail()) * math.sqrt(2) * standard_error
    return result.score - half, result.score + half


def _tail() -> float:
    """Return the Bonferroni-corrected probability of a score beyond one end of its prediction interval."""
    return (1 - CONFIDENCE) / 2 / N_INTERVALS


def _results(
    metrics: Iterable[Metric], comparison: Comparison, steps: ScoringProgress
) -> dict[str, AnyResult]:
    by_name = {metric.name: metric for metric in metrics}
    return {name: _result(by_name[name], comparison) for name in steps.watch(by_name)}


def _result(metric: Metric, comparison: Comparison) -> AnyResult:
    """Return the result of a metric, or the reason why it has no score."""
    unmet = missing_need(metric, comparison)
    if unmet is not None:
        return unmet
    try:
        result = metric.score(comparison)
    # If memory runs out, the whole job fails so that it can be retried with more memory.
    except MemoryError:
        raise
    # An error in one metric must not stop the whole report. The report states the error as the reason for the
    # missing score.
    except Exception as error:
        reason = f"could not be computed on these tables ({type(error).__name__})"
        return UnscoredResult(reason=reason, is_fault=True)
    if result.score is not None and not np.isfinite(result.score):
        return UnscoredResult(reason="is not defined on these tables")
    return result
