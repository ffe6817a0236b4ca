"""Tests that rules contain no combination of values that only a few entities have."""

from __future__ import annotations

import numpy as np
import pandas as pd

import understudy

N_CUSTOMERS, N_ROWS_EACH = 300, 12


def test_fixed_combinations_that_few_entities_have_are_not_stored():
    rng = np.random.default_rng(1)
    customer = np.repeat(np.arange(N_CUSTOMERS), N_ROWS_EACH)
    zone, size = rng.integers(0, 5, len(customer)), rng.integers(0, 5, len(customer))
    # Two customers have 24 rows with a size that no other customer has.
    size[customer < 2] = 9
    table = pd.DataFrame(
        {
            "customer_id": [f"C{number * 7919 % 90_000:05}" for number in customer],
            "zone": [f"zone {number}" for number in zone],
            "size": [f"size {number}" for number in size],
            "rate": [f"rate {number}" for number in (zone * 7 + size * 3) % 11],
        }
    )
    model = understudy.fit(table, seed=1)
    rules = model.synthesizer.enforcer_.rules  # type: ignore[attr-defined]  # a tree chain
    assert rules.fixed_combinations
    assert "size 9" not in rules.levels["size"].keys.to_pylist()
    sample = model.sample(2000, seed=2)
    assert "size 9" not in set(sample["size"])
    assert (sample.groupby(["zone", "size"])["rate"].nunique() == 1).all()
