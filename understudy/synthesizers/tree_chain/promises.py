"""Model card statements that are true for all sampled rows."""

from __future__ import annotations

from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.synthesizers.tree_chain.unique_entities import UniqueEntities
from understudy.synthesizers.tree_chain.unique_rows import UniqueRows


def promises(
    enforcer: RuleEnforcer, unique_rows: UniqueRows | None, unique_entities: UniqueEntities
) -> list[str]:
    """Return each statement that the sampler guarantees, as a sentence."""
    kept = []
    if enforcer.describe() and enforcer.is_enforced:
        kept.append("Every sampled row satisfies the rules that hold in all rows of the table.")
    if unique_rows is not None:
        kept.append(
            "No sampled row equals, in all learned columns, a row that occurs only once in the table."
        )
    if unique_entities.rows:
        kept.append("No sampled entity equals, in all its learned columns, an entity of the table.")
    return kept
