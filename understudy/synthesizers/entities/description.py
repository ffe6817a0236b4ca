"""Entity descriptions for model cards, without values from the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from understudy.synthesizers.entities.groups import Entities, EntityGroup
from understudy.tables.schema import TableSchema
from understudy.transformers.base import Json


def describe_entities(entities: Entities, names: Sequence[str]) -> list[Json]:
    """Return the keys, the determined columns, and the number of entities for each kind of entity.

    Parameters
    ----------
    entities : Entities
        Entities of a table.
    names : sequence of str
        Names of the table's columns.
    """
    return [
        {
            "keys": _listed(group.keys, names),
            "determines": _listed(_determined(group), names),
            "n_entities": len(group.grouping.sizes),
        }
        for group in entities.groups
        if group.keys
    ]


def entity_messages(entities: Entities, names: Sequence[str]) -> list[str]:
    """Return a message for each kind of entity, with its columns and how to show their real values."""
    return [_message(own["keys"], own["determines"]) for own in describe_entities(entities, names)]


def names_of_entities(entities: Entities, schema: TableSchema) -> Iterator[str]:
    """Yield the names of the columns that belong to an entity."""
    for group in entities.groups:
        yield from _listed((*group.columns, *group.labels), schema.names)


def _message(keys: list[str], determined: list[str]) -> str:
    plural = len(keys) > 1
    message = (
        f"{'Columns' if plural else 'Column'} {_quoted(keys)} {'identify' if plural else 'identifies'} "
        "entities, so samples contain made-up values, which repeat as often as the real ones."
    )
    if determined:
        message += f" All rows with the same value also share {_quoted(determined)}."
    return f"{message} To show the real values, set the kind of the column to category and fit again."


def _determined(group: EntityGroup) -> list[int]:
    return sorted(j for j in (*group.columns, *group.labels) if j not in group.keys)


def _listed(columns: Sequence[int], names: Sequence[str]) -> list[str]:
    # The columns after the table's columns contain differences, which are not part of a sample.
    return [names[j] for j in columns if j < len(names)]


def _quoted(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
