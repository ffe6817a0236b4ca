"""A slice of the power check: every attack sees a noisy copy, and nothing in new rows."""

from __future__ import annotations

import pytest

from benchmarks.power_check import attack, broken_promises, summarize
from tests.unit.evaluation.people import people
from understudy.tables.inference import infer_schema

# A fifth of the rows is held out; a twentieth of half of these are outliers, of which 100 are needed.
N_ROWS = 22_000
SEEDS = (0, 1)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_attacks_are_red_on_a_leak_and_on_nothing_else() -> None:
    table = people(N_ROWS, seed=7)
    found = [attack(table, infer_schema(table), "is_member", seed=seed) for seed in SEEDS]
    assert broken_promises(summarize(found), len(SEEDS)) == []
