"""One additive predictor per column: a ridge regression of the column's normal score on earlier columns.

All terms are integer multiples of 1 / UNIT, so sums are exact in float64. The result therefore does not
depend on the number of threads in the linear algebra library.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from understudy.kernels import predictors
from understudy.kernels.predictors import Predictor

UNIT = 1024
# Weights are stored as integer multiples of 2**-16.
WEIGHT_UNIT = 2.0**16
N_ROWS_MAX = 50_000
# Maximum number of cells. For wide tables, this limit reduces the number of rows, because the work grows with
# rows * columns**2.
N_CELLS_MAX = 12_500_000
N_CELLS_BLOCK = 1_000_000
# Fixed cost of counting a pair of columns, expressed as the number of rows that take the same time to count.
# The second value is the number of term products that take the same time as counting one row.
N_ROWS_PAIR = 40_000
N_PRODUCTS_ROW = 6
N_ONE_HOT_MAX = 24
RIDGE = 1.0
# Minimum share of the variance that a predictor must explain to be used.
R2_MIN = 0.1
N_BINS = 256
N_PLACES = 8192

Floats = npt.NDArray[np.float64]
CoarseCodes = npt.NDArray[np.uint8]

NO_PREDICTOR = Predictor(
    np.zeros(0, np.int32),
    np.zeros((0, 256), np.int32),
    np.zeros(2, np.int64),
    np.zeros(1, np.uint8),
    np.zeros((0, 1), np.int16),
    np.zeros((0, 1), np.uint8),
    np.zeros((0, 2), np.int32),
)


@dataclass(frozen=True, eq=False, repr=False)
class Moments:
    """Second moments of the terms of all columns, in the order of the chain.

    Parameters
    ----------
    gram : array of shape (n_terms, n_terms)
        Gram matrix of the terms. Term 0 is the constant.
    values : array of shape (n_terms, 256)
        Value of each term for each coarse code of its column.
    column : array of shape (n_terms,)
        Column position of each term, or -1 for the constant.
    target : array of shape (n_columns,)
        Index of the term that is the column's normal score, or -1 if the column is not ordinal.
    """

    gram: Floats
    values: Floats
    column: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]


def choose_rows(n_rows: int, n_columns: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the row numbers for fitting predictors, in ascending order: all rows, or a sample."""
    n_max = min(N_ROWS_MAX, N_CELLS_MAX // n_columns)
    if n_rows <= n_max:
        return np.arange(n_rows)
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(n_rows, n_max, replace=False))


def fit_moments(codes: CoarseCodes, is_ordinal: list[bool]) -> Moments:
    """Return the second moments of the terms, from coarse codes of shape (n_columns, n_rows)."""
    values, column = find_terms(codes, is_ordinal)
    target = [int(np.searchsorted(column, j)) if ordinal else -1 for j, ordinal in enumerate(is_ordinal)]
    n_columns, n_rows = codes.shape
    n_rows_counted = n_columns**2 // 2 * (n_rows + N_ROWS_PAIR)
    is_counted = n_rows_counted * N_PRODUCTS_ROW < len(values) ** 2 * n_rows
    gram = (counted_gram if is_counted else dense_gram)(codes, values, column)
    return Moments(gram / UNIT**2, values / UNIT, column, np.array(target))


