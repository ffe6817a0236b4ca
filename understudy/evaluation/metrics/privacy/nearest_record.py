"""Whether synthetic rows lie nearer to the rows that were learnt from than to others."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.discrimination import interval
from understudy.evaluation.encoding import EncodedTable, Values, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, Unscored

N_QUERIES_MAX = 5_000
N_REFERENCES_MAX = 50_000
N_ROWS_MIN = 50
# Ranks lie between 0 and 1, and the kernel counts at most 1 a column: missing is as far as can be from known.
MISSING_AT = 2.0


class NearestRecord(MetricResult):
    """Share of synthetic rows that are nearer to a training row than to a held-out row."""

    metric: Literal["nearest_record"] = "nearest_record"
    standard_error: Annotated[float, Field(description="Of the share, over the synthetic rows.")]
    ties: Annotated[float, Field(description="Share of rows equally near to both; they count half.")]


@dataclass(frozen=True)
class _Points:
    """Rows as numbers and codes, column by column."""

    numbers: NDArray[np.float32]
    codes: NDArray[np.int32]


def score(comparison: Comparison) -> NearestRecord | Unscored:
    """Return how often the nearest row of equally many training and held-out rows is a training row.

    Notes
    -----
    Rows are compared column by column: numbers by how far apart their ranks in the real table are (0 … 1),
    categories by whether they are equal; a missing value equals only another one.
    """
    assert comparison.holdout is not None
    n_references = min(comparison.real.n_rows, comparison.holdout.n_rows, N_REFERENCES_MAX)
    if n_references < N_ROWS_MIN:
        return Unscored(reason=f"needs at least {N_ROWS_MIN} training rows and as many held-out rows")
    rng = comparison.rng("nearest_record")
    training, holdout, synthetic = (
        _points(comparison, table.draw(n_rows, rng))
        for table, n_rows in (
            (comparison.real, n_references),
            (comparison.holdout, n_references),
            (comparison.synthetic, N_QUERIES_MAX),
        )
    )
    to_training, to_holdout = _distances(synthetic, training), _distances(synthetic, holdout)
    n_queries = len(to_training)
    ties = float(np.mean(to_training == to_holdout))
    share = float(np.mean(to_training < to_holdout)) + ties / 2
    # The variance of outcomes 0, 1/2 and 1 around their mean.
    error = math.sqrt(max(share * (1 - share) - ties / 4, 0.0) / n_queries)
    return NearestRecord(
        score=share,
        interval=interval(share, error, 0.0, 1.0),
        standard_error=error,
        ties=ties,
        n_rows={"synthetic": n_queries, "real": n_references, "holdout": n_references},
    )


def _points(comparison: Comparison, table: EncodedTable) -> _Points:
    numbers, codes = [], []
    for encoder, real, values in zip(
        comparison.encoder.columns, comparison.real.columns, table.columns, strict=True
    ):
        if encoder.is_categorical:
            codes.append(values)
        else:
            numbers.append(_ranks(values, real))
    none = np.empty((0, table.n_rows))
    return _Points(
        np.array(numbers or none, dtype=np.float32),
        np.array(codes or none, dtype=np.int32),
    )


def _ranks(values: Values, real: Values) -> NDArray[np.float64]:
    """Return the share of the real values below each value, half of the equal ones counted."""
    known = np.sort(real[~is_missing(real)])
    low, high = (np.searchsorted(known, values, side=side) for side in ("left", "right"))
    return np.where(is_missing(values), MISSING_AT, (low + high) / (2 * max(len(known), 1)))


def _distances(queries: _Points, others: _Points) -> NDArray[np.float32]:
    # Compiled code is loaded only where it runs: the catalogue of metrics is listed without it.
    from understudy.kernels.nearest import nearest_distances

    n_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    numbers, codes = (
        np.array_split(np.ascontiguousarray(part.T), n_threads) for part in (queries.numbers, queries.codes)
    )
    with ThreadPoolExecutor(n_threads) as threads:
        found = threads.map(
            nearest_distances, numbers, codes, [others.numbers] * n_threads, [others.codes] * n_threads
        )
        return np.concatenate(list(found))


NEAREST_RECORD = Metric(
    name="nearest_record",
    title="Nearest record",
    summary="Share of synthetic rows that lie nearer to a row that was learnt from than to one that was not. "
    "0.5 is what new rows would show; more is a smoke alarm for copying. Silence proves nothing.",
    concern="synthetic rows lie nearer to the rows that were learnt from than new rows would",
    topic="privacy",
    direction="nearer",
    range=(0.0, 1.0),
    best=0.5,
    result=NearestRecord,
    score=score,
    needs=frozenset({Need.holdout}),
)
