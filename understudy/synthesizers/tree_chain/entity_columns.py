"""Order and training rows of the columns that belong to entities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from understudy.synthesizers.entities.detection import FoundGroup, first_rows_of
from understudy.synthesizers.entities.groups import Entities
from understudy.synthesizers.tree_chain.chain import Arranged, Encoded
from understudy.synthesizers.tree_chain.level_lookups import with_level_sources
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.transformers.table import TableTransformer


def arrange_columns(
    enforcer: RuleEnforcer, entities: Entities, table: TableTransformer, order: Sequence[int]
) -> Arranged:
    """Return the order with lookups (see `RuleEnforcer.arrange`) and with the columns of entities first.

    The columns of the coarsest entities come first. The columns of an entity depend only on each other and on
    columns of coarser entities, so that they are the same in all rows of the entity.
    """
    if not entities.groups:
        return with_level_sources(enforcer.arrange(order, table.schema), enforcer, table.columns)
    tables, levels = (
        {pair: codes for pair, codes in lookups.items() if entities.sees(*pair)}
        for lookups in (enforcer.tables, enforcer.levels)
    )
    arranged = replace(enforcer, tables=tables, levels=levels).arrange(order, table.schema)
    visible = {j: entities.visible(j) or set() for j in entities.group_of}
    ranked = Arranged(sorted(arranged.order, key=entities.rank), arranged.lookups, visible)
    return with_level_sources(ranked, enforcer, table.columns)


def rows_of_entities(encoded: Encoded, entities: Entities, found: list[FoundGroup]) -> dict[int, Encoded]:
    """Return one row of each entity for the columns of each group, on which these columns are fitted."""
    others: dict[int, Encoded] = {}
    for group, own in zip(entities.groups, found, strict=True):
        rows = encoded.take(first_rows_of(own.entities))
        others |= dict.fromkeys(group.columns, rows)
    return others
