"""Tails: the mean, the standard deviation and an extreme quantile of skewed columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN, TEMPORAL_KINDS
from understudy.tables.schema import ColumnKind

# Minimum number of known real values per column.
N_KNOWN_MIN = 500
# Level of the extreme quantile. The level is lower if fewer than `N_ROWS_SHOWN_MIN` real rows would exceed
# the quantile.
LEVEL = 0.999
# Minimum distance between the median and the extreme quantile, as a multiple of the distance between the
# median and the opposite quantile.
SKEW_MIN = 5.0

Floats = NDArray[np.float64]


class ColumnTail(BaseModel):
    """Statistics of one skewed column in both tables, rounded to three significant digits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    side: Annotated[Literal["upper", "lower"], Field(description="Side of the long tail.")]
    score: Annotated[
        float,
        Field(
            description="Similarity of the mean, the standard deviation and the quantile in the two tables, "
            "averaged over these statistics."
        ),
    ]
    level: Annotated[
        float, Field(description="Level of the quantile: 0.999, or less if fewer than 5 real rows exceed it.")
    ]
    mean_real: float
    mean_synthetic: float | None = None
    sd_real: float
    sd_synthetic: float | None = None
    quantile_real: Annotated[
        float,
        Field(description="Quantile of the real values at `level`, or at 1 minus `level` for a lower tail."),
    ]
    quantile_synthetic: float | None = None


class TailsResult(MetricResult):
    """Similarity of the mean, standard deviation and an extreme quantile, averaged over skewed columns."""

    metric: Literal["tails"] = "tails"
    columns: Annotated[list[ColumnTail], Field(description="Skewed columns, worst first.")]


@dataclass(frozen=True)
class Statistics:
    """The statistics of one column: the mean, the standard deviation and the extreme quantile."""

    mean: float
    sd: float
    quantile: float

    @classmethod
    def of(cls, values: Floats, level: float) -> Statistics:
        """Compute the statistics of known values."""
        return cls(float(values.mean()), float(values.std()), float(np.quantile(values, level)))

    def similarity(self, other: Statistics, centre: float) -> float:
        """Return the ratio of the smaller to the larger value, averaged over the statistics.

        The mean and the quantile are measured from `centre`.
        """
        ratios = (
            _ratio(self.mean - centre, other.mean - centre),
            _ratio(self.sd, other.sd),
            _ratio(self.quantile - centre, other.quantile - centre),
        )
        return float(np.mean(ratios))


def score(comparison: Comparison) -> TailsResult | UnscoredResult:
    """Return the mean similarity of the statistics over all skewed columns."""
    tails = [
        tail
        for i, encoder in enumerate(comparison.encoder.columns)
        if not encoder.is_categorical and _is_quantity(encoder.column.kind)
        if (tail := _compare(comparison, i)) is not None
    ]
    if not tails:
        return UnscoredResult(reason=f"needs a skewed column of numbers with {N_KNOWN_MIN} known real values")
    return TailsResult(
        score=float(np.mean([tail.score for tail in tails])),
        columns=sorted(tails, key=lambda tail: tail.score),
        n_rows={"real": comparison.real.n_rows, "synthetic": comparison.synthetic.n_rows},
    )


def _is_quantity(kind: ColumnKind) -> bool:
    return kind is ColumnKind.duration or kind not in {*TEMPORAL_KINDS, ColumnKind.coordinates}


def _compare(comparison: Comparison, i: int) -> ColumnTail | None:
    """Return the comparison of a column, or None if it is not skewed or has too few known values."""
    real, synthetic = (
        values[~is_missing(values)].astype(np.float64)
        for values in (comparison.real.columns[i], comparison.synthetic.columns[i])
    )
    if len(real) < N_KNOWN_MIN:
        return None
    level = min(LEVEL, 1 - N_ROWS_SHOWN_MIN / len(real))
    low, centre, high = np.quantile(real, [1 - level, 0.5, level])
    below, above = centre - low, high - centre
    if max(below, above) <= 0 or max(below, above) < SKEW_MIN * min(below, above):
        return None
    side: Literal["upper", "lower"] = "upper" if above > below else "lower"
    at = level if side == "upper" else 1 - level
    of_real = Statistics.of(real, at)
    of_synthetic = Statistics.of(synthetic, at) if len(synthetic) else None
    return ColumnTail(
        column=comparison.columns[i].name,
        side=side,
        score=0.0 if of_synthetic is None else of_real.similarity(of_synthetic, float(centre)),
        level=level,
        mean_real=_rounded(of_real.mean),
        mean_synthetic=None if of_synthetic is None else _rounded(of_synthetic.mean),
        sd_real=_rounded(of_real.sd),
        sd_synthetic=None if of_synthetic is None else _rounded(of_synthetic.sd),
        quantile_real=_rounded(of_real.quantile),
        quantile_synthetic=None if of_synthetic is None else _rounded(of_synthetic.quantile),
    )


def _ratio(one: float, other: float) -> float:
    """Return the ratio of the smaller to the larger absolute value, or 0 if the signs differ."""
    if one == other:
        return 1.0
    return min(abs(one), abs(other)) / max(abs(one), abs(other)) if one * other > 0 else 0.0


def _rounded(value: float) -> float:
    """Return a statistic with three significant digits so that it does not reveal the value of a row."""
    return float(f"{value:.3g}")


TAILS = Metric(
    name="tails",
    title="Tails of skewed columns",
    summary="Similarity of the mean, the standard deviation and the 99.9% quantile of columns with a long "
    "tail, such as costs, averaged over these columns.",
    concern="rare large values are missing or exaggerated, so sums and means are wrong",
    source="Compare SDMetrics: StatisticSimilarity, which compares other statistics and divides by the range",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=TailsResult,
    score=score,
    real_baseline=RealBaseline.bootstrap,
)
