"""A table that needs several parts."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

PART_BYTES = 1 << 16
N_ROWS = 6_000


def write_people(folder: Path) -> Path:
    """Write a table as CSV and return its path."""
    rows = range(N_ROWS)
    table = pa.table(
        {
            "age": [18 + row * 7 % 60 for row in rows],
            "city": [("Oslo", "Rome", "Lima")[row * row % 3] for row in rows],
            "income": [1000.5 + row * 37 % 900 for row in rows],
            "code": [f"code-{row * 7919 % 1000:06d}" for row in rows],
        }
    )
    path = folder / "people.csv"
    pacsv.write_csv(table, path)
    assert path.stat().st_size > 2 * PART_BYTES
    return path
