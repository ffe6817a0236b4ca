"""Tests that lookups contain no value that occurs in only a few rows, entities or levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.one_table import fit, sample
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table

N_SITES, N_EACH = 20, 50
FRUITS = "Apple Pear Plum Fig Kiwi Lime Mango Peach Melon Grape Cherry Date Guava Lemon Olive Papaya Quince"


def fitted(table: pa.Table, *, seed: int = 1, **changes: Any) -> TreeChain:
    schema = infer_table(table).schema.model_copy(update=changes)
    return fit(TreeChain(TreeChainParameters(name="tree_chain", preset="fast")), table, schema, seed=seed)


@pytest.mark.parametrize(("n_rows", "n_patients"), [(1, None), (30, 1)])
def test_value_of_the_only_row_without_a_site_is_not_looked_up(n_rows: int, n_patients: int | None) -> None:
    site = np.repeat(np.arange(N_SITES), N_EACH)
    region = np.append([f"region {own % 7}" for own in site], ["region 6"] * n_rows)
    columns: dict[str, Any] = {
        "site": pa.array([f"site {own:02}" for own in site] + [None] * n_rows),
        "region": region,
        "x": np.random.default_rng(0).normal(size=len(region)).round(2),
    }
    if n_patients:
        columns["patient"] = np.append(np.arange(len(site)) // 2, np.full(n_rows, len(site)))
        columns["patient"] = [f"P{1000 + 13 * int(own)}" for own in columns["patient"]]
    chain = fitted(pa.table(columns), subject=("patient",) if n_patients else ())
    assert "site determines region in every row." in chain.card()["rules"]
    rows = sample(chain, 20_000)
    without_site = rows.filter(pc.is_null(rows["site"]))
    assert without_site.num_rows > 0
    assert "region 6" not in without_site["region"].to_pylist()


def test_value_of_the_only_rare_code_is_not_copied_to_the_made_up_code() -> None:
    names = FRUITS.split()
    n_common = len(names) - 1
    number = np.append(np.repeat(np.arange(n_common), 30), n_common)
    family = np.where(number == n_common, 5, number % 6)
    table = pa.table(
        {
            "code": [f"C{own:03}" for own in number],
            "name": [names[own] for own in number],
            "family": [f"family {own}" for own in family],
        }
    )
    chains = [fitted(table, seed=seed) for seed in range(6)]
    (code, _, columns) = chains[0].drawn_.columns
    assert code.n_made_up == 1  # type: ignore[attr-defined]  # a category
    made_up = {columns.levels[int(own.enforcer_.levels[2, 0][n_common])].as_py() for own in chains}  # type: ignore[attr-defined]
    assert len(made_up) > 1
