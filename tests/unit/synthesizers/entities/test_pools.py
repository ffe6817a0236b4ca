"""Tests that columns with keys from one pool, such as senders and recipients, share made-up keys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import understudy

N_ROWS, N_KEYS = 600, 60
KEYS = {
    "accounts": [f"DE{10**9 + 7919 * i * i}" for i in range(N_KEYS)],
    "persons": [
        f"{first} {last}"
        for first in ("Anna", "Paul", "Uwe", "Heike", "Carl", "Ingrid")
        for last in (
            "Miller",
            "Smith",
            "Fisher",
            "Weber",
            "Wagner",
            "Becker",
            "Schulz",
            "Koch",
            "Bauer",
            "Wolf",
        )
    ],
}


def payments(keys: list[str], n_shared: int) -> pd.DataFrame:
    """Return pairs of different keys. The given number of keys occurs in both columns."""
    rng = np.random.default_rng(3)
    rest = (len(keys) - n_shared) // 2
    senders, recipients = rng.integers(0, n_shared + rest, N_ROWS), rng.integers(0, n_shared + rest, N_ROWS)
    recipients = np.where(recipients == senders, (recipients + 1) % n_shared, recipients)
    second = keys[:n_shared] + keys[n_shared + rest :]
    return pd.DataFrame(
        {
            "sender": [keys[i] for i in senders],
            "recipient": [second[i] for i in recipients],
            "amount": rng.integers(1, 500, N_ROWS),
        }
    )


@pytest.mark.parametrize("synthesizer", ["tree_chain", "independent"])
@pytest.mark.parametrize(
    ("kind", "n_shared"), [("accounts", 60), ("accounts", 40), ("persons", 60), ("persons", 40)]
)
def test_columns_share_as_many_keys_as_in_the_table(
    tmp_path: Path, kind: str, n_shared: int, synthesizer: str
) -> None:
    table = payments(KEYS[kind], n_shared)
    model = understudy.fit(table, seed=1, synthesizer=synthesizer)
    sampled = model.sample(N_ROWS, seed=2)
    senders, recipients = set(sampled["sender"]), set(sampled["recipient"])
    assert len(senders) == table["sender"].nunique()
    real = len(set(table["sender"]) & set(table["recipient"]))
    # The first names of two made-up people can be the same, and so can their last names.
    assert abs(len(senders & recipients) - real) <= 2
    assert (sampled["sender"] == sampled["recipient"]).sum() <= 2
    assert not (senders | recipients) & set(KEYS[kind])
    model.save(tmp_path / "model.zip")
    assert understudy.load(tmp_path / "model.zip").sample(N_ROWS, seed=2).equals(sampled)


def test_columns_with_few_common_keys_have_separate_keys() -> None:
    sampled = understudy.fit(payments(KEYS["accounts"], 10), seed=1).sample(N_ROWS, seed=2)
    assert not set(sampled["sender"]) & set(sampled["recipient"])


def test_identifiers_of_two_samples_with_id_start_are_different() -> None:
    model = understudy.fit(payments(KEYS["accounts"], 60), seed=1)
    first, second = (model.sample(100, seed=5 + n, id_start=n) for n in (0, 100))
    for name in ("sender", "recipient"):
        assert not set(first[name]) & set(second[name])
