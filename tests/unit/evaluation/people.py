"""A small table with every class of column, whose columns depend on each other."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.evaluation.comparison import Comparison, compare
from understudy.evaluation.options import EvaluationOptions
from understudy.tables.inference import infer_schema


def people(n_rows: int, *, seed: int) -> pa.Table:
    """Return rows of one source; tables of two seeds differ by chance only."""
    rng = np.random.default_rng(seed)
    height = rng.normal(size=n_rows)
    visits = rng.poisson(4, n_rows)
    town = np.where(height + 0.3 * rng.normal(size=n_rows) > 0, "north", "south")
    is_member = height + 0.5 * visits + 0.5 * rng.normal(size=n_rows) > 2
    days = [
        datetime.date(2020, 1, 1) + datetime.timedelta(days=int(day)) for day in rng.integers(0, 900, n_rows)
    ]
    return pa.table(
        {
            "height": pa.array(np.where(rng.random(n_rows) < 0.05, np.nan, height), from_pandas=True),
            "visits": pa.array(visits),
            "town": pa.array(town),
            "is_member": pa.array(is_member),
            "joined": pa.array(days),
        }
    )


def destroyed(table: pa.Table) -> pa.Table:
    """Return the table with one column turned around and another shifted: no relation survives."""
    rng = np.random.default_rng(99)
    height = np.array(table.column("height").to_numpy()) * -3 + 2
    turned = pa.array(rng.permutation(height), from_pandas=True)
    return table.set_column(0, "height", turned).set_column(
        3, "is_member", pa.array(rng.random(table.num_rows) < 0.5)
    )


def comparison(
    real: pa.Table,
    synthetic: pa.Table,
    *,
    holdout: pa.Table | None = None,
    canaries: pa.Table | None = None,
    target: str | None = None,
    seed: int = 0,
    **options: Any,
) -> Comparison:
    """Return the comparison on the schema of the real table."""
    asked = EvaluationOptions(target=target, **options)
    schema = infer_schema(real)
    return compare(real, synthetic, schema, holdout=holdout, canaries=canaries, options=asked, seed=seed)
