"""A slice of the power check: every attack sees a noisy copy, and nothing in new rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benchmarks.power_check import RED_ALLOWED, attack, broken_promises, summarize
from tests.unit.evaluation.people import people
from understudy.tables.inference import infer_table

# A fifth of the rows is held out; a twentieth of two thirds of these are outliers, of which 100 are needed.
N_ROWS = 20_000
SEEDS = (0, 1)


def much_of_people() -> pa.Table:
    """Return rows with so many columns that hardly any two are alike: there is something to be told."""
    table, rng = people(N_ROWS, seed=7), np.random.default_rng(7)
    for name in ("weight", "income", "rent", "age"):
        table = table.append_column(name, pa.array(rng.normal(size=N_ROWS)))
    return table


def test_attacks_are_red_on_a_leak_and_on_nothing_else() -> None:
    table = much_of_people()
    schema = infer_table(table).schema
    found = [attack(table, schema, "is_member", seed=seed, roles=tuple(RED_ALLOWED)) for seed in SEEDS]
    assert broken_promises(summarize(found), len(SEEDS)) == []
