"""Ahead-of-time compilation of all kernels through calls with tiny arrays of the actual types."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.kernels import (
    association,
    blocks,
    boosting,
    decoding,
    drawing,
    fingerprints,
    forests,
    hashing,
    hierarchy,
    neighbours,
    permutation,
    predictors,
    restricting,
    split_search,
    surroundings,
)
from understudy.kernels.boosting import BoostingRules, Observations
from understudy.kernels.decoding import CodedBins, CodedLevels
from understudy.kernels.drawing import Conditional
from understudy.kernels.forests import ColumnCodes, RowSampling
from understudy.kernels.hashing import StreamRows
from understudy.kernels.neighbours import Rows, Views
from understudy.kernels.predictors import Predictor
from understudy.kernels.restricting import Restricted, WeightedCodes
from understudy.kernels.trees import Features, GrowthRules

_SEED, _STREAM = np.uint64(0), np.uint64(0)
_ROW = np.zeros(1, np.uint64)
_DRAWS = StreamRows(_SEED, _STREAM, _ROW)


def compile_kernels() -> None:
    """Compile every kernel that other packages call, or load it from the cache."""
    _compile_chain()
    _compile_decoding()
    _compile_nearest()
    _compile_blocks()
    hashing.hash_rows(_SEED, _STREAM, _ROW, np.zeros(1, np.uint64))
    _compile_permutation()
    fingerprints.add_words(np.zeros(1, np.uint64), _SEED, np.zeros(1, np.uint64))
    fingerprints.is_among(np.zeros(1, np.uint32), np.zeros(1, np.uint32))


def _compile_chain() -> None:
    counts = np.array([1, 1, 1])
    codes = np.array([0, 1, 2], np.uint16)
    cuts, n_groups, child = hierarchy.build_hierarchy(counts)
    features = Features(np.zeros((1, 3), np.uint8), np.ones(1, np.int64), np.zeros(1, np.bool_))
    rules = GrowthRules(-1.0, 1.0, 1, 2, 1.0)
    starts = np.array([0, 1, 2, 3])
    table = split_search.log_gamma_tables()
    column = ColumnCodes(codes, starts, cuts, n_groups)
    forest = forests.grow_forest(features, column, rules, RowSampling(1, 1.0, _SEED), table)
    predictor = Predictor(
        np.zeros(1, np.int32),
        np.zeros((1, 256), np.int32),
        np.zeros(2, np.int64),
        np.zeros(1, np.uint8),
        np.zeros((2, 1), np.int16),
        np.zeros((2, 1), np.uint8),
        np.zeros((2, 2), np.int32),
    )
    sums = np.zeros(3, np.int64)
    predictors.exists(predictor)
    predictors.add_terms(predictor.feature, predictor.weight, features.codes, sums)
    predictors.bin_sums(predictor, sums, np.zeros(3, np.uint8))
    predictors.add_trees(predictor, features.codes, np.zeros(3, np.uint8), sums)
    _compile_boosting(features.codes)
    association.mutual_information(features.codes, 0, 1)
    predictors.solve_ridge(np.eye(2), np.ones(2), 1.0)
    rows, coarse = np.zeros((3, 2), np.uint8), np.zeros(3, np.uint8)
    draws = StreamRows(_SEED, _STREAM, np.zeros(3, np.uint64))
    conditional = Conditional(child, forest, predictor, coarse)
    drawing.draw_column(rows, 1, draws, conditional, codes)
    within = Restricted(conditional, restricting.restrict(child, np.array([True, False, False])))
    restricting.draw_within(rows, 1, draws, within, WeightedCodes(codes, np.ones(3)))
    drawing.add_log_probability(rows, 1, conditional, hierarchy.find_paths(child, 3), codes, np.zeros(3))


def _compile_boosting(features: npt.NDArray[np.uint8]) -> None:
    target = np.zeros(features.shape[1])
    rules = BoostingRules(
        is_class=True, n_trees=1, depth=1, rate=0.1, ridge=1.0, hessian_min=1.0, fraction=0.5
    )
    boosted = boosting.fit_boosted(features, Observations(target, target, target), rules, _SEED)
    boosting.add_scores(boosted, np.ascontiguousarray(features.T), target)


def _compile_decoding() -> None:
    codes = np.zeros(1, np.uint16)
    knot_row, knots = np.zeros(1, np.int32), np.zeros((1, 9))
    ticks, floats, indices = np.zeros(1, np.uint64), np.zeros(1), np.zeros(1, np.int32)
    decoding.decode_ticks(codes, CodedBins(0, ticks, knot_row, knots), _DRAWS, ticks.copy())
    decoding.decode_floats(codes, CodedBins(0, floats, knot_row, knots), _DRAWS, floats.copy())
    decoding.draw_from_marginal(ticks, _DRAWS, codes)
    levels = CodedLevels(0, indices, indices + indices.dtype.type(1), np.arange(2))
    decoding.decode_levels(codes, levels, _DRAWS, indices.copy())


def _compile_permutation() -> None:
    n, key = np.uint64(1), np.uint64(0)
    permutation.permute(_ROW, n, key, np.zeros(1, np.uint64))
    permutation.unpermute(_ROW, n, key, np.zeros(1, np.uint64))
    permutation.permute_windows(_ROW, n, n, key)
    permutation.unpermute_windows(_ROW, n, n, key)


def _compile_nearest() -> None:
    numbers, codes = np.zeros((1, 1), np.float32), np.zeros((1, 1), np.int32)
    rows, left_out = Rows(numbers, codes), np.zeros(1, np.int64)
    neighbours.nearest_rows(rows, rows, Views(np.zeros(2, np.bool_), left_out), 1)
    neighbours.fewest_differences(rows, rows, 0.0)
    surroundings.kth_distances(rows, rows, left_out, 1)
    surroundings.find_within(rows, rows, np.zeros(1, np.float32))


def _compile_blocks() -> None:
    subjects, is_first = np.zeros(1, np.int64), np.ones(1, np.bool_)
    blocks.find_blocks(subjects, is_first, is_first, 1, 1)
    blocks.mark_first_rows(subjects, np.zeros(1, np.int64), 1)
