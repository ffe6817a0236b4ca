"""Columns that no score speaks of: they are generated, so likeness to the real ones is not what is wanted."""

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

# Any: the stubs of these functions know no type that is given at run time.
pc: Any = pyarrow.compute


class ExcludedColumn(BaseModel):
    """A column that is not scored, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    kind: Annotated[
        ColumnKind, Field(description="What its values are generated as; of the subject, its own kind.")
    ]
    reason: str
    copied: Annotated[
        float | None,
        Field(
            description="Share of synthetic values that the real table has too; null where there are none."
        ),
    ]


def exclude_columns(
    real: pa.Table, synthetic: pa.Table, inferred: InferredTable, named: Container[str]
) -> tuple[TableSchema, list[ExcludedColumn]]:
    """Return the schema of the columns that are scored, and those that are not.

    The kinds decide, as in a fit; a column that the caller names is always scored, one of the subject never.
    The schema that is returned keeps the subject: it says whose the rows are.

    Raises
    ------
    InvalidInput
        If no column is left, or a table does not conform to the schema.
    """
    schema, findings = inferred
    real, synthetic = conform(real, schema, ORIGINS["real"]), conform(synthetic, schema, ORIGINS["synthetic"])
    left_out = []
    for column in schema.columns:
        if column.name in schema.subject:
            reason = "the subject: it says whose row it is"
        elif is_generated_column(column, real[column.name].type) and column.name not in named:
            found = findings.columns.get(column.name)
            evidence = found.evidence if found is not None and found.evidence else "the schema says so"
            reason = f"generated as {column.kind.value}: {evidence}"
        else:
            continue
        copied = _share_copied(real[column.name], synthetic[column.name])
        left_out.append(ExcludedColumn(column=column.name, kind=column.kind, reason=reason, copied=copied))
    names = {one.column for one in left_out}
    if names.issuperset(schema.names):
        raise InvalidInput(
            "Every column holds identifiers, free text or personal fields, which are generated, or the "
            "subject; there is nothing to compare. Add a column of another kind.",
            code="no_columns",
        )
    kept = [name for name in schema.names if name not in names or name in schema.subject]
    return schema.select(kept), left_out


def select(table: pa.Table, schema: TableSchema, left_out: list[ExcludedColumn], *, role: str) -> pa.Table:
    """Return the table without the columns that are left out, in the schema's types; with the subject."""
    names = {one.column for one in left_out} - set(schema.subject)
    present = [name for name in table.column_names if name in names]
    return conform(table.drop_columns(present), schema, ORIGINS[role])


# Any: columns of any type; at run time Arrow's classes take no arguments.
def _share_copied(real: Any, synthetic: Any) -> float | None:
    present = synthetic.drop_null()
    if not len(present):
        return None
    return float(pc.mean(pc.is_in(present, value_set=pc.unique(real.drop_null()))).as_py())
