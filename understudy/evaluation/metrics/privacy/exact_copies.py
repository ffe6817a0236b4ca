"""Exact copies: synthetic rows that equal a training row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, Values, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, RealScore
from understudy.evaluation.statistics.proportions import Proportion, predicted_shares

# Minimum number of distinct values in a column that makes chance copies unlikely, as a share of the rows.
SHARE_TELLING = 0.1

Hashes = NDArray[np.uint64]
Counts = NDArray[np.int64]


class ExactCopiesResult(MetricResult):
    """Share of synthetic rows that equal a training row in every column."""

    metric: Literal["exact_copies"] = "exact_copies"
    n_copies: Annotated[int, Field(description="Number of synthetic rows that equal a training row.")]
    n_copies_of_unique: Annotated[
        int,
        Field(
            description="Number of synthetic rows that equal a unique training row. A unique row occurs once "
            "among the training and held-out rows, or only in the rows of one subject."
        ),
    ]
    is_telling: Annotated[
        bool,
        Field(
            description="Whether a column has enough distinct values to make chance copies unlikely. If "
            "true, no unique row should be copied."
        ),
    ]
    p_value: Annotated[
        float | None,
        Field(
            description="One-sided p-value of the number of training rows among the copied unique rows. The "
            "null hypothesis is that training rows and held-out rows are equally likely to be copied."
        ),
    ] = None


def score(comparison: Comparison) -> ExactCopiesResult:
    """Return the share of all synthetic rows that equal a row of the whole training table.

    Notes
    -----
    Rows are compared by 64-bit hashes of their values. The probability of a hash collision between two tables
    of one million rows is 1 in 18 million. Numbers count as equal if they are equal in double precision.
    """
    real, synthetic = comparison.real.row_hashes, comparison.synthetic.row_hashes
    crowd = _crowd(comparison)
    unique = _hashes_of_one(crowd)
    is_copy = np.isin(synthetic, real)
    n_rows = {"real": len(real), "synthetic": len(synthetic)}
    n_holdout = len(crowd.hashes) - len(real)
    return ExactCopiesResult(
        score=float(np.mean(is_copy)),
        n_copies=int(is_copy.sum()),
        n_copies_of_unique=int(np.isin(synthetic[is_copy], unique).sum()),
        is_telling=_has_telling_column(comparison.real),
        p_value=_p_value(crowd, unique[np.isin(unique, synthetic)]) if n_holdout else None,
        n_rows=n_rows | ({"holdout": n_holdout} if n_holdout else {}),
        n_subjects=crowd.n_subjects() if comparison.has_subjects else {},
    )


@dataclass(frozen=True)
class Crowd:
    """All training and held-out rows with their subjects.

    Parameters
    ----------
    hashes, is_training : array of shape (n_rows,)
    units : int array of shape (n_rows,)
        Subject number of each row, or the row's own number if no subject is declared.
    """

    hashes: Hashes
    units: NDArray[np.int64]
    is_training: NDArray[np.bool_]

    def n_subjects(self) -> dict[str, int]:
        """Return the number of subjects, by table."""
        sides = {"real": self.is_training, "holdout": ~self.is_training}
        return {role: len(np.unique(self.units[rows])) for role, rows in sides.items() if rows.any()}


def _crowd(comparison: Comparison) -> Crowd:
    tables = [comparison.real]
    # Held-out rows cannot serve as the control if they are also the evaluated rows.
    if comparison.holdout and comparison.holdout.row_hashes is not comparison.synthetic.row_hashes:
        tables.append(comparison.holdout)
    hashes = np.concatenate([table.row_hashes for table in tables])
    subjects = [table.subjects for table in tables if table.subjects is not None]
    units = np.concatenate(subjects) if subjects else np.arange(len(hashes))
    return Crowd(hashes, units, np.arange(len(hashes)) < len(comparison.real.row_hashes))


def _hashes_of_one(crowd: Crowd) -> Hashes:
    """Return the hashes that occur in only one row, or only in rows of one subject."""
    hashes, n_units, _ = _units_of_hashes(crowd)
    return np.asarray(hashes[n_units == 1])


def _units_of_hashes(crowd: Crowd) -> tuple[Hashes, Counts, Counts]:
    """Return the distinct hashes, and the number of units and the number of rows for each hash."""
    order = np.lexsort((crowd.units, crowd.hashes))
    hashes, units = crowd.hashes[order], crowd.units[order]
    is_first = np.append(True, hashes[1:] != hashes[:-1])
    is_new_unit = is_first | np.append(True, units[1:] != units[:-1])
    begins = np.flatnonzero(is_first)
    n_rows = np.diff(np.append(begins, len(hashes)))
    return hashes[begins], np.add.reduceat(is_new_unit.astype(np.int64), begins), n_rows


def _p_value(crowd: Crowd, copied: Hashes) -> float:
    """Return the one-sided p-value for the number of training rows among the copied unique rows.

    Notes
    -----
    Exact binomial test: without memorization, the probability that a copied unique row is a training row
    equals the share of training rows among all rows. The two tables may differ in size. With subjects, the
    test counts each subject with a copied row once.
    """
    # Imported here because SciPy is slow to load, and listing the metrics does not require it.
    from scipy.stats import binomtest

    if len(copied) == 0:
        return 1.0
    is_copied = np.isin(crowd.hashes, copied)
    n_copied, n_copied_training, n, n_training = (
        len(np.unique(crowd.units[rows]))
        for rows in (is_copied, is_copied & crowd.is_training, slice(None), crowd.is_training)
    )
    return float(binomtest(n_copied_training, n_copied, n_training / n, alternative="greater").pvalue)


def score_real(comparison: Comparison, tail: float) -> RealScore:
    """Return the share of real rows that equal another real row, and the prediction interval of a new share.

    Notes
    -----
    Held-out rows are compared with all training rows. Without a holdout, each training row is compared with
    the training rows of all other units.
    """
    holdout, real = comparison.holdout, comparison.real
    n_further = _n_units(comparison.synthetic)
    if holdout is not None:
        result = score(comparison.with_tables(synthetic=holdout))
        share = Proportion(result.score, _n_units(holdout))
        return RealScore(result, predicted_shares(share, n_further, tail))
    share = _share_of_repeated(_crowd(comparison))
    n_rows = real.n_rows_total
    result = ExactCopiesResult(
        score=share.value,
        n_copies=round(share.value * n_rows),
        n_copies_of_unique=0,
        is_telling=_has_telling_column(real),
        n_rows={"real": n_rows, "synthetic": n_rows},
    )
    return RealScore(result, predicted_shares(share, n_further, tail))


def _share_of_repeated(crowd: Crowd) -> Proportion:
    """Estimate the probability that a new row equals one of these rows, with an effective sample size.

    Notes
    -----
    Good (1953), "The population frequencies of species and the estimation of population parameters": the
    share of rows that occur once estimates the probability of an unseen row. The variance of this estimate
    follows Esty (1983), "A normal limit law for a nonparametric estimator of the coverage of a random
    sample".
    """
    _, n_units_each, n_rows_each = _units_of_hashes(crowd)
    n, n_units = len(crowd.hashes), len(np.unique(crowd.units))
    n_once, n_twice = int(n_rows_each[n_units_each == 1].sum()), int((n_units_each == 2).sum())
    # The variance of a share of 0 or 1 cannot be estimated, so the variance is computed as if one row
    # differed.
    n_once_smoothed = min(max(n_once, 1), n - 1) if n > 1 else 0.5
    spread = n_once_smoothed * (1 - n_once_smoothed / n)
    share_independent = spread / (spread + 2 * max(n_twice, 0.5))
    # All rows of a subject count as one observation.
    return Proportion(1 - n_once / n, max(1.0, float(n_units * share_independent)))


def _n_units(table: EncodedTable) -> int:
    """Return the number of subjects in the whole table, or of rows if no subject is declared."""
    return table.n_rows_total if table.subjects is None else len(np.unique(table.subjects))


def _has_telling_column(real: EncodedTable) -> bool:
    return any(_is_telling(values) for values in real.columns)


def _is_telling(values: Values) -> bool:
    return len(np.unique(values[~is_missing(values)])) > SHARE_TELLING * len(values)


EXACT_COPIES = Metric(
    name="exact_copies",
    title="Exact copies",
    summary="Share of synthetic rows that equal a training row in every column. Real rows can also repeat, "
    "so compare this share with the share among held-out rows.",
    concern="training rows occur unchanged in the synthetic table",
    source="Compare SDMetrics: NewRowSynthesis, the share of rows without a match, with a tolerance for "
    "numbers",
    topic="privacy",
    direction="lower",
    range=(0.0, 1.0),
    best=0.0,
    result=ExactCopiesResult,
    score=score,
    real_baseline=RealBaseline.leave_one_out,
    score_real=score_real,
)
