"""Conversion of a chain to and from plain arrays. The loaded arrays are validated.

Validation ensures that every draw terminates and stays within the bounds of its arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.kernels.boosting import Boosted
from understudy.kernels.forests import Forest
from understudy.kernels.hierarchy import RADIX
from understudy.kernels.predictors import Predictor, exists
from understudy.kernels.trees import (
    CATEGORY_BIT,
    CHILD_SHIFT,
    FEATURE_MASK,
    THRESHOLD_MASK,
    THRESHOLD_SHIFT,
)
from understudy.synthesizers.rules import load_rules, rules_to_arrays
from understudy.synthesizers.rules.differences import Difference
from understudy.synthesizers.rules.ratios import Ratio
from understudy.synthesizers.tree_chain.additive import N_PLACES
from understudy.synthesizers.tree_chain.chain import Link, look_up
from understudy.synthesizers.tree_chain.coded_rules import encode_rules
from understudy.synthesizers.tree_chain.difference_columns import learned_columns
from understudy.synthesizers.tree_chain.level_lookups import level_sources
from understudy.synthesizers.tree_chain.refinement import Refinement
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.synthesizers.tree_chain.unique_rows import UniqueRows
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import Codes, Json
from understudy.transformers.categorical import CategoricalTransformer
from understudy.transformers.table import TableTransformer

Int64s = npt.NDArray[np.int64]

# Limits on the content of a file: maximum depth of trees, and exclusive upper bound on scores.
DEPTH_MAX = 8
SCORE_MAX = 1e6


def links_to_arrays(links: Sequence[Link]) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a chain, under ``link_<position>.<name>``."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for position, link in enumerate(links):
        own: dict[str, npt.NDArray[Any]] = {"coarse": link.coarse}
        # The lookups are stored with the rules.
        if link.source < 0:
            own |= {"child": link.child, **link.forest._asdict()}
            own |= {f"predictor_{name}": array for name, array in link.predictor._asdict().items()}
        arrays |= {f"link_{position}.{name}": array for name, array in own.items()}
    return arrays


def links_from_arrays(reader: ArrayReader, table: TableTransformer, enforcer: RuleEnforcer) -> list[Link]:
    """Return the chain over the columns of a table, except derived columns.

    Raises
    ------
    InvalidInput
        If an array is missing, has an unexpected shape or type, or contains an index out of range.
    """
    derived = set(enforcer.rules.derived)
    drawn = [j for j, name in enumerate(table.schema.names) if name not in derived]
    order = reader.parts("order", len(drawn))
    is_order = all(type(j) is int for j in order) and sorted(order) == drawn
    require(is_order, "the order does not contain each drawn column exactly once")
    sources = _load_sources(reader, enforcer)
    by_level = {j: source for j, source in sources.items() if (j, source) in enforcer.levels}
    is_placed = all(order.index(source) < order.index(j) for j, source in sources.items())
    require(is_placed, "a column is looked up before its source is drawn")
    sources_of_levels = level_sources(by_level, table.columns)
    links = []
    for position, j in enumerate(order):
        own, n_codes = reader.part(reader.manifest, f"link_{position}."), table.columns[j].n_codes
        if j in sources:
            determinant, coarse = sources[j], own.array("coarse", np.uint8, (n_codes,))
            by = determinant, enforcer.lookups[j, determinant]
            links.append(look_up(j, by, coarse, sources_of_levels.get(j)))
        else:
            links.append(_load_link(own, position, j, n_codes))
    return links


def enforcer_to_arrays(enforcer: RuleEnforcer) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
    """Return the rules of a chain as JSON and arrays, under ``rules.<name>``."""
    manifest, arrays = rules_to_arrays(enforcer.rules)
    manifest["is_enforced"] = enforcer.is_enforced
    for name, lookups in (("table", enforcer.tables), ("level_table", enforcer.levels)):
        manifest[f"{name}s"] = [{"of": dependent, "by": determinant} for dependent, determinant in lookups]
        arrays |= {f"{name}_{i}": lookup for i, lookup in enumerate(lookups.values())}
    return {"rules": manifest}, {f"rules.{name}": array for name, array in arrays.items()}


def enforcer_from_arrays(
    reader: ArrayReader,
    table: TableTransformer,
    differences: tuple[Difference, ...],
    ratios: tuple[Ratio, ...],
) -> RuleEnforcer:
    """Return the rules that `enforcer_to_arrays` converted.

    Raises
    ------
    InvalidInput
        If a value is missing, has an unexpected shape or type, or is an index out of range.
    """
    own = reader.part(reader.manifest.get("rules"), "rules.")
    rules = load_rules(own, learned_columns(table) or table.schema, differences, ratios)
    derived = set(rules.derived)
    tables, levels = (_load_lookups(own, name, table, derived) for name in ("table", "level_table"))
    coded = encode_rules(rules, table.schema.names, table.columns)
    return RuleEnforcer(rules, tables, own.truth("is_enforced"), coded=coded, levels=levels)


def _load_lookups(
    own: ArrayReader, name: str, table: TableTransformer, derived: set[str]
) -> dict[tuple[int, int], Codes]:
    """Return the lookups by code or by level. Model files from earlier versions have no lookups by level."""
    parts = own.manifest.get(f"{name}s", [])
    require(isinstance(parts, list), "the tables of lookups are not a list")
    tables: dict[tuple[int, int], Codes] = {}
    n_columns = len(table.columns)
    for i, part in enumerate(parts):
        entry = own.part(part, "rules.")
        dependent, determinant = (entry.whole(key, 0, n_columns - 1) for key in ("of", "by"))
        require(
            dependent != determinant and (dependent, determinant) not in tables,
            "a lookup is not between two columns, or occurs twice",
        )
        require(
            derived.isdisjoint(table.schema.names[j] for j in (dependent, determinant)),
            "a derived column is looked up",
        )
        n_of, source = table.columns[dependent].n_codes, table.columns[determinant]
        n_determinant = source.n_codes
        if name == "level_table":
            require(
                isinstance(source, CategoricalTransformer), "a column without levels is a source of levels"
            )
            assert isinstance(source, CategoricalTransformer)
            n_determinant = len(source.levels) + 1
        tables[dependent, determinant] = entry.indices(f"{name}_{i}", np.uint16, (n_determinant,), 0, n_of)
    return tables


def _load_sources(reader: ArrayReader, enforcer: RuleEnforcer) -> dict[int, int]:
    """Return a mapping from looked-up columns to their source columns."""
    pairs = reader.manifest.get("sources")
    is_pairs = isinstance(pairs, list) and all(isinstance(p, list) and len(p) == 2 for p in pairs)
    require(is_pairs, "the sources of lookups are not pairs")
    assert isinstance(pairs, list)
    known = [list(pair) for pair in enforcer.lookups]
    require(all(pair in known for pair in pairs), "a column is looked up without a table")
    sources = {int(dependent): int(determinant) for dependent, determinant in pairs}
    require(len(sources) == len(pairs), "a column is looked up twice")
    return sources


def unique_rows_to_arrays(unique_rows: UniqueRows | None) -> dict[str, npt.NDArray[Any]]:
    """Return the fingerprints of rows that must not be sampled, under ``singles.<name>``."""
    if unique_rows is None:
        return {}
    return {"singles.codes": unique_rows.codes, "singles.values": unique_rows.values}


def unique_rows_from_arrays(reader: ArrayReader) -> UniqueRows | None:
    """Return the fingerprints that `unique_rows_to_arrays` converted, or None if the file contains none.

    Raises
    ------
    InvalidInput
        If one of the two arrays is missing, has an unexpected type, or is not in ascending order.
    """
    if not {"singles.codes", "singles.values"} & set(reader.arrays):
        return None
    codes, values = (reader.array(f"singles.{name}", np.uint32, (None,)) for name in ("codes", "values"))
    for array in (codes, values):
        require(bool((array[1:] > array[:-1]).all()), "fingerprints are not in ascending order")
    return UniqueRows(codes, values)


def _load_link(reader: ArrayReader, position: int, column: int, n_codes: int) -> Link:
    child = reader.indices("child", np.int32, (None, RADIX), -n_codes, max(n_codes, 2) - 1)
    require(len(child) > 0 or n_codes == 1, "a column has no choices")
    own = np.arange(len(child))[:, None]
    # A choice leads only to later choices, so every walk terminates.
    require(
        bool(((child < 0) | ((child > own) & (child < len(child)))).all()),
        "a choice does not lead to a later choice",
    )
    coarse = reader.array("coarse", np.uint8, (n_codes,))
    predictor = _load_predictor(reader, position)
    forest = _load_forest(reader, len(child), position + exists(predictor))
    return Link(column, child, coarse, forest, predictor)


def _load_predictor(reader: ArrayReader, position: int) -> Predictor:
    feature = reader.indices("predictor_feature", np.int32, (None,), 0, max(position, 1))
    require(len(feature) <= position, "a predictor has too many terms")
    scale = reader.array("predictor_scale", np.int64, (2,))
    require(0 <= scale[1] < 64 and abs(int(scale[0])) < 2**60, "a predictor's scale is out of range")
    bins = reader.array("predictor_bins", np.uint8, (None,))
    require(1 <= len(bins) <= N_PLACES, "a predictor has too many bins, or none")
    tree_feature, tree_threshold, tree_leaf = _load_trees(reader, "predictor_tree_", position, np.int32)
    require(len(tree_feature) % 2 == 0, "a predictor has an odd number of trees")
    require(position > 0 or not len(tree_feature), "a tree uses a column that has not been drawn yet")
    weight = reader.array("predictor_weight", np.int32, (len(feature), 256))
    return Predictor(feature, weight, scale, bins, tree_feature, tree_threshold, tree_leaf)


def _load_trees(
    reader: ArrayReader, prefix: str, n_features: int, leaf_type: type[np.generic]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the features, thresholds and leaves of complete trees."""
    feature = reader.indices(f"{prefix}feature", np.int16, (None, None), 0, max(n_features, 1))
    n_trees, n_inner = feature.shape
    is_complete = 1 <= n_inner < 2**DEPTH_MAX and (n_inner & (n_inner + 1)) == 0
    require(is_complete, "a tree is not complete")
    threshold = reader.array(f"{prefix}threshold", np.uint8, (n_trees, n_inner))
    leaf = reader.array(f"{prefix}leaf", leaf_type, (n_trees, n_inner + 1))
    return feature, threshold, leaf


