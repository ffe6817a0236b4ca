"""Columns that are not scored: their values are generated and should not resemble the real values."""

from __future__ import annotations

from collections.abc import Container
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute
from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import InvalidInput
from understudy.evaluation.comparison import ORIGINS
from understudy.tables.inference import InferredTable, is_generated_column
from understudy.tables.schema import ColumnKind, TableSchema
from understudy.tables.validation import conform

# `Any` is needed because the stubs of these functions do not support types that are only known at run time.
pc: Any = pyarrow.compute


class ExcludedColumn(BaseModel):
    """A column that is not scored, with the reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    kind: Annotated[
        ColumnKind,
        Field(description="Kind of the excluded column."),
    ]
    reason: str
    copied: Annotated[
        float | None,
        Field(
            description="Share of the synthetic values that also occur in the real table. Null if there are "
            "no synthetic values."
        ),
    ]


def exclude_columns(
    real: pa.Table, synthetic: pa.Table, inferred: InferredTable, named: Container[str]
) -> tuple[TableSchema, list[ExcludedColumn]]:
    """Return the schema of the columns to score, and the columns that are not scored.

    As during fitting, the kind of a column determines whether it is excluded. Columns that the caller names
    are always scored, and subject columns never are. The returned schema still contains the subject,
    which identifies the owner of each row.

    Raises
    ------
    InvalidInput
        If no columns remain, or a table does not conform to the schema.
    """
    schema, findings = inferred
    real, synthetic = conform(real, schema, ORIGINS["real"]), conform(synthetic, schema, ORIGINS["synthetic"])
    left_out = []
    for column in schema.columns:
        if column.name in schema.subject:
            reason = "identifies the subject of a row"
        elif is_generated_column(column, real[column.name].type) and column.name not in named:
            finding = findings.columns.get(column.name)
            evidence = (finding.evidence if finding else "") or "declared in the schema"
            reason = f"generated as {column.kind.value}: {evidence}"
        else:
            continue
        copied = _share_copied(real[column.name], synthetic[column.name])
        left_out.append(ExcludedColumn(column=column.name, kind=column.kind, reason=reason, copied=copied))
    names = {excluded.column for excluded in left_out}
    if names.issuperset(schema.names):
        raise InvalidInput(
            "All columns contain the subject or generated values (identifiers, free text or personal "
            "fields), so there is nothing to compare. Add a column of another kind.",
            code="no_columns",
        )
    kept = [name for name in schema.names if name not in names or name in schema.subject]
    return schema.select(kept), left_out


def select(table: pa.Table, schema: TableSchema, left_out: list[ExcludedColumn], *, role: str) -> pa.Table:
    """Return the table in the schema's types, with only the subject columns and the scored columns."""
    names = {excluded.column for excluded in left_out} - set(schema.subject)
    present = [name for name in table.column_names if name in names]
    return conform(table.drop_columns(present), schema, ORIGINS[role])


# `Any` is needed because Arrow's classes accept no type arguments at run time.
def _share_copied(real: Any, synthetic: Any) -> float | None:
    present = synthetic.drop_null()
    if not len(present):
        return None
    return float(pc.mean(pc.is_in(present, value_set=pc.unique(real.drop_null()))).as_py())
