"""Conditional sampling and imputation.

A fit does not need the members of this package, so they are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.lazy_members import lazy_members

if TYPE_CHECKING:
    from understudy.synthesizers.json_cells.constraints import translate
    from understudy.synthesizers.tree_chain.conditional_sampling import Group, make_conditioner, make_group
    from understudy.synthesizers.tree_chain.constrained_entities import ConstrainedEntitySampler
    from understudy.synthesizers.tree_chain.constrained_sampling import (
        ConstrainedSampler,
        check_rows,
        conditions_of,
    )
    from understudy.synthesizers.tree_chain.imputation import Imputer, draw_completed

__all__ = [
    "ConstrainedEntitySampler",
    "ConstrainedSampler",
    "Group",
    "Imputer",
    "check_rows",
    "conditions_of",
    "draw_completed",
    "make_conditioner",
    "make_group",
    "translate",
]

__getattr__ = lazy_members(
    __name__,
    "understudy.synthesizers.json_cells.constraints:translate",
    "understudy.synthesizers.tree_chain.constrained_entities:ConstrainedEntitySampler",
    "understudy.synthesizers.tree_chain.constrained_sampling:ConstrainedSampler",
    "understudy.synthesizers.tree_chain.conditional_sampling:Group",
    "understudy.synthesizers.tree_chain.imputation:Imputer",
    "understudy.synthesizers.tree_chain.constrained_sampling:check_rows",
    "understudy.synthesizers.tree_chain.constrained_sampling:conditions_of",
    "understudy.synthesizers.tree_chain.imputation:draw_completed",
    "understudy.synthesizers.tree_chain.conditional_sampling:make_conditioner",
    "understudy.synthesizers.tree_chain.conditional_sampling:make_group",
)
