"""Classifier two-sample test with a logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import MISSING, EncodedTable, Values, is_missing
from understudy.evaluation.metrics.base import Metric, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.classifier_tests import (
    N_FOLDS,
    N_ROWS_MIN,
    ClassifierTestResult,
    Discriminator,
    Floats,
    n_rows_tested,
    run_test,
)
from understudy.evaluation.models.classifiers import one_thread

N_ROWS_MAX = 10_000
# Number of categories with a separate feature. These are the most frequent categories of both tables
# together.
N_CATEGORIES = 10


class TwoSampleLinearResult(ClassifierTestResult):
    """AUC of a logistic regression that classifies rows as real or synthetic."""

    metric: Literal["two_sample_linear"] = "two_sample_linear"


def score(comparison: Comparison) -> TwoSampleLinearResult | UnscoredResult:
    """Return the out-of-fold AUC of a logistic regression: 0.5 for guessing, 1 for perfect detection."""
    if n_rows_tested(comparison, _DISCRIMINATOR) < N_ROWS_MIN:
        return UnscoredResult(reason=f"needs at least {N_ROWS_MIN} rows in each table")
    with one_thread():
        fields = run_test(comparison, _DISCRIMINATOR)
    return TwoSampleLinearResult(classifier=f"logistic regression, {N_FOLDS} folds", **fields)


def _features(_: Comparison, tables: Sequence[EncodedTable]) -> tuple[list[Floats], list[slice]]:
    """Return ranks, squared ranks and missingness of numbers, and one indicator per frequent category."""
    blocks = [
        _of_categories(values) if values.dtype == np.int32 else _of_numbers(values)
        for values in (
            np.concatenate(parts) for parts in zip(*(table.columns for table in tables), strict=True)
        )
    ]
    ends = np.cumsum([block.shape[1] for block in blocks])
    parts = [slice(int(end) - block.shape[1], int(end)) for end, block in zip(ends, blocks, strict=True)]
    whole = np.concatenate(blocks, axis=1)
    return np.split(whole, [tables[0].n_rows]), parts


def _of_numbers(values: Values) -> Floats:
    # Imported here because SciPy is slow to load, and listing the metrics does not require it.
    from scipy.stats import rankdata

    missing = is_missing(values)
    ranks = np.zeros(len(values))
    # Ranks range from -1 to 1 and are computed from the values of both tables so that both tables are treated
    # equally.
    ranks[~missing] = 2 * rankdata(values[~missing]) / max((~missing).sum(), 1) - 1
    return np.column_stack([ranks, ranks**2, missing])


def _of_categories(codes: Values) -> Floats:
    counts = np.bincount(codes[codes != MISSING], minlength=1)
    frequent = np.argsort(-counts, kind="stable")[:N_CATEGORIES]
    return np.column_stack([codes == code for code in (MISSING, *frequent)]).astype(np.float64)


def _fit(features: Floats, is_synthetic: NDArray[np.bool_], _: int) -> Any:
    # Imported here because scikit-learn uses 120 MB of memory, and only classifiers require it.
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    # Because of the penalty, Newton's method converges in a few iterations even for nearly equal columns.
    model = LogisticRegression(solver="newton-cholesky", max_iter=100)
    # On matrices of this size, multithreaded linear algebra takes fifteen times the processor time.
    with threadpool_limits(limits=1, user_api="blas"):
        return model.fit(features, is_synthetic)


_DISCRIMINATOR = Discriminator("two_sample_linear", N_ROWS_MAX, _features, _fit)

TWO_SAMPLE_LINEAR = Metric(
    name="two_sample_linear",
    title="Classifier two-sample test, linear",
    summary="Probability that a logistic regression picks the synthetic row out of a pair of one real and "
    "one synthetic row (AUC). 0.5 is guessing. The model uses each column separately, so a bad score "
    "indicates a basic fault.",
    concern="even a linear classifier can tell synthetic rows from real ones",
    source="Compare SDMetrics: LogisticDetection, which rescales the AUC and uses different features",
    topic="fidelity",
    direction="nearer",
    range=(0.0, 1.0),
    best=0.5,
    result=TwoSampleLinearResult,
    score=score,
    real_baseline=RealBaseline.holdout,
)
