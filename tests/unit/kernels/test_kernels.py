"""Tests that compare the kernels with slow reference implementations."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.kernels import reference
from understudy.kernels import (
    association,
    blocks,
    decoding,
    drawing,
    forests,
    hashing,
    hierarchy,
    permutation,
    predictors,
    split_search,
    trees,
)
from understudy.kernels.hashing import StreamRows
from understudy.kernels.trees import Features, GrowthRules
from understudy.synthesizers.tree_chain.additive import NO_PREDICTOR
from understudy.transformers.base import consecutive_rows

# The first call can compile kernels, so there is no deadline.
without_deadline = settings(deadline=None)
WORD = st.integers(0, 2**64 - 1)
RULES = [
    GrowthRules(-1.0, 1.0, 5, 24, 4.0),
    GrowthRules(0.0, 1.0, 1, 3, 1.0),
    GrowthRules(2.0, 0.5, 20, 24, 16.0),
]


def as_array(values: list[Any], dtype: Any) -> npt.NDArray[Any]:
    return np.array(values, dtype=dtype)


@without_deadline
@given(seed=WORD, stream=st.integers(0, 2**40), row=st.integers(0, 2**63))
def test_hash_matches_reference_implementation(seed: int, stream: int, row: int) -> None:
    out = np.zeros(3, np.uint64)
    hashing.hash_rows(np.uint64(seed), np.uint64(stream), consecutive_rows(row, 3), out)
    assert out.tolist() == [reference.word(seed, stream, row + i) for i in range(3)]


def test_hashes_of_consecutive_rows_are_uncorrelated() -> None:
    out = np.zeros(10_000, np.uint64)
    hashing.hash_rows(np.uint64(0), np.uint64(0), consecutive_rows(0, 10_000), out)
    bits = (out[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    # Each of the 64 means has a standard deviation of 0.005. The tolerance is six standard deviations.
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.03
    assert np.abs((bits[1:] ^ bits[:-1]).mean(axis=0) - 0.5).max() < 0.03


@without_deadline
@given(st.integers(1, 4), st.integers(0, 10**9))
def test_log_gamma_matches_math_lgamma(n_alphas: int, count: int) -> None:
    got = split_search.log_gamma(split_search.log_gamma_tables(), n_alphas, count)
    assert got == pytest.approx(math.lgamma(count + n_alphas * split_search.ALPHA), rel=1e-12, abs=1e-12)


@without_deadline
@given(st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_hierarchy_matches_reference_implementation(counts: list[int]) -> None:
    cuts, n_groups, child = hierarchy.build_hierarchy(as_array(counts, np.int64))
    got = [tuple(row[: n + 1].tolist()) for row, n in zip(cuts, n_groups, strict=True)]
    assert got == reference.hierarchy(counts)
    leaves = sorted({-c - 1 for row in child.tolist() for c in row if c < 0})
    assert leaves == (list(range(len(counts))) if len(counts) > 1 else [])


def random_features(
    rng: np.random.Generator, n_rows: int, n_features: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    sizes = rng.choice([2, 5, 40, 256], n_features)
    codes = np.array([rng.integers(0, size, n_rows) for size in sizes], dtype=np.uint8)
    return codes.reshape(n_features, n_rows), rng.random(n_features) < 0.4


def grow_fast(
    codes: Any, is_category: Any, labels: Any, n_classes: int, rules: GrowthRules
) -> tuple[trees.Tree, int]:
    n = len(labels)
    table = split_search.log_gamma_tables()
    tree, scratch = trees.make_tree(2 * n + 3), trees.make_scratch(n, 2 * n + 3, table)
    features = Features(codes, np.full(len(codes), 256), is_category)
    known = split_search.LabelledRows(np.arange(n, dtype=np.int32), labels.copy(), n_classes)
    return tree, trees.grow_tree(features, known, rules, tree, scratch)


def assert_same_tree(tree: trees.Tree, v: int, node: reference.Node, is_category: Any) -> int:
    """Compare the tree below node v with the reference tree, and return its number of nodes."""
    n_classes = len(node.probability)
    assert tree.end[v] - tree.start[v] == node.n_rows
    assert tree.probability[v, :n_classes] == pytest.approx(node.probability)
    assert tree.feature[v] == node.feature
    if node.children is None:
        return 1
    if is_category[node.feature]:
        assert node.goes_left == {x for x in range(256) if trees.in_mask(tree.mask[v], x)}
    else:
        assert tree.threshold[v] == max(node.goes_left)
    left = int(tree.left[v])
    sides = zip((left, left + 1), node.children, strict=True)
    return 1 + sum(assert_same_tree(tree, w, child, is_category) for w, child in sides)


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("seed", range(12))
def test_trees_match_reference_implementation(seed: int, rules: GrowthRules) -> None:
    rng = np.random.default_rng(seed)
    n, n_classes = int(rng.integers(1, 120)), int(rng.integers(2, 5))
    codes, is_category = random_features(rng, n, int(rng.integers(0, 4)))
    # Half of the labels depend on the first feature, so that the trees can find splits.
    signal = codes[0].astype(int) * n_classes // 256 if len(codes) else np.zeros(n, int)
    labels = np.where(rng.random(n) < 0.5, signal, rng.integers(0, n_classes, n)).astype(np.uint8)
    tree, n_nodes = grow_fast(codes, is_category, labels, n_classes, rules)
    label = dict(enumerate(labels.tolist()))
    expected = reference.grow(codes.tolist(), is_category.tolist(), list(range(n)), label, n_classes, rules)
    assert assert_same_tree(tree, 0, expected, is_category) == n_nodes


def grow_forest(
    codes: Any, features: Any, is_category: Any, rules: GrowthRules = RULES[0]
) -> tuple[forests.Forest, npt.NDArray[np.int32]]:
    counts = np.bincount(codes)
    cuts, n_groups, child = hierarchy.build_hierarchy(counts)
    starts = np.concatenate(([0], np.cumsum(counts)))
    tree_features = Features(features, np.full(len(features), 256), is_category)
    table = split_search.log_gamma_tables()
    column = forests.ColumnCodes(codes, starts, cuts, n_groups)
    sampling = forests.RowSampling(1, 1.0, np.uint64(0))
    return forests.grow_forest(tree_features, column, rules, sampling, table), child


def probabilities(forest: forests.Forest, child: Any, row: Any, n_codes: int) -> list[float]:
    """Return the probability of every code, as the product of the choices on its path."""
    out = [0.0] * n_codes

    def walk(choice: int, mass: float) -> None:
        if choice < 0:
            out[-choice - 1] += mass
            return
        leaf = drawing.find_leaf(forest.node, forest.mask, forest.root[choice, 0], row)
        bounds = [0, *forest.cumulative[leaf].tolist(), 2**32]
        for g in range(4):
            walk(int(child[choice, g]), mass * (bounds[g + 1] - bounds[g]) / 2**32)

    walk(0, 1.0)
    return out


def test_forest_without_features_predicts_the_frequencies_of_codes() -> None:
    counts = [50, 20, 10, 10, 5, 3, 1, 1]
    codes = np.repeat(np.arange(8), counts).astype(np.uint16)
    forest, child = grow_forest(codes, np.zeros((0, 100), np.uint8), np.zeros(0, bool))
    got = probabilities(forest, child, np.zeros(1, np.uint8), 8)
    # The root of each tree is smoothed with half a pseudo-row from the uniform distribution.
    assert got == pytest.approx(np.array(counts) / 100, abs=0.01)


def test_sampled_codes_follow_the_probabilities_of_the_forest() -> None:
    rng = np.random.default_rng(0)
    codes = np.sort(rng.integers(0, 23, 3000)).astype(np.uint16)
    features = (codes[None] * 11 % 256).astype(np.uint8)
    forest, child = grow_forest(codes, features, np.zeros(1, bool))
    n = 20_000
    rows = np.zeros((n, 2), np.uint8)
    rows[:, 0] = 7 * 11
    drawn = np.zeros(n, np.uint16)
    coarse = np.arange(100, 123).astype(np.uint8)
    draws = StreamRows(np.uint64(1), np.uint64(2), consecutive_rows(3, n))
    drawing.draw_column(rows, 1, draws, drawing.Conditional(child, forest, NO_PREDICTOR, coarse), drawn)
    expected = np.array(probabilities(forest, child, rows[0], 23))
    # The tolerance is six standard deviations of a share among n samples.
    tolerance = 6 * np.sqrt(expected * (1 - expected) / n) + 1e-4
    assert (np.abs(np.bincount(drawn, minlength=23) / n - expected) < tolerance).all()
    assert (rows[:, 1] == coarse[drawn]).all()


def test_log_probabilities_match_the_distribution_of_samples() -> None:
    rng = np.random.default_rng(0)
    codes = np.sort(rng.integers(0, 23, 3000)).astype(np.uint16)
    forest, child = grow_forest(codes, (codes[None] * 11 % 256).astype(np.uint8), np.zeros(1, bool))
    rows = np.zeros((23, 2), np.uint8)
    rows[:, 0] = 7 * 11
    paths, every = hierarchy.find_paths(child, 23), np.arange(23, dtype=np.uint16)
    out = np.ones(23)
    conditional = drawing.Conditional(child, forest, NO_PREDICTOR, np.zeros(23, np.uint8))
    drawing.add_log_probability(rows, 1, conditional, paths, every, out)
    assert np.exp(out - 1) == pytest.approx(probabilities(forest, child, rows[0], 23), abs=1e-8)


@without_deadline
@given(st.lists(st.integers(1, 50), min_size=2, max_size=60))
def test_every_path_in_the_hierarchy_ends_at_its_code(counts: list[int]) -> None:
    _, _, child = hierarchy.build_hierarchy(as_array(counts, np.int64))
    choice, group, length = hierarchy.find_paths(child, len(counts))
    for code in range(len(counts)):
        at = 0
        for k in range(length[code]):
            assert at == choice[code, k]
            at = int(child[at, group[code, k]])
        assert at == -code - 1


def test_leaves_of_cross_fitted_trees_count_only_rows_that_did_not_grow_the_tree() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 4000).astype(np.uint16)
    # With noise and a negative penalty, trees overfit if they count their own rows.
    noise = rng.integers(0, 256, (1, 4000)).astype(np.uint8)
    own, _ = grow_forest(codes, noise, np.zeros(1, bool), GrowthRules(-9.0, 1.0, 5, 24, 4.0))
    crossed, _ = grow_forest(codes, noise, np.zeros(1, bool), GrowthRules(-9.0, 1.0, 5, 24, 4.0, 20))
    spread = [np.std(forest.cumulative[:, 0] / 2**32) for forest in (own, crossed)]
    assert spread[1] < spread[0] / 2
    # The trees divide 2000 rows into leaves of at least 20 rows.
    assert 1 < len(crossed.cumulative) <= 100


def test_trees_for_one_choice_are_grown_on_different_rows() -> None:
    codes = np.repeat([0, 1], 500).astype(np.uint16)
    cuts, n_groups, _ = hierarchy.build_hierarchy(np.array([500, 500]))
    features = Features(np.zeros((0, 1000), np.uint8), np.zeros(0, np.int64), np.zeros(0, np.bool_))
    column = forests.ColumnCodes(codes, np.array([0, 500, 1000]), cuts, n_groups)
    sampling = forests.RowSampling(8, 0.5, np.uint64(3))
    table = split_search.log_gamma_tables()
    forest = forests.grow_forest(features, column, RULES[0], sampling, table)
    shares = forest.cumulative[:, 0] / 2**32
    assert forest.root.shape == (1, 8)
    assert len(set(shares.tolist())) > 1
    # The tolerance is six standard deviations of the share in about 500 rows.
    assert np.abs(shares - 0.5).max() < 6 * 0.5 / np.sqrt(500)


@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_ridge_solution_matches_numpy(n: int) -> None:
    rng = np.random.default_rng(n)
    design = rng.normal(size=(50, n))
    gram, moments = design.T @ design, rng.normal(size=n)
    expected = np.linalg.solve(gram + 2.0 * np.eye(n), moments)
    assert predictors.solve_ridge(gram, moments, 2.0) == pytest.approx(expected)


@without_deadline
@given(st.integers(0, 2**32 - 1))
def test_predictor_bins_the_sum_of_its_terms(seed: int) -> None:
    rng = np.random.default_rng(seed)
    feature = np.array([0, 2], np.int32)
    weight = rng.integers(-1000, 1000, (2, 256)).astype(np.int32)
    bins = rng.integers(0, 256, 100).astype(np.uint8)
    predictor = NO_PREDICTOR._replace(feature=feature, weight=weight, scale=np.array([-500, 3]), bins=bins)
    codes = rng.integers(0, 256, (3, 20)).astype(np.uint8)
    sums, bins = np.zeros(20, np.int64), np.zeros(20, np.uint8)
    predictors.add_terms(feature, weight, codes, sums)
    predictors.bin_sums(predictor, sums, bins)
    for i in range(20):
        total = int(weight[0, codes[0, i]]) + int(weight[1, codes[2, i]])
        place = min(max((total + 500) // 8, 0), 99)
        assert sums[i] == total
        assert bins[i] == predictor.bins[place] == predictors.predict_row(predictor, codes[:, i], 0)


@without_deadline
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=8), WORD)
def test_binary_search_for_the_first_higher_bound_matches_linear_search(bounds: list[int], word: int) -> None:
    ordered = sorted(bounds)
    expected = next((i for i, bound in enumerate(ordered) if bound > word), len(ordered) - 1)
    assert decoding.find_first_above(as_array(ordered, np.uint64), np.uint64(word)) == expected


@without_deadline
@given(seed=WORD, first_row=st.integers(0, 2**62))
def test_decoded_ticks_match_reference_implementation(seed: int, first_row: int) -> None:
    codes = as_array([0, 1, 2, 1, 1], np.uint16)
    starts, knot_row = as_array([100, 2**63], np.uint64), as_array([0, -1], np.int32)
    knots = np.linspace(0, 50, 9)[None] ** 1.5
    out = np.zeros(5, np.uint64)
    draws = StreamRows(np.uint64(seed), np.uint64(9), consecutive_rows(first_row, 5))
    decoding.decode_ticks(codes, decoding.CodedBins(1, starts, knot_row, knots), draws, out)
    for i, code in enumerate(codes.tolist()):
        place = (reference.word(seed, 9, first_row + i) >> 11) / 2**53 * 8
        offset = np.interp(place, np.arange(9), knots[0])
        expected = 2**63 if code == 2 else 100 + round(offset)
        assert abs(int(out[i]) - expected) <= (abs(offset % 1 - 0.5) < 1e-9)


def test_numbers_in_tails_match_reference_implementation() -> None:
    codes, out = as_array([0, 1] * 500, np.uint16), np.zeros(1000)
    draws = StreamRows(np.uint64(1), np.uint64(2), consecutive_rows(0, 1000))
    offsets = np.arange(decoding.N_TAIL_LEVELS) ** 2.0
    lower, upper = decoding.CodedTail(0.3, offsets), decoding.CodedTail(0.4, 2 * offsets)
    starts, knots = np.array([5.0, 7.0]), np.linspace(0, 1, 9)[None].repeat(2, axis=0)
    bins = decoding.CodedBins(0, starts, as_array([0, 1], np.int32), knots, lower, upper)
    decoding.decode_floats(codes, bins, draws, out)
    levels = np.arange(decoding.N_TAIL_LEVELS)
    for i, code in enumerate(codes.tolist()):
        unit = (reference.word(1, 2, i) >> 11) / 2**53
        is_in_tail = unit >= 0.6 if code else unit < 0.3
        survival = (1 - unit) / 0.4 if code else unit / 0.3
        distance = np.interp(-4 * np.log2(survival), levels, offsets)
        above, below = (8 + 2 * distance, 7 + unit / 0.6), (5 - distance, 5 + (unit - 0.3) / 0.7)
        assert out[i] == pytest.approx((above if code else below)[not is_in_tail])


def test_decoded_floats_match_reference_implementation() -> None:
    codes, out = np.ones(1000, np.uint16), np.zeros(1000)
    draws = StreamRows(np.uint64(1), np.uint64(2), consecutive_rows(0, 1000))
    bins = decoding.CodedBins(1, np.array([5.0]), np.zeros(1, np.int32), np.linspace(0, 1, 9)[None])
    decoding.decode_floats(codes, bins, draws, out)
    expected = [5 + (reference.word(1, 2, i) >> 11) / 2**53 for i in range(1000)]
    assert out.tolist() == pytest.approx(expected)


@without_deadline
@given(seed=WORD, counts=st.lists(st.integers(1, 2**40), min_size=4, max_size=4))
def test_sampled_levels_match_reference_implementation(seed: int, counts: list[int]) -> None:
    # Code 0 represents missing values. Codes 1 and 2 represent groups of levels, and code 3 pools all levels.
    codes, out = as_array([0, 1, 2, 3] * 50, np.uint16), np.zeros(200, np.int32)
    begin, end = as_array([0, 1, 0], np.int32), as_array([1, 4, 4], np.int32)
    sums = np.concatenate(([0], np.cumsum(counts)))
    draws = StreamRows(np.uint64(seed), np.uint64(0), consecutive_rows(0, 200))
    decoding.decode_levels(codes, decoding.CodedLevels(1, begin, end, sums), draws, out)
    for i, code in enumerate(codes.tolist()):
        group = max(code - 1, 0)
        own = list(range(begin[group], end[group]))
        assert out[i] == reference.level(own, counts, reference.word(seed, 0, i))


def test_samples_from_a_marginal_distribution_match_reference_implementation() -> None:
    cumulative = as_array([2**62, 2**63, 2**64 - 1], np.uint64)
    codes = np.zeros(200, np.uint16)
    draws = StreamRows(np.uint64(3), np.uint64(4), consecutive_rows(5, 200))
    decoding.draw_from_marginal(cumulative, draws, codes)
    words = [reference.word(3, 4, 5 + i) for i in range(200)]
    assert codes.tolist() == [0 if w < 2**62 else 1 if w < 2**63 else 2 for w in words]


def test_mutual_information_matches_its_definition() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, [[3], [16], [1]], (3, 400)).astype(np.uint8)
    groups[1, :200] = groups[0, :200]
    got = association.mutual_information(groups, 1, 3)
    for c in range(3):
        pairs = list(zip(groups[c].tolist(), groups[1].tolist(), strict=True))
        p = {pair: pairs.count(pair) / 400 for pair in set(pairs)}
        a = {x: (groups[c] == x).mean() for x in set(groups[c].tolist())}
        b = {y: (groups[1] == y).mean() for y in set(groups[1].tolist())}
        plain = sum(q * math.log(q / (a[x] * b[y])) for (x, y), q in p.items())
        assert got[c] == pytest.approx(plain - (len(a) - 1) * (len(b) - 1) / 800)


@without_deadline
@given(n=st.integers(1, 2**63), key=WORD, places=st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5))
def test_permutation_matches_reference_implementation_and_can_be_inverted(
    n: int, key: int, places: list[int]
) -> None:
    numbers = as_array([place % n for place in places], np.uint64)
    out, back = np.zeros_like(numbers), np.zeros_like(numbers)
    permutation.permute(numbers, np.uint64(n), np.uint64(key), out)
    permutation.unpermute(out, np.uint64(n), np.uint64(key), back)
    assert out.tolist() == [reference.permuted(number, n, key) for number in numbers.tolist()]
    assert back.tolist() == numbers.tolist()


@pytest.mark.parametrize("n", [1, 2, 3, 5, 1000, 4097])
def test_permutation_uses_every_position_once(n: int) -> None:
    out = np.zeros(n, np.uint64)
    permutation.permute(consecutive_rows(0, n), np.uint64(n), np.uint64(7), out)
    assert sorted(out.tolist()) == list(range(n))


@without_deadline
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_blocks_match_reference_implementation(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    subjects, values = rng.integers(0, 6, n), np.sort(rng.integers(0, 20, n))
    runs = values // int(rng.integers(2, 20))
    is_value, is_run = (np.concatenate(([True], np.diff(a) > 0)) for a in (values, runs))
    begin = blocks.find_blocks(subjects, is_value, is_run, 6, 3)
    assert begin.tolist() == reference.blocks(subjects.tolist(), values.tolist(), runs.tolist(), 3)
    is_first = blocks.mark_first_rows(subjects, begin, 6)
    for low, high in pairwise([*begin.tolist(), n]):
        own = subjects[low:high].tolist()
        assert is_first[low:high].tolist() == [own.index(s) == i for i, s in enumerate(own)]
