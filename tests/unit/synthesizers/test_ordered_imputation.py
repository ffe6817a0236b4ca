"""Tests for imputation under inequalities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.one_table import fit, impute
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table

N_ROWS = 1500


def measurements() -> Any:
    rng = np.random.default_rng(1)
    low = rng.normal(10, 8, N_ROWS).round(1)
    high = (low + rng.gamma(2, 4, N_ROWS) + 0.2).round(1)
    middle = (low + (high - low) * rng.beta(5, 5, N_ROWS)).round(1)
    start = rng.integers(18_000, 19_000, N_ROWS)
    days = [
        pa.array(day, pa.int32()).cast(pa.date32()) for day in (start, start + rng.integers(0, 400, N_ROWS))
    ]
    columns: dict[str, Any] = {"low": low, "middle": middle, "high": high, "start": days[0], "end": days[1]}
    return pa.table(columns)


@pytest.mark.parametrize("names", [["low"], ["middle"], ["low", "high"], ["start"], ["end"]], ids="-".join)
def test_imputed_values_satisfy_inequalities(names: list[str]) -> None:
    table = measurements()
    given, is_missing = table, pa.array(np.arange(N_ROWS) % 3 == 0)
    for name in names:
        column = pc.if_else(is_missing, pa.scalar(None, table[name].type), table[name])
        given = given.set_column(table.column_names.index(name), name, column)
    completed = impute(
        fit(
            TreeChain(TreeChainParameters(name="tree_chain", preset="fast")), table, infer_table(table).schema
        ),
        given,
    )
    for low, high in (("low", "middle"), ("middle", "high"), ("start", "end")):
        assert pc.all(pc.less_equal(completed[low], completed[high])).as_py()
