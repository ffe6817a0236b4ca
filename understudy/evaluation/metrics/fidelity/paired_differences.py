"""Paired differences: the distribution of the difference between columns that belong together."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.column_shapes import ks_complement
from understudy.evaluation.metrics.fidelity.paired_columns import Floats, Pair, Unit, find_pairs
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN

# Maximum number of rows per table. The Kolmogorov-Smirnov distance between two samples is then below 0.01.
N_ROWS_MAX = 50_000
QUANTILE = 0.99


class PairDifference(BaseModel):
    """Differences between two paired columns in both tables, and the evidence for the pairing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: Annotated[str, Field(description="Name of the subtracted column.")]
    second: Annotated[str, Field(description="Name of the column that `first` is subtracted from.")]
    unit: Annotated[
        Unit,
        Field(
            description="Kind of values in both columns: `moment` (dates and timestamps), `time`, `duration` "
            "or `number`. Differences are in seconds, unless the unit is `number`."
        ),
    ]
    score: Annotated[
        float,
        Field(
            description="KS complement of the differences. The score is 0 if no synthetic row contains "
            "both values."
        ),
    ]
    width: Annotated[
        float,
        Field(
            description="Width of the central 90% range of the real differences, divided by the width "
            "expected if the columns were independent."
        ),
    ]
    ordered_real: Annotated[float, Field(description="Share of real rows where `first` is at most `second`.")]
    ordered_synthetic: float | None = None
    median_real: Annotated[
        float, Field(description="Median of the real differences, with three significant digits.")
    ]
    median_synthetic: float | None = None
    q99_real: Annotated[
        float | None,
        Field(
            description="The 99th percentile of the real differences, with three significant digits. Null "
            "if there are fewer than 500 real differences."
        ),
    ] = None
    q99_synthetic: float | None = None


class PairedDifferencesResult(MetricResult):
    """KS complement of the differences within each pair of columns. The worst pair determines the score."""

    metric: Literal["paired_differences"] = "paired_differences"
    pairs: Annotated[list[PairDifference], Field(description="Pairs of columns, worst first.")]


def score(comparison: Comparison) -> PairedDifferencesResult | UnscoredResult:
    """Return the KS complement of the differences for the pair with the lowest value."""
    rng = comparison.rng("paired_differences")
    pairs = find_pairs(comparison.encoder.columns, comparison.real, rng)
    if not pairs:
        return UnscoredResult(reason="finds no columns in the real table whose difference is meaningful")
    real, synthetic = (table.draw(N_ROWS_MAX, rng) for table in (comparison.real, comparison.synthetic))
    names = [column.name for column in comparison.columns]
    compared = [_compare(pair, names, pair.differences(real), pair.differences(synthetic)) for pair in pairs]
    compared.sort(key=lambda pair: pair.score)
    return PairedDifferencesResult(
        score=compared[0].score,
        pairs=compared,
        n_rows={"real": real.n_rows, "synthetic": synthetic.n_rows},
    )


def _compare(pair: Pair, names: list[str], real: Floats, synthetic: Floats) -> PairDifference:
    # In a table without missing values, at least `N_ROWS_SHOWN_MIN` differences exceed the quantile.
    is_shown = len(real) * (1 - QUANTILE) >= N_ROWS_SHOWN_MIN
    return PairDifference(
        first=names[pair.first],
        second=names[pair.second],
        unit=pair.unit,
        score=ks_complement(real, synthetic) if len(synthetic) else 0.0,
        width=pair.width,
        ordered_real=float(np.mean(real >= 0)),
        ordered_synthetic=float(np.mean(synthetic >= 0)) if len(synthetic) else None,
        median_real=_rounded(real, 0.5),
        median_synthetic=_rounded(synthetic, 0.5) if len(synthetic) else None,
        q99_real=_rounded(real, QUANTILE) if is_shown else None,
        q99_synthetic=_rounded(synthetic, QUANTILE) if is_shown and len(synthetic) else None,
    )


def _rounded(values: Floats, quantile: float) -> float:
    """Return a quantile with three significant digits so that it does not reveal the value of a row."""
    return float(f"{np.quantile(values, quantile):.3g}")


PAIRED_DIFFERENCES = Metric(
    name="paired_differences",
    title="Paired differences",
    summary=(
        "Similarity of the real and the synthetic distribution of the difference between two columns that "
        "belong together, such as start and end, previous and current reading, or low and high. The worst "
        "pair determines the score."
    ),
    concern="differences between columns that belong together, such as durations, have a different "
    "distribution",
    source="SDMetrics: KSComplement, applied to the differences of two columns",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=PairedDifferencesResult,
    score=score,
    real_baseline=RealBaseline.bootstrap,
)
