"""What the columns of a table are, with the evidence: from their types, their names and some of their values.

`types` knows what can be stored, `values` samples a table in memory or in a file, `headers` knows words.
`numbered` and `personal` find what is personal, `unique` what is mostly unique, `numbers` what numbers are;
`columns` weighs it. `roles` finds a table's key, subject and target, `keys` the references between tables.
"""

from __future__ import annotations

from understudy.tables.inference.column_names import check_names
from understudy.tables.inference.examination import examine, is_generated_column
from understudy.tables.inference.tables import (
    InferredSchema,
    InferredTable,
    infer_schema,
    infer_stored,
    infer_table,
    infer_values,
)
from understudy.tables.inference.types import column_kind, storable_type

__all__ = [
    "InferredSchema",
    "InferredTable",
    "check_names",
    "column_kind",
    "examine",
    "infer_schema",
    "infer_stored",
    "infer_table",
    "infer_values",
    "is_generated_column",
    "storable_type",
]