def find_terms(codes: CoarseCodes, is_ordinal: list[bool]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the values of the terms for each coarse code, in multiples of 1 / UNIT, and their columns.

    The first term is the constant. Its column is -1.
    """
    values, column = [np.full(256, float(UNIT))], [-1]
    for j, ordinal in enumerate(is_ordinal):
        counts = np.bincount(codes[j], minlength=256)
        own = _ordinal_terms(counts) if ordinal else _one_hot_terms(counts)
        values += own
        column += [j] * len(own)
    return np.array(values), np.array(column)


def dense_gram(codes: CoarseCodes, values: Floats, column: npt.NDArray[np.int64]) -> Floats:
    """Return the Gram matrix as a product of the terms of all rows, which is fast for few terms."""
    gram = np.zeros((len(values), len(values)))
    n_rows_block = max(N_CELLS_BLOCK // len(values), 64)
    for start in range(0, codes.shape[1], n_rows_block):
        block = codes[:, start : start + n_rows_block]
        # The constant has the same value for every code, so it may use the codes of column 0.
        design = np.array([v[block[max(c, 0)]] for v, c in zip(values, column, strict=True)])
        # All sums are integers below 2**53, so they are exact in any order of summation.
        gram += design @ design.T
    return gram


def counted_gram(codes: CoarseCodes, values: Floats, column: npt.NDArray[np.int64]) -> Floats:
    """Return the Gram matrix from the counts of pairs of codes, which is fast for many terms per column.

    The sums are exact, so the result equals the result of `dense_gram`.
    """
    # The constant has the same value for every code, so it may use the codes of column 0.
    terms = [np.flatnonzero(np.maximum(column, 0) == j) for j in range(len(codes))]
    used = [(j, own, int(codes[j].max()) + 1) for j, own in enumerate(terms) if len(own)]
    whole = codes.astype(np.int64)
    gram = np.zeros((len(values), len(values)))
    for i, (first, rows, n_first) in enumerate(used):
        scaled = whole[first] * 256
        for second, columns, n_second in used[i:]:
            pairs = np.bincount(scaled + whole[second], minlength=256 * n_first).reshape(n_first, 256)
            sums = values[rows, :n_first] @ pairs[:, :n_second] @ values[columns, :n_second].T
            gram[np.ix_(rows, columns)] = sums
            gram[np.ix_(columns, rows)] = sums.T
    return gram


def _ordinal_terms(counts: npt.NDArray[np.int64]) -> list[Floats]:
    """Return the normal score of every code's middle rank, and the square of the score."""
    rank = (np.cumsum(counts) - counts / 2) / counts.sum()
    normal = NormalDist()
    score = np.array([normal.inv_cdf(p) for p in np.clip(rank, 1e-4, 1 - 1e-4).tolist()])
    return [np.rint(score * UNIT), np.rint(score**2 * UNIT)]


def _one_hot_terms(counts: npt.NDArray[np.int64]) -> list[Floats]:
    n = int(np.flatnonzero(counts)[-1]) + 1
    return [np.eye(256)[k] * UNIT for k in range(n - 1)] if n <= N_ONE_HOT_MAX else []


def fit_predictor(
    moments: Moments, position: int, predecessors: npt.NDArray[np.int64], codes: CoarseCodes
) -> Predictor:
    """Return the predictor of a column from some of the columns before it, or NO_PREDICTOR.

    Parameters
    ----------
    moments : Moments
        Second moments of all columns.
    position : int
        Position of the column in the chain.
    predecessors : array of shape (n_predecessors,)
        Ascending positions of the columns that the predictor uses.
    codes : array of shape (n_columns, n_rows)
        Coarse codes that the moments were computed from.
    """
    target = int(moments.target[position])
    used = np.flatnonzero(np.isin(moments.column, [-1, *predecessors]))
    if target < 0 or len(used) < 2:
        return NO_PREDICTOR
    gram = np.ascontiguousarray(moments.gram[np.ix_(used, used)])
    products = np.ascontiguousarray(moments.gram[used, target])
    weights = predictors.solve_ridge(gram, products, RIDGE)
    residual = moments.gram[target, target] - 2 * weights @ products + weights @ gram @ weights
    n = moments.gram[0, 0]
    variance = moments.gram[target, target] / n - (moments.gram[0, target] / n) ** 2
    if 1 - residual / n / max(variance, 1e-9) < R2_MIN:
        return NO_PREDICTOR
    return _tabulate(moments, used[1:], weights[1:], codes)


def _tabulate(
    moments: Moments, terms: npt.NDArray[np.int64], weights: Floats, codes: CoarseCodes
) -> Predictor:
    feature = np.unique(moments.column[terms])
    table = np.zeros((len(feature), 256))
    for term, weight in zip(terms, weights, strict=True):
        table[np.searchsorted(feature, moments.column[term])] += weight * moments.values[term]
    whole = np.rint(np.clip(table, -1e3, 1e3) * WEIGHT_UNIT).astype(np.int32)
    sums = np.zeros(codes.shape[1], np.int64)
    predictors.add_terms(feature.astype(np.int32), whole, codes, sums)
    predictor = NO_PREDICTOR._replace(feature=feature.astype(np.int32), weight=whole)
    return with_bins(predictor, sums)


def with_bins(predictor: Predictor, sums: npt.NDArray[np.int64]) -> Predictor:
    """Return the predictor with bins that contain nearly equal numbers of the given sums."""
    # Quantiles of sorted numbers are faster to compute.
    ordered = np.sort(sums)
    edges = np.unique(np.quantile(ordered, np.linspace(0, 1, N_BINS + 1)[1:-1]))
    low, high = int(ordered[0]), int(ordered[-1])
    shift = max((high - low).bit_length() - (N_PLACES - 1).bit_length(), 0)
    middle = low + ((np.arange(((high - low) >> shift) + 1) + 0.5) * 2.0**shift)
    bins = np.searchsorted(edges, middle).astype(np.uint8)
    return predictor._replace(scale=np.array([low, shift]), bins=bins)


def add_up(predictor: Predictor, codes: CoarseCodes, half: CoarseCodes) -> npt.NDArray[np.int64]:
    """Return the predictor's sums for coarse codes of shape (n_columns, n_rows), given each row's half."""
    sums = np.zeros(codes.shape[1], np.int64)
    predictors.add_terms(predictor.feature, predictor.weight, codes, sums)
    if len(predictor.tree_feature):
        predictors.add_trees(predictor, codes, half, sums)
    return sums


def predict(predictor: Predictor, codes: CoarseCodes, half: CoarseCodes) -> CoarseCodes:
    """Return the predictor's bins for coarse codes of shape (n_columns, n_rows), given each row's half."""
    sums = add_up(predictor, codes, half)
    out = np.empty(codes.shape[1], np.uint8)
    predictors.bin_sums(predictor, sums, out)
    return out
