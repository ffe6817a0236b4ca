"""Predictors in integer arithmetic, so that sums do not depend on the order of their terms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.trees import Int32s, Int64s, Uint8s

Int16s = npt.NDArray[np.int16]

Float64s = npt.NDArray[np.float64]


class Predictor(NamedTuple):
    """Predictor that adds one table lookup per feature and the values of boosted trees, and bins the sum.

    Parameters
    ----------
    feature : array of shape (n_terms,)
        Feature of each term. Empty if there is no additive part.
    weight : array of shape (n_terms, 256)
        Summand for each term and each value of its feature.
    scale : array of shape (2,)
        Lowest sum, and a number of bits. A sum minus the lowest sum, shifted right by this number, is an
        index in `bins`.
    bins : array of shape (n_places,)
        Bin, from 0 to 255, for each shifted difference.
    tree_feature, tree_threshold : array of shape (n_trees, 2**depth - 1)
        Trees in the format of `boosting.Boosted`. The first half of the trees was grown on one half of the
        rows, and the second half of the trees on all other rows. The sum for a row uses only one half of the
        trees. A fit can thus use the trees that were not grown on this row.
    tree_leaf : array of shape (n_trees, 2**depth)
        Values of the leaves.
    """

    feature: Int32s
    weight: Int32s
    scale: Int64s
    bins: Uint8s
    tree_feature: Int16s
    tree_threshold: Uint8s
    tree_leaf: Int32s


@njit(cache=True, nogil=True, inline="always")
def exists(predictor: Predictor) -> bool:
    """Return whether the predictor has terms or trees."""
    return bool(predictor.feature.shape[0] > 0 or predictor.tree_feature.shape[0] > 0)


@njit(cache=True, nogil=True)
def _add_trees(predictor: Predictor, row: Uint8s, half: int) -> int:
    n, n_inner = predictor.tree_feature.shape[0] // 2, predictor.tree_feature.shape[1]
    total = np.int64(0)
    for t in range(half * n, half * n + n):
        feature, threshold = predictor.tree_feature[t], predictor.tree_threshold[t]
        v = 0
        while v < n_inner:
            v = 2 * v + 1 + (row[feature[v]] > threshold[v])
        total += predictor.tree_leaf[t, v - n_inner]
    return int(total)


@njit(cache=True, nogil=True, inline="always")
def predict_row(predictor: Predictor, row: Uint8s, half: int) -> int:
    """Return the bin for a row, using one half of the trees. Sums outside the range get the nearest bin."""
    total = -predictor.scale[0]
    for k in range(predictor.feature.shape[0]):
        total += predictor.weight[k, row[predictor.feature[k]]]
    if predictor.tree_feature.shape[0] > 0:
        total += _add_trees(predictor, row, half)
    place = total >> predictor.scale[1]
    return int(predictor.bins[min(max(place, 0), predictor.bins.shape[0] - 1)])


@njit(cache=True, nogil=True)
def add_terms(feature: Int32s, weight: Int32s, codes: Uint8s, out: Int64s) -> None:
    """Add the terms of the additive part to `out`, for codes of shape (n_features, n_rows)."""
    for k in range(feature.shape[0]):
        column, values = codes[feature[k]], weight[k]
        for i in range(out.shape[0]):
            out[i] += values[column[i]]


@njit(cache=True, nogil=True)
def add_trees(predictor: Predictor, codes: Uint8s, half: Uint8s, out: Int64s) -> None:
    """Add the trees of the half that each row uses to `out`, for codes of shape (n_features, n_rows)."""
    row = np.empty(codes.shape[0], np.uint8)
    for i in range(out.shape[0]):
        row[:] = codes[:, i]
        out[i] += _add_trees(predictor, row, half[i])


@njit(cache=True, nogil=True)
def bin_sums(predictor: Predictor, sums: Int64s, out: Uint8s) -> None:
    """Write the bin of every sum, computed as in `predict_row`."""
    n_places = predictor.bins.shape[0]
    for i in range(sums.shape[0]):
        place = (sums[i] - predictor.scale[0]) >> predictor.scale[1]
        out[i] = predictor.bins[min(max(place, 0), n_places - 1)]


@njit(cache=True, nogil=True)
def solve_ridge(gram: Float64s, moments: Float64s, ridge: float) -> Float64s:
    """Return the solution w of ``(gram + ridge I) w = moments`` by Cholesky decomposition.

    LAPACK is not used, because the last bits of its results depend on its number of threads.
    """
    n = gram.shape[0]
    factor = np.zeros((n, n))
    w = np.empty(n)
    for i in range(n):
        for j in range(i + 1):
            value = gram[i, j] + (ridge if i == j else 0.0)
            for k in range(j):
                value -= factor[i, k] * factor[j, k]
            factor[i, j] = np.sqrt(value) if i == j else value / factor[j, j]
        w[i] = moments[i]
        for k in range(i):
            w[i] -= factor[i, k] * w[k]
        w[i] /= factor[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            w[i] -= factor[k, i] * w[k]
        w[i] /= factor[i, i]
    return w
