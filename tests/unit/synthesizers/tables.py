"""Small tables with dependencies between their columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from understudy.tables.schema import Column, ColumnKind, TableSchema

_KINDS = {
    "n": ColumnKind.integer,
    "x": ColumnKind.float,
    "y": ColumnKind.float,
    "city": ColumnKind.category,
    "ok": ColumnKind.boolean,
    "code": ColumnKind.category,
}


def related_columns(n_rows: int, seed: int = 0) -> tuple[pa.Table, TableSchema]:
    """Return a table in which y depends on x, city depends on n, and a 300-level code depends on city."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n_rows)
    n = rng.integers(0, 8, n_rows)
    city = np.array(["Graz", "Linz", "Wien", "Zell"])[n // 2]
    table = pa.table(
        {
            "n": pa.array(n),
            "x": pa.array(np.round(x, 3)),
            "y": pa.array(np.where(rng.random(n_rows) < 0.1, np.nan, 2 * x + 0.1 * rng.normal(size=n_rows))),
            "city": pa.array(city),
            "ok": pa.array(x > 0),
            "code": pa.array([f"{c} {i}" for c, i in zip(city, rng.integers(0, 75, n_rows), strict=True)]),
        }
    )
    columns = tuple(
        Column(name=name, kind=kind, arrow_type=str(table[name].type), nullable=name == "y")
        for name, kind in _KINDS.items()
    )
    schema = TableSchema(columns=columns)
    return table.cast(schema.to_arrow()), schema
