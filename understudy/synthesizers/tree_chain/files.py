"""A chain as plain arrays and back; what comes back is checked: every draw stays in its arrays, and ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.kernels.forests import Forest
from understudy.kernels.hierarchy import RADIX
from understudy.kernels.predictors import Predictor
from understudy.kernels.trees import (
    CATEGORY_BIT,
    CHILD_SHIFT,
    FEATURE_MASK,
    THRESHOLD_MASK,
    THRESHOLD_SHIFT,
)
from understudy.synthesizers.tree_chain.additive import N_PLACES
from understudy.synthesizers.tree_chain.chain import Link
from understudy.transformers.loading import ArrayReader, require

Int64s = npt.NDArray[np.int64]


def links_to_arrays(links: Sequence[Link]) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a chain, under ``link_<position>.<name>``."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for position, link in enumerate(links):
        own = {
            "child": link.child,
            "coarse": link.coarse,
            **link.forest._asdict(),
            **{f"predictor_{name}": array for name, array in link.predictor._asdict().items()},
        }
        arrays |= {f"link_{position}.{name}": array for name, array in own.items()}
    return arrays


def links_from_arrays(reader: ArrayReader, n_codes: list[int]) -> list[Link]:
    """Return the chain over columns with so many codes.

    Raises
    ------
    InvalidInput
        If an array is missing, of another shape or type, or points outside.
    """
    order = reader.parts("order", len(n_codes))
    is_order = all(type(j) is int for j in order) and sorted(order) == list(range(len(n_codes)))
    require(is_order, "the order does not name every column once")
    return [
        _load_link(reader.part(reader.manifest, f"link_{position}."), position, j, n_codes[j])
        for position, j in enumerate(order)
    ]


def _load_link(reader: ArrayReader, position: int, column: int, n_codes: int) -> Link:
    child = reader.indices("child", np.int32, (None, RADIX), -n_codes, max(n_codes, 2) - 1)
    require(len(child) > 0 or n_codes == 1, "a column has no choices")
    own = np.arange(len(child))[:, None]
    # A choice leads to later ones only, so that every walk ends.
    require(bool(((child < 0) | ((child > own) & (child < len(child)))).all()), "choices do not descend")
    coarse = reader.array("coarse", np.uint8, (n_codes,))
    predictor = _load_predictor(reader, position)
    forest = _load_forest(reader, len(child), position + (len(predictor.feature) > 0))
    return Link(column, child, coarse, forest, predictor)


def _load_predictor(reader: ArrayReader, position: int) -> Predictor:
    feature = reader.indices("predictor_feature", np.int32, (None,), 0, max(position, 1))
    require(len(feature) <= position, "a predictor has too many terms")
    scale = reader.array("predictor_scale", np.int64, (2,))
    require(0 <= scale[1] < 64 and abs(int(scale[0])) < 2**60, "a predictor's scale is out of range")
    bins = reader.array("predictor_bins", np.uint8, (None,))
    require(1 <= len(bins) <= N_PLACES, "a predictor has too many places, or none")
    return Predictor(feature, reader.array("predictor_weight", np.int32, (len(feature), 256)), scale, bins)


def _load_forest(reader: ArrayReader, n_choices: int, n_features: int) -> Forest:
    node = reader.array("node", np.int64, (None,))
    cumulative = reader.array("cumulative", np.uint32, (None, RADIX - 1))
    mask = reader.array("mask", np.uint64, (None, 4))
    root = reader.indices("root", np.int32, (n_choices,), 0, max(len(node), 1))
    require(n_choices == 0 or len(node) > 0, "a column has no trees")
    _check_nodes(node, len(cumulative), len(mask), n_features)
    return Forest(root, node, cumulative, mask)


def _check_nodes(node: Int64s, n_leaves: int, n_masks: int, n_features: int) -> None:
    require(node.size == 0 or int(node.min()) >= 0, "a tree node is not valid")
    feature, child = node & FEATURE_MASK, node >> CHILD_SHIFT
    threshold = (node >> THRESHOLD_SHIFT) & THRESHOLD_MASK
    is_leaf = feature == 0
    own = np.arange(len(node))
    require(bool((feature <= n_features).all()), "a tree looks at a column that is not drawn yet")
    require(bool((child[is_leaf] < n_leaves).all()), "a leaf points outside")
    # A node leads to later ones only, so that every walk ends; the right child follows the left.
    descends = (child > own) & (child + 1 < len(node))
    require(bool((is_leaf | descends).all()), "a tree points outside")
    has_mask = ~is_leaf & ((node & CATEGORY_BIT) > 0)
    require(bool((threshold[has_mask] < n_masks).all()), "a split points outside")
