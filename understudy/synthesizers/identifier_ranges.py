"""Identifier ranges, with which the next sample continues without repeating identifiers."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.synthesizers.contexts import SamplePlan
from understudy.tables.schema import ColumnKind, TableSchema

# Column kinds whose generated values are unique in a sample.
KINDS = frozenset(
    {
        *(ColumnKind.identifier, ColumnKind.email, ColumnKind.card, ColumnKind.iban),
        *(ColumnKind.national_id, ColumnKind.ip, ColumnKind.url),
    }
)


@dataclass(frozen=True)
class IdentifierRange:
    """Identifier columns of a sample, and options that give the next sample different identifiers.

    Parameters
    ----------
    columns : tuple of str
        Columns that contain generated identifiers.
    next_offset : int or None
        Offset at which the next sample with the same seed continues this sample. The offset is None if the
        sample has conditions, because conditions limit the number of rows.
    next_id_start : int or None
        Number of the first identifier that the next sample can use. The number is None if the sample has no
        `id_start`.
    """

    columns: tuple[str, ...]
    next_offset: int | None
    next_id_start: int | None


def describe_identifiers(schema: TableSchema, plan: SamplePlan) -> IdentifierRange | None:
    """Return the identifier range for a sample of one table, or None if the table has no identifiers."""
    columns = tuple(column.name for column in schema.columns if column.kind in KINDS)
    if not columns:
        return None
    (n_rows,) = plan.n_rows.values()
    end = plan.offset + n_rows
    has_conditions = plan.constraints is not None and bool(plan.constraints.conditions)
    # If a column is rebalanced, each of its values may have separate entities.
    rebalance = plan.constraints.rebalance if plan.constraints is not None else None
    n_numbers = end * (1 if rebalance is None else len(rebalance.shares))
    next_id_start = None if plan.id_start is None else plan.id_start + n_numbers
    return IdentifierRange(columns, None if has_conditions else end, next_id_start)
