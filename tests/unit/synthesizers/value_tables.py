"""A test table with value-level rules of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

N_ROWS = 4000


def contracts(n: int = N_ROWS, seed: int = 0) -> pa.Table:
    """Return contracts in which some values determine others. In the first month, both amounts are equal."""
    rng = np.random.default_rng(seed)
    internet = rng.choice(["DSL", "fibre", "no"], n, p=[0.35, 0.4, 0.25])
    months = rng.integers(2, 73, n)
    months[rng.random(n) < 0.1] = 1
    months[rng.random(n) < 0.01] = 0
    monthly = np.round(rng.uniform(18, 118, n), 2)
    total = np.where(months == 1, monthly, np.round(monthly * months * rng.uniform(0.9, 1.1, n), 2))
    smokes = rng.choice(["never", "formerly", "daily"], n)
    sex = rng.choice(["f", "m"], n)
    is_pregnant = rng.choice(["yes", "no"], n, p=[0.2, 0.8])
    return pa.table(
        {
            "months": months,
            "internet": internet,
            "backup": _only_with(internet, rng.choice(["yes", "no"], n)),
            "film": _only_with(internet, rng.choice(["yes", "no"], n)),
            "monthly": monthly,
            "total": pa.array(total, mask=months == 0),
            "smokes": smokes,
            "cigarettes": pa.array(rng.integers(1, 40, n), mask=smokes == "never"),
            "sex": sex,
            # For men, the value is missing or "no", so the only pair that never occurs is "m" and "yes".
            "pregnant": pa.array(np.where(sex == "m", "no", is_pregnant), mask=rng.random(n) < 0.1),
        }
    )


def _only_with(internet: Any, chosen: Any) -> Any:
    return np.where(internet == "no", "no internet", chosen)


def broken_rules(table: pa.Table) -> list[str]:
    """Return the names of the rules that at least one row of the table breaks."""
    columns = {name: np.array(table[name].to_pylist(), dtype=object) for name in table.column_names}
    is_none = {name: np.array([value is None for value in own]) for name, own in columns.items()}
    lacks = columns["internet"] == "no"
    first = columns["months"] == 1
    rules = {
        "backup": lacks == (columns["backup"] == "no internet"),
        "film": lacks == (columns["film"] == "no internet"),
        "no total": (columns["months"] == 0) == is_none["total"],
        "first total": ~first | (columns["total"] == columns["monthly"]),
        "cigarettes": (columns["smokes"] == "never") == is_none["cigarettes"],
        "pregnant": (columns["sex"] == "f") | (columns["pregnant"] != "yes"),
    }
    return [name for name, kept in rules.items() if not kept.all()]
