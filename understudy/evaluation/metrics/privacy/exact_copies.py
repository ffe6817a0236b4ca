"""Exact copies: synthetic rows that equal a training row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import Values, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline

# Minimum number of distinct values, as a share of the rows, of a column that makes chance copies unlikely.
SHARE_TELLING = 0.1

Hashes = NDArray[np.uint64]


class ExactCopiesResult(MetricResult):
    """Share of synthetic rows that equal a training row in every column."""

    metric: Literal["exact_copies"] = "exact_copies"
    n_copies: Annotated[int, Field(description="Number of synthetic rows that equal a training row.")]
    n_copies_of_unique: Annotated[
        int,
        Field(
            description="Number of synthetic rows that equal a unique training row: a row that occurs once "
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
            description="One-sided p-value: probability that at least this many of the copied unique rows "
            "are training rows, if copies do not depend on membership."
        ),
    ] = None


def score(comparison: Comparison) -> ExactCopiesResult:
    """Return the share of all synthetic rows that equal a row of the whole training table.

    Notes
    -----
    Rows are compared by 64-bit hashes of their values. Two tables of a million rows have a hash collision
    with a probability of 1 in 18 million. Numbers are equal if they are equal in double precision.
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
        is_telling=any(_is_telling(values) for values in comparison.real.columns),
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
        Number of each row's subject, or of the row itself if no subject is declared.
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
    # Held-out rows cannot be a control if they are the evaluated rows.
    if comparison.holdout and comparison.holdout.row_hashes is not comparison.synthetic.row_hashes:
        tables.append(comparison.holdout)
    hashes = np.concatenate([table.row_hashes for table in tables])
    subjects = [table.subjects for table in tables if table.subjects is not None]
    units = np.concatenate(subjects) if subjects else np.arange(len(hashes))
    return Crowd(hashes, units, np.arange(len(hashes)) < len(comparison.real.row_hashes))


def _hashes_of_one(crowd: Crowd) -> Hashes:
    """Return the hashes of rows that occur once, or only in the rows of one subject."""
    order = np.lexsort((crowd.units, crowd.hashes))
    hashes, units = crowd.hashes[order], crowd.units[order]
    begins = np.flatnonzero(np.append(True, hashes[1:] != hashes[:-1]))
    ends = np.append(begins[1:], len(hashes)) - 1
    return np.asarray(hashes[begins[units[begins] == units[ends]]])


def _p_value(crowd: Crowd, copied: Hashes) -> float:
    """Return the one-sided p-value of the number of training rows among the copied unique rows.

    Notes
    -----
    Exact binomial test: without memorization, the probability that a copied unique row is a training row
    equals the share of training rows among all rows. The two tables may differ in size. With subjects, the
    test counts each subject with a copied row once.
    """
    # Imported here: scipy is slow to load, and listing the metrics does not need it.
    from scipy.stats import binomtest

    if len(copied) == 0:
        return 1.0
    is_copied = np.isin(crowd.hashes, copied)
    n_copied, n_copied_training, n, n_training = (
        len(np.unique(crowd.units[rows]))
        for rows in (is_copied, is_copied & crowd.is_training, slice(None), crowd.is_training)
    )
    return float(binomtest(n_copied_training, n_copied, n_training / n, alternative="greater").pvalue)


def _is_telling(values: Values) -> bool:
    return len(np.unique(values[~is_missing(values)])) > SHARE_TELLING * len(values)


EXACT_COPIES = Metric(
    name="exact_copies",
    title="Exact copies",
    summary="Share of synthetic rows that equal a training row in every column. Real rows can repeat too, "
    "so compare it with the share among held-out rows.",
    concern="training rows occur unchanged in the synthetic table",
    source="Compare SDMetrics: NewRowSynthesis, the share of rows without a match, with a tolerance for "
    "numbers",
    topic="privacy",
    direction="lower",
    range=(0.0, 1.0),
    best=0.0,
    result=ExactCopiesResult,
    score=score,
    real_baseline=RealBaseline.holdout,
)
