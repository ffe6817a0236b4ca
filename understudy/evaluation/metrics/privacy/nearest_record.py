"""Distance to closest record (DCR), compared between training and held-out rows."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, UnscoredResult
from understudy.evaluation.statistics.auc import interval
from understudy.evaluation.statistics.nearest_neighbours import as_points, find_nearest

N_QUERIES_MAX = 5_000
N_REFERENCES_MAX = 50_000
N_ROWS_MIN = 50


class NearestRecordResult(MetricResult):
    """Share of synthetic rows that are closer to a training row than to a held-out row."""

    metric: Literal["nearest_record"] = "nearest_record"
    standard_error: Annotated[
        float,
        Field(
            description="Standard error of the score. It is computed over the synthetic rows or, if a "
            "subject is declared, over the subjects that are nearest to them."
        ),
    ]
    ties: Annotated[
        float,
        Field(
            description="Share of synthetic rows that are equally close to both tables. Each of "
            "them counts half."
        ),
    ]
    ratio_to_training: Annotated[
        float,
        Field(
            description="Median ratio of the distances to the nearest and to the second-nearest training row "
            "(NNDR). A value far below `ratio_to_holdout` indicates copies of individual training "
            "rows."
        ),
    ]
    ratio_to_holdout: Annotated[
        float,
        Field(
            description="Median ratio of the distances to the nearest and to the second-nearest held-out row."
        ),
    ]


def score(comparison: Comparison) -> NearestRecordResult | UnscoredResult:
    """Return the share of synthetic rows that are closer to the training rows than to the held-out rows.

    The comparison uses equal numbers of training rows and held-out rows. If a subject is declared, it uses
    equal numbers of subjects, with all of their rows.

    Notes
    -----
    The distance is a sum over columns. Numbers contribute the difference between their ranks in the real
    table (from 0 to 1), and categories contribute 0 if they are equal and 1 otherwise. A missing value equals
    only another missing value.
    """
    assert comparison.holdout is not None
    tables = (comparison.real, comparison.holdout)
    n_units = min(*(table.n_units for table in tables), *(_n_units_at_most(table) for table in tables))
    if n_units < N_ROWS_MIN:
        unit = "subjects" if comparison.has_subjects else "rows"
        return UnscoredResult(
            reason=f"needs at least {N_ROWS_MIN} training {unit} and the same number of held-out {unit}"
        )
    rng = comparison.rng("nearest_record")
    synthetic = as_points(comparison, comparison.synthetic.draw(N_QUERIES_MAX, rng))
    references = [_equally_many(table, n_units, rng) for table in tables]
    near = [find_nearest(synthetic, as_points(comparison, table), 2) for table in references]
    to_training, to_holdout = (neighbours.distances[0] for neighbours in near)
    # The distances have single precision, but the mean requires double precision.
    won = np.sign(to_holdout[:, 0] - to_training[:, 0]).astype(np.float64) / 2 + 0.5
    ties = float(np.mean(won == 0.5))
    share = float(np.mean(won))
    winners = None
    if comparison.has_subjects:
        pairs = zip(references, near, strict=True)
        nearest = (table.units[neighbours.rows[0, :, 0]] for table, neighbours in pairs)
        winners = np.where(won >= 0.5, *nearest)
    error = _standard_error(won, winners)
    return NearestRecordResult(
        score=share,
        interval=interval(share, error, 0.0, 1.0),
        standard_error=error,
        ties=ties,
        ratio_to_training=_median_ratio(to_training),
        ratio_to_holdout=_median_ratio(to_holdout),
        n_rows={
            "synthetic": synthetic.n_rows,
            "real": references[0].n_rows,
            "holdout": references[1].n_rows,
        },
        n_subjects=dict.fromkeys(("real", "holdout"), n_units) if comparison.has_subjects else {},
    )


def _n_units_at_most(table: EncodedTable) -> int:
    """Return the number of units that have about `N_REFERENCES_MAX` rows in total."""
    return N_REFERENCES_MAX * table.n_units // table.n_rows


def _equally_many(table: EncodedTable, n_units: int, rng: np.random.Generator) -> EncodedTable:
    """Return all rows of `n_units` random subjects, or `n_units` random rows."""
    if table.subjects is None:
        return table.draw(n_units, rng)
    _, numbers = np.unique(table.units, return_inverse=True)
    is_chosen = np.zeros(table.n_units, dtype=np.bool_)
    is_chosen[rng.permutation(table.n_units)[:n_units]] = True
    return table.take(np.flatnonzero(is_chosen[numbers]))


def _standard_error(won: NDArray[np.float64], winners: NDArray[np.int64] | None) -> float:
    """Return the standard error of the mean over the rows, or over their nearest subjects.

    Notes
    -----
    If subjects are declared, the result is the standard error of a ratio of totals (Cochran 1977, section
    6.3). If a different subject had been held out, all synthetic rows closest to this subject would count for
    the other table.
    """
    off = won - won.mean()
    if winners is None:
        return float(math.sqrt(np.mean(off**2) / len(off)))
    totals = np.bincount(np.unique(winners, return_inverse=True)[1], weights=off)
    n = len(totals)
    return float(math.sqrt((totals**2).sum() * n / max(n - 1, 1)) / len(off))


def _median_ratio(distances: NDArray[np.float32]) -> float:
    """Return the median ratio of the nearest to the second-nearest distance, or 1 where both are 0."""
    nearest, second = distances[:, 0], distances[:, 1]
    return float(np.median(np.where(second > 0, nearest / np.where(second > 0, second, 1), 1.0)))


NEAREST_RECORD = Metric(
    name="nearest_record",
    title="Distance to closest record (DCR)",
    summary="Share of synthetic rows that are closer to a training row than to a held-out row. New real "
    "rows would score 0.5. A higher share indicates copying, but 0.5 does not prove privacy.",
    concern="synthetic rows are closer to training rows than new rows would be",
    source="Compare SDMetrics: DCROverfittingProtection, which rescales the share and uses different "
    "distances",
    topic="privacy",
    direction="nearer",
    range=(0.0, 1.0),
    best=0.5,
    result=NearestRecordResult,
    score=score,
    needs=frozenset({Need.holdout}),
)
