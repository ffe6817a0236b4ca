"""Functions that add columns for entities. They are imported on first use: many tables have no entities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.lazy_members import lazy_members

if TYPE_CHECKING:
    from understudy.synthesizers.tree_chain.position_columns import add_positions
    from understudy.synthesizers.tree_chain.profile_columns import add_profile_columns, hide_profiles
    from understudy.synthesizers.tree_chain.row_order import add_sorted_columns, find_row_order
    from understudy.synthesizers.tree_chain.sequence_columns import add_sequence_columns
    from understudy.synthesizers.tree_chain.size_columns import add_size_columns

__all__ = [
    "add_positions",
    "add_profile_columns",
    "add_sequence_columns",
    "add_size_columns",
    "add_sorted_columns",
    "find_row_order",
    "hide_profiles",
]

__getattr__ = lazy_members(
    __name__,
    "understudy.synthesizers.tree_chain.position_columns:add_positions",
    "understudy.synthesizers.tree_chain.profile_columns:add_profile_columns",
    "understudy.synthesizers.tree_chain.sequence_columns:add_sequence_columns",
    "understudy.synthesizers.tree_chain.size_columns:add_size_columns",
    "understudy.synthesizers.tree_chain.row_order:add_sorted_columns",
    "understudy.synthesizers.tree_chain.row_order:find_row_order",
    "understudy.synthesizers.tree_chain.profile_columns:hide_profiles",
)
