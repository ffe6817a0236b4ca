"""Tables of patients with several similar visits each, and a generator that copies patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.tables.inference import infer_table
from understudy.tables.schema import TableSchema

# Standard deviation between the visits of one patient, relative to the standard deviation between patients.
WITHIN = 0.02
STABLE = ("weight", "pressure", "glucose", "iron")


def visits(sizes: Sequence[int], *, seed: int, time: int = 0) -> pa.Table:
    """Return visits in random order. Patient i has `sizes[i]` visits.

    Parameters
    ----------
    seed : int
        Seed for the patients. A different seed produces different patients from the same distribution.
    time : int
        Seed for the visits. A different seed produces different visits for the same patients.
    """
    who, when = np.random.default_rng(seed), np.random.default_rng([seed, time])
    n = int(np.sum(sizes))
    patient = np.repeat(np.arange(len(sizes)), sizes)[when.permutation(n)]
    columns: dict[str, Any] = {"patient": patient}
    for name in STABLE:
        columns[name] = who.normal(size=len(sizes))[patient] + WITHIN * when.normal(size=n)
    columns["blood"] = np.array(["0", "A", "B", "AB"])[who.integers(4, size=len(sizes))][patient]
    columns["ward"] = np.array(["north", "south", "east"])[when.integers(3, size=n)]
    return pa.table(columns)


def leak(training: pa.Table, sizes: Sequence[int], *, seed: int) -> pa.Table:
    """Return new visits of training patients, as a generator that reproduces patients would."""
    made = visits(sizes, seed=seed, time=1)
    known = np.isin(made["patient"].to_numpy(), training["patient"].to_numpy())
    return under_other_numbers(made.filter(pa.array(known)))


def under_other_numbers(made: pa.Table) -> pa.Table:
    """Return the table with patient numbers that do not belong to any real patient."""
    return made.set_column(0, "patient", pa.array(made["patient"].to_numpy() + 10**6))


def schema_of(table: pa.Table, *subject: str) -> TableSchema:
    """Return the inferred schema with these columns as the subject."""
    return infer_table(table).schema.model_copy(update={"subject": subject})
