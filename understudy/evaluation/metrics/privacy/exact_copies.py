"""How many synthetic rows stand in the training table as they are."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import Values, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline

# Of a column's values that differ, above which it is continuous or nearly a key.
SHARE_TELLING = 0.1

Hashes = NDArray[np.uint64]


class ExactCopiesResult(MetricResult):
    """Share of rows that equal a training row in every column."""

    metric: Literal["exact_copies"] = "exact_copies"
    n_copies: Annotated[int, Field(description="Rows that equal a training row.")]
    n_copies_of_unique: Annotated[
        int,
        Field(
            description="Rows that equal a training row which occurs only once among the training and "
            "held-out rows."
        ),
    ]
    is_telling: Annotated[
        bool,
        Field(
            description="Whether some column has so many values that equal rows are hardly an accident: then "
            "no row that occurs once should be copied."
        ),
    ]
    p_value: Annotated[
        float | None,
        Field(
            description="How likely it is that so many of the rows that are met, of those that occur once, "
            "are training rows, if nothing is known of who was learnt from."
        ),
    ] = None


def score(comparison: Comparison) -> ExactCopiesResult:
    """Return the share of rows, of all rows of the table, that equal a row of the whole real table.

    Notes
    -----
    Rows are compared by 64-bit hashes of their values: two different rows of two tables of a million rows
    meet by chance once in 18 million comparisons of such tables. Numbers count as equal when they are
    equal in double precision.
    """
    real, asked, holdout = comparison.real.row_hashes, comparison.synthetic.row_hashes, _control(comparison)
    hashes, counts = np.unique(np.concatenate([real, holdout]), return_counts=True)
    unique = hashes[counts == 1]
    is_copy = np.isin(asked, real)
    n_rows = {"real": len(real), "synthetic": len(asked)}
    return ExactCopiesResult(
        score=float(np.mean(is_copy)),
        n_copies=int(is_copy.sum()),
        n_copies_of_unique=int(np.isin(asked[is_copy], unique).sum()),
        is_telling=any(_is_telling(values) for values in comparison.real.columns),
        p_value=_p_value(unique[np.isin(unique, asked)], real, len(holdout)) if len(holdout) else None,
        n_rows=n_rows | ({"holdout": len(holdout)} if len(holdout) else {}),
    )


def _control(comparison: Comparison) -> Hashes:
    # Where held-out rows are what is judged, they are no control.
    if comparison.holdout is None or comparison.holdout.row_hashes is comparison.synthetic.row_hashes:
        return np.zeros(0, dtype=np.uint64)
    return comparison.holdout.row_hashes


def _p_value(met: Hashes, real: Hashes, n_holdout: int) -> float:
    """Return the one-sided p of the rows that were met and occur once being training rows.

    Notes
    -----
    Of such rows, each is a training row with the share of training rows among all: an exact binomial test,
    for which the tables need not have the same size.
    """
    # Loaded here: scipy is slow to load, and the API lists metrics without it.
    from scipy.stats import binomtest

    if len(met) == 0:
        return 1.0
    n_training = int(np.isin(met, real).sum())
    share = len(real) / (len(real) + n_holdout)
    return float(binomtest(n_training, len(met), share, alternative="greater").pvalue)


def _is_telling(values: Values) -> bool:
    return len(np.unique(values[~is_missing(values)])) > SHARE_TELLING * len(values)


EXACT_COPIES = Metric(
    name="exact_copies",
    title="Exact copies",
    summary="Share of synthetic rows that equal a row that was learnt from. Real rows can repeat too: read "
    "it against the share among held-out rows.",
    concern="rows of real people or things stand in the synthetic table as they are",
    topic="privacy",
    direction="lower",
    range=(0.0, 1.0),
    best=0.0,
    result=ExactCopiesResult,
    score=score,
    real_baseline=RealBaseline.holdout,
)
