"""How many synthetic rows stand in the training table as they are."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, StandIn


class ExactCopies(MetricResult):
    """Share of rows that equal a training row in every column."""

    metric: Literal["exact_copies"] = "exact_copies"
    n_copies: Annotated[int, Field(description="Rows that equal a training row.")]
    n_copies_of_unique: Annotated[
        int, Field(description="Rows that equal a training row which occurs only once in the training table.")
    ]


def score(comparison: Comparison) -> ExactCopies:
    """Return the share of rows, of all rows of the table, that equal a row of the whole real table.

    Notes
    -----
    Rows are compared by 64-bit hashes of their values: two different rows of two tables of a million rows
    meet by chance once in 18 million comparisons of such tables. Numbers count as equal when they are
    equal in double precision.
    """
    hashes, counts = np.unique(comparison.real.row_hashes, return_counts=True)
    asked = comparison.synthetic.row_hashes
    at = np.minimum(np.searchsorted(hashes, asked), len(hashes) - 1)
    is_copy = hashes[at] == asked
    return ExactCopies(
        score=float(np.mean(is_copy)),
        n_copies=int(is_copy.sum()),
        n_copies_of_unique=int((is_copy & (counts[at] == 1)).sum()),
        n_rows={"real": comparison.real.n_rows_total, "synthetic": comparison.synthetic.n_rows_total},
    )


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
    result=ExactCopies,
    score=score,
    stand_in=StandIn.fresh,
)
