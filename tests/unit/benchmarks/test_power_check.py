"""Tests that every attack detects a noisy copy and finds no leak in new rows, as in the full power check."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benchmarks.power_check import RED_ALLOWED, attack, broken_promises, summarize
from tests.unit.evaluation.people import people
from understudy.tables.inference import infer_table

# One fifth of the rows are held out, and two thirds of the held-out rows are victims. One in twenty victims
# is an outlier, and the attack needs at least 100 outliers.
N_ROWS = 20_000
SEEDS = (0, 1)


def many_people() -> pa.Table:
    """Return rows with enough columns to make almost every row unique, so that an attack can succeed."""
    table, rng = people(N_ROWS, seed=7), np.random.default_rng(7)
    for name in ("weight", "income", "rent", "age"):
        table = table.append_column(name, pa.array(rng.normal(size=N_ROWS)))
    return table


def test_attacks_report_a_leak_only_for_noisy_copies() -> None:
    table = many_people()
    schema = infer_table(table).schema
    outcomes = [attack(table, schema, "is_member", seed=seed, roles=tuple(RED_ALLOWED)) for seed in SEEDS]
    assert broken_promises(summarize(outcomes), len(SEEDS)) == []