def refinement_to_arrays(refinement: Refinement | None) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
    """Return a refinement as JSON and arrays, under ``refinement.<name>``."""
    if refinement is None:
        return {}, {}
    arrays = {f"refinement.{name}": array for name, array in refinement.boosted._asdict().items()}
    return {"refinement": {"ceiling": refinement.ceiling}}, arrays


def refinement_from_arrays(reader: ArrayReader, n_columns: int) -> Refinement | None:
    """Return the refinement that `refinement_to_arrays` converted, or None if the file contains none.

    Raises
    ------
    InvalidInput
        If an array is missing, has an unexpected shape or type, or contains an index out of range.
    """
    manifest = reader.manifest.get("refinement")
    if manifest is None:
        return None
    own = reader.part(manifest, "refinement.")
    ceiling = own.manifest.get("ceiling")
    is_finite = isinstance(ceiling, float) and abs(ceiling) < SCORE_MAX
    require(is_finite, "the ceiling of a refinement is not a float in range")
    assert isinstance(ceiling, float)
    boosted = Boosted(*_load_trees(own, "", n_columns, np.float32))
    require(bool(np.isfinite(boosted.leaf).all()), "a refinement's leaf is not a number")
    return Refinement(boosted, ceiling)


def _load_forest(reader: ArrayReader, n_choices: int, n_features: int) -> Forest:
    node = reader.array("node", np.int64, (None,))
    cumulative = reader.array("cumulative", np.uint32, (None, RADIX - 1))
    mask = reader.array("mask", np.uint64, (None, 4))
    root = reader.indices("root", np.int32, (n_choices, None), 0, max(len(node), 1))
    require(n_choices == 0 or (len(node) > 0 and root.shape[1] > 0), "a column has no trees")
    _check_nodes(node, len(cumulative), len(mask), n_features)
    return Forest(root, node, cumulative, mask)


def _check_nodes(node: Int64s, n_leaves: int, n_masks: int, n_features: int) -> None:
    require(node.size == 0 or int(node.min()) >= 0, "a tree node is not valid")
    feature, child = node & FEATURE_MASK, node >> CHILD_SHIFT
    threshold = (node >> THRESHOLD_SHIFT) & THRESHOLD_MASK
    is_leaf = feature == 0
    own = np.arange(len(node))
    require(bool((feature <= n_features).all()), "a tree uses a column that has not been drawn yet")
    require(bool((child[is_leaf] < n_leaves).all()), "a leaf index is out of range")
    # A node leads only to later nodes, so every walk terminates. The right child follows the left child.
    descends = (child > own) & (child + 1 < len(node))
    require(bool((is_leaf | descends).all()), "a tree node's child index is out of range")
    has_mask = ~is_leaf & ((node & CATEGORY_BIT) > 0)
    require(bool((threshold[has_mask] < n_masks).all()), "a split's mask index is out of range")
