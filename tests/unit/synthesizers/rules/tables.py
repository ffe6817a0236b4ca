"""Test tables with planted rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from understudy.synthesizers.rules import Rules, find_rules
from understudy.tables.inference import infer_table
from understudy.transformers.base import ArrowArray

N_ROWS = 6000


def rules_of(columns: dict[str, Any] | pa.Table) -> Rules:
    """Return the rules found in a table."""
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    return find_rules(table, infer_table(table).schema)


def blocks(table: pa.Table) -> dict[str, ArrowArray]:
    """Return the columns as arrays."""
    batch = table.combine_chunks().to_batches()[0]
    return dict(zip(batch.schema.names, batch.columns, strict=True))


def with_missing(values: Any, mask: Any, type_: pa.DataType | None = None) -> ArrowArray:
    array: ArrowArray = pa.array(values, type=type_, mask=mask)
    return array


def everything(n_rows: int = N_ROWS, seed: int = 0) -> pa.Table:
    """Return a table with a rule of every kind, columns of many types, and some noise."""
    rng = np.random.default_rng(seed)
    city = rng.integers(0, 12, n_rows)
    line, station = rng.integers(0, 9, n_rows), rng.integers(0, 11, n_rows)
    cents = rng.integers(1, 100_000, (2, n_rows))
    start = rng.integers(1_600_000_000, 1_700_000_000, n_rows)
    minutes = rng.integers(0, 500, n_rows)
    noise = rng.integers(0, 1000, n_rows)
    lacks = rng.random(n_rows) < 0.1
    late = lacks | (rng.random(n_rows) < 0.2)
    duration = with_missing(minutes * 60, lacks, pa.duration("s"))
    end = with_missing((start + minutes * 60) * 1000, lacks, pa.timestamp("ms", tz="Europe/Vienna"))
    return pa.table(
        {
            "city": np.array([f"c{i}" for i in range(12)])[city],
            "zone": (city // 3).astype(np.int8),
            "line": line,
            "station": np.array([f"s{i}" for i in range(11)])[station],
            # Neither the line alone nor the station alone determines the platform.
            "platform": (line * 5 + station * 7) % 8,
            "net": pa.array(cents[0] / 100),
            "tax": pa.array(cents[1] / 100),
            "gross": pa.array((cents[0] + cents[1]) / 100),
            "start": pa.array(start, pa.timestamp("s", tz="Europe/Vienna")),
            "duration": duration,
            "end": end,
            "note": pa.array(rng.integers(0, 99, n_rows).astype(str), mask=late),
            "low": rng.normal(size=n_rows) * 5,
            "noise": noise.astype(np.uint16),
            "most": noise / 2 + noise.max() * rng.random(n_rows) + noise / 2,
        }
    )
