"""Additive predictors in whole numbers, so that a sum does not depend on the order of its terms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.trees import Int32s, Int64s, Uint8s

Float64s = npt.NDArray[np.float64]


class Predictor(NamedTuple):
    """A sum of look-ups, one a feature, cut into at most 256 bins.

    Parameters
    ----------
    feature : array of shape (n_terms,)
        Which feature each term reads; empty: there is no predictor.
    weight : array of shape (n_terms, 256)
        What each of its values adds.
    scale : array of shape (2,)
        The lowest sum, and by how many bits its distance from there is shifted to give a place in `bins`.
    bins : array of shape (n_places,)
    """

    feature: Int32s
    weight: Int32s
    scale: Int64s
    bins: Uint8s


@njit(cache=True, nogil=True, inline="always")
def predict_row(predictor: Predictor, row: Uint8s) -> int:
    """Return the bin of a row's sum; sums beyond those of the fit fall into the outer bins."""
    total = -predictor.scale[0]
    for k in range(predictor.feature.shape[0]):
        total += predictor.weight[k, row[predictor.feature[k]]]
    place = total >> predictor.scale[1]
    return int(predictor.bins[min(max(place, 0), predictor.bins.shape[0] - 1)])


@njit(cache=True, nogil=True)
def add_terms(feature: Int32s, weight: Int32s, codes: Uint8s, out: Int64s) -> None:
    """Add the terms of an additive predictor for codes of shape (n_features, n_rows) to `out`."""
    for k in range(feature.shape[0]):
        column, values = codes[feature[k]], weight[k]
        for i in range(out.shape[0]):
            out[i] += values[column[i]]


@njit(cache=True, nogil=True)
def bin_sums(predictor: Predictor, sums: Int64s, out: Uint8s) -> None:
    """Write the bin of every sum, as `predict_row` does."""
    n_places = predictor.bins.shape[0]
    for i in range(sums.shape[0]):
        place = (sums[i] - predictor.scale[0]) >> predictor.scale[1]
        out[i] = predictor.bins[min(max(place, 0), n_places - 1)]


@njit(cache=True, nogil=True)
def solve_ridge(gram: Float64s, moments: Float64s, ridge: float) -> Float64s:
    """Return the weights w of ``(gram + ridge I) w = moments`` by Cholesky's decomposition.

    Written out because LAPACK's last bits depend on the number of its threads.
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
