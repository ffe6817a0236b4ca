"""Tests that sums hold in imputed rows, and that single missing summands are restored."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tests.one_table import fit, impute
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table

N_ROWS = 2000


@pytest.fixture(scope="module")
def bills() -> pa.Table:
    rng = np.random.default_rng(0)
    cents = np.rint(rng.lognormal(8, 1, (3, N_ROWS))).astype(np.int64)
    columns = {name: cents[i] / 100 for i, name in enumerate(("goods", "tax", "fee"))}
    return pa.table(columns | {"total": cents.sum(axis=0) / 100})


@pytest.fixture(scope="module")
def chain(bills: pa.Table) -> TreeChain:
    synthesizer = TreeChain(TreeChainParameters(name="tree_chain", preset="fast"))
    fitted = fit(synthesizer, bills, infer_table(bills).schema)
    assert "total = goods + tax + fee in every row." in fitted.card()["rules"]
    return fitted


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_sums_hold_in_imputed_rows(chain: TreeChain, bills: pa.Table, share: float) -> None:
    lacks = np.random.default_rng(1).random((4, N_ROWS)) < share
    names = bills.column_names
    given = pa.table({n: pa.array(bills[n].to_pylist(), mask=lacks[i]) for i, n in enumerate(names)})
    completed = impute(chain, given)
    cents = {n: np.rint(np.array(completed[n].to_pylist()) * 100).astype(np.int64) for n in names}
    assert (cents["goods"] + cents["tax"] + cents["fee"] == cents["total"]).all()
    assert all(cents[name].min() >= 0 for name in names)
    # A single missing summand equals the total minus the other summands, so it is restored exactly.
    single = lacks[:3].sum(axis=0) == 1
    for i, name in enumerate(names[:3]):
        rows = single & lacks[i] & ~lacks[3]
        assert (np.array(completed[name].to_pylist())[rows] == np.array(bills[name].to_pylist())[rows]).all()
