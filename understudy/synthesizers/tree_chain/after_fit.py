"""Samples, model cards and model files of a fitted chain.

A fit does not need the members of this module, so they are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.lazy_members import lazy_members

if TYPE_CHECKING:
    from understudy.synthesizers.cards import make_card
    from understudy.synthesizers.tree_chain.files import (
        enforcer_from_arrays,
        enforcer_to_arrays,
        links_from_arrays,
        links_to_arrays,
        refinement_from_arrays,
        refinement_to_arrays,
        unique_rows_from_arrays,
        unique_rows_to_arrays,
    )
    from understudy.synthesizers.tree_chain.promises import promises
    from understudy.synthesizers.tree_chain.ratio_columns import ratios_from_arrays, ratios_to_arrays
    from understudy.synthesizers.tree_chain.row_sampling import RowSampler
    from understudy.synthesizers.tree_chain.size_columns import sizes_from_arrays, sizes_to_arrays

__all__ = [
    "RowSampler",
    "enforcer_from_arrays",
    "enforcer_to_arrays",
    "links_from_arrays",
    "links_to_arrays",
    "make_card",
    "promises",
    "ratios_from_arrays",
    "ratios_to_arrays",
    "refinement_from_arrays",
    "refinement_to_arrays",
    "sizes_from_arrays",
    "sizes_to_arrays",
    "unique_rows_from_arrays",
    "unique_rows_to_arrays",
]

__getattr__ = lazy_members(
    __name__,
    "understudy.synthesizers.cards:make_card",
    "understudy.synthesizers.tree_chain.promises:promises",
    "understudy.synthesizers.tree_chain.ratio_columns:ratios_from_arrays",
    "understudy.synthesizers.tree_chain.ratio_columns:ratios_to_arrays",
    "understudy.synthesizers.tree_chain.row_sampling:RowSampler",
    "understudy.synthesizers.tree_chain.size_columns:sizes_from_arrays",
    "understudy.synthesizers.tree_chain.size_columns:sizes_to_arrays",
    "understudy.synthesizers.tree_chain.files:enforcer_from_arrays",
    "understudy.synthesizers.tree_chain.files:enforcer_to_arrays",
    "understudy.synthesizers.tree_chain.files:links_from_arrays",
    "understudy.synthesizers.tree_chain.files:links_to_arrays",
    "understudy.synthesizers.tree_chain.files:refinement_from_arrays",
    "understudy.synthesizers.tree_chain.files:refinement_to_arrays",
    "understudy.synthesizers.tree_chain.files:unique_rows_from_arrays",
    "understudy.synthesizers.tree_chain.files:unique_rows_to_arrays",
)
