"""Order and training rows of the columns that belong to entities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from understudy.synthesizers.entities import steps
from understudy.synthesizers.entities.groups import Entities
from understudy.synthesizers.tree_chain.chain import Arranged, Encoded
from understudy.synthesizers.tree_chain.level_lookups import with_level_sources
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.transformers.table import TableTransformer

if TYPE_CHECKING:
    from understudy.synthesizers.entities.detection import FoundGroup


def arrange_columns(
    enforcer: RuleEnforcer, entities: Entities, table: TableTransformer, order: Sequence[int]
) -> Arranged:
    """Return the column order and the lookups (see `RuleEnforcer.arrange`), with entity columns first.

    The columns of the coarsest entities come first. An entity's columns depend only on each other and on the
    columns of coarser entities, so their values are the same in all rows of the entity.
    """
    if not entities.groups:
        return with_level_sources(enforcer.arrange(order, table.schema), enforcer, table.columns)
    positions = {j for position in entities.positions for j in position.columns}
    # The codes of these columns are known before the columns that determine them are drawn.
    known = {j for group in entities.groups for j in group.known_codes}
    changing = frozenset() if entities.sequences is None else entities.sequences.changing
    tables, levels = (
        {
            (dependent, determinant): codes
            for (dependent, determinant), codes in lookups.items()
            if entities.sees(dependent, determinant) and dependent not in positions | known | changing
        }
        for lookups in (enforcer.tables, enforcer.levels)
    )
    arranged = replace(enforcer, tables=tables, levels=levels).arrange(order, table.schema)
    visible = {j: entities.visible(j) or set() for j in entities.group_of}
    ranked = Arranged(sorted(arranged.order, key=entities.rank), arranged.lookups, visible)
    return with_level_sources(ranked, enforcer, table.columns)


def rows_of_entities(encoded: Encoded, entities: Entities, found: list[FoundGroup]) -> dict[int, Encoded]:
    """Return the training rows for each group's columns: one row per entity."""
    others: dict[int, Encoded] = {}
    for group, own in zip(entities.groups, found, strict=True):
        rows = encoded.take(steps.first_rows_of(own.entities))
        others |= dict.fromkeys(group.columns, rows)
    return others
