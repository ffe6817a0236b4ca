"""Drawing of codes for a column, restricted to a set of codes, and the probability of that set."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from understudy.kernels.drawing import Conditional, find_leaf, group_probability
from understudy.kernels.forests import Forest
from understudy.kernels.hashing import GOLDEN, StreamRows, mix, row_word, stream_key
from understudy.kernels.hierarchy import RADIX
from understudy.kernels.predictors import exists, predict_row
from understudy.kernels.trees import Bools, Float64s, Int32s, Uint8s, Uint16s, Uint32s

NONE, SOME, ALL = 0, 1, 2
_UNIT = 2.0**-53


class Restriction(NamedTuple):
    """A set of codes, represented in a hierarchy.

    Parameters
    ----------
    inside : array of shape (n_choices, RADIX)
        How many codes of each group are in the set: NONE, SOME or ALL.
    choice : array of shape (n_partial,)
        Choices with codes inside and outside of the set, children before parents, so that the root is last.
    slot : array of shape (n_choices,)
        Index in `choice` of each choice in the hierarchy, or -1 if `choice` does not contain it.
    """

    inside: Uint8s
    choice: Int32s
    slot: Int32s


class Restricted(NamedTuple):
    """Distribution of a column, restricted to a set of codes.

    Parameters
    ----------
    conditional : Conditional
        Distribution of the column.
    restriction : Restriction
        Set of at least one code.
    """

    conditional: Conditional
    restriction: Restriction


class WeightedCodes(NamedTuple):
    """Codes that were drawn within a set, and weights multiplied by its probability; both of shape (n,)."""

    codes: Uint16s
    weight: Float64s


class _Descent(NamedTuple):
    """Data for a walk down the hierarchy. `share` is the probability of the set below each partial choice."""

    restriction: Restriction
    child: Int32s
    forest: Forest
    share: Float64s


@njit(cache=True, nogil=True)
def restrict(child: Int32s, allowed: Bools) -> Restriction:
    """Represent the allowed codes in a hierarchy from `hierarchy.build_hierarchy`."""
    n_choices = child.shape[0]
    inside = np.zeros((n_choices, RADIX), np.uint8)
    whole = np.zeros(n_choices, np.uint8)
    choice, slot = np.empty(n_choices, np.int32), np.full(n_choices, -1, np.int32)
    n = 0
    for q in range(n_choices - 1, -1, -1):
        some, every = False, True
        for g in range(RADIX):
            c = child[q, g]
            if g > 0 and c == child[q, g - 1]:
                # Groups that do not exist repeat the last existing group.
                continue
            state = (ALL if allowed[-c - 1] else NONE) if c < 0 else whole[c]
            inside[q, g] = state
            some |= state != NONE
            every &= state == ALL
        whole[q] = ALL if every else (SOME if some else NONE)
        if whole[q] == SOME:
            choice[n], slot[q] = q, n
            n += 1
    return Restriction(inside, choice[:n].copy(), slot)


@njit(cache=True, nogil=True, inline="always")
def _pick_tree(word: np.uint64, choice: int, n_trees: np.uint64) -> int:
    """Return a random tree of a choice, the same for the probability of a set and for a draw within it."""
    return int((mix(word ^ (np.uint64(choice + 1) * GOLDEN)) >> np.uint64(40)) * n_trees >> np.uint64(24))


@njit(cache=True, nogil=True, inline="always")
def _find_bounds(forest: Forest, word: np.uint64, choice: int, row: Uint8s) -> Uint32s:
    """Return the cumulative probabilities for a choice's groups, from one random tree."""
    n_trees = np.uint64(forest.root.shape[1])
    root = forest.root[choice, _pick_tree(word, choice, n_trees)]
    bounds: Uint32s = forest.cumulative[find_leaf(forest.node, forest.mask, root, row)]
    return bounds


@njit(cache=True, nogil=True, inline="always")
def _mass(descent: _Descent, bounds: Uint32s, choice: int, g: int) -> float:
    """Return the probability that a draw selects a group of a choice and then reaches an allowed code."""
    state = descent.restriction.inside[choice, g]
    if state == NONE:
        return 0.0
    p = group_probability(bounds, g)
    if state == SOME:
        p *= descent.share[descent.restriction.slot[descent.child[choice, g]]]
    return p


@njit(cache=True, nogil=True)
def _find_shares(descent: _Descent, word: np.uint64, row: Uint8s) -> float:
    """Write the probability of the set below each partial choice; return the probability below the root."""
    restriction, share = descent.restriction, descent.share
    for k in range(restriction.choice.shape[0]):
        q = restriction.choice[k]
        bounds = _find_bounds(descent.forest, word, q, row)
        share[k] = 0.0
        for g in range(RADIX):
            share[k] += _mass(descent, bounds, q, g)
    return share[restriction.slot[0]] if restriction.slot[0] >= 0 else 1.0


@njit(cache=True, nogil=True)
def _draw_code(descent: _Descent, word: np.uint64, row: Uint8s) -> int:
    """Draw a code from the set by walking down the hierarchy."""
    restriction, share = descent.restriction, descent.share
    choice, bits = 0, word
    while choice >= 0:
        bounds = _find_bounds(descent.forest, word, choice, row)
        bits = mix(bits + GOLDEN)
        u = float(bits >> np.uint64(11)) * _UNIT
        if restriction.slot[choice] >= 0:
            u *= share[restriction.slot[choice]]
        group, total = 0, 0.0
        for g in range(RADIX):
            if restriction.inside[choice, g] != NONE:
                group = g
                total += _mass(descent, bounds, choice, g)
                if u < total:
                    break
        choice = descent.child[choice, group]
    return int(-choice - 1)


@njit(cache=True, nogil=True)
def draw_within(
    rows: Uint8s, position: int, draws: StreamRows, restricted: Restricted, out: WeightedCodes
) -> None:
    """Draw a column within a set of codes; multiply the weights by the probability of the set.

    See `drawing.draw_column` for the parameters. The probability is computed from one random tree of every
    choice, so weights are correct on average.
    """
    key = stream_key(draws.seed, draws.stream)
    conditional, restriction = restricted
    predictor, coarse = conditional.predictor, conditional.coarse
    codes, weight = out
    share = np.zeros(restriction.choice.shape[0])
    descent = _Descent(restriction, conditional.child, conditional.forest, share)
    for i in range(rows.shape[0]):
        row = rows[i]
        word = row_word(key, draws.rows[i])
        if exists(predictor):
            row[position] = predict_row(predictor, row, int(word >> np.uint64(33)) & 1)
        weight[i] *= _find_shares(descent, word, row)
        codes[i] = _draw_code(descent, word, row)
        row[position] = coarse[codes[i]]
