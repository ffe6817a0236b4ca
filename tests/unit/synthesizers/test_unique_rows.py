"""Tests that rows that occur once in the table are never sampled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.contracts.test_synthesizers import all_kinds
from tests.one_table import fit, sample
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.tree_chain import unique_rows
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table


def fitted(table: pa.Table, preset: Any = "fast") -> TreeChain:
    chain = TreeChain(TreeChainParameters(name="tree_chain", preset=preset))
    return fit(chain, table, infer_table(table).schema)


def few_values(n_rows: int) -> pa.Table:
    """Return two columns with 1000 shared values each, so that chance copies of unique rows are likely."""
    rng = np.random.default_rng(0)
    return pa.table({"a": rng.integers(0, 1000, n_rows) * 3, "b": rng.integers(0, 1000, n_rows) / 4})


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_unique_rows_are_not_sampled_but_repeated_rows_are() -> None:
    table = few_values(20_000)
    real = rows_of(table)
    counts = dict.fromkeys(real, 0)
    for row in real:
        counts[row] += 1
    chain = fitted(table)
    drawn = rows_of(sample(chain, 200_000, seed=1))
    # The table contains 2% of the million combinations. Without protection, about 4,000 sampled
    # rows would be copies.
    assert not [row for row in drawn if counts.get(row) == 1]
    assert [row for row in drawn if counts.get(row, 0) > 1]
    assert chain.card()["rows_never_copied"] == sum(n == 1 for n in counts.values())


def test_samples_of_tables_with_few_values_repeat_rows() -> None:
    rng = np.random.default_rng(0)
    table = pa.table({name: rng.integers(0, 5, 500) for name in "abcd"})
    chain = fitted(table)
    assert chain.card()["rows_never_copied"] == 0
    assert set(rows_of(sample(chain, 2000, seed=1))) & set(rows_of(table))


def test_cross_fitted_models_store_no_fingerprints() -> None:
    assert fitted(few_values(3000), "guarded").card()["rows_never_copied"] == 0


def test_fingerprints_are_equal_only_for_equal_values() -> None:
    table, _ = all_kinds(400, with_missing=True)
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    whole = unique_rows.fingerprint_values(columns, 400)
    part = unique_rows.fingerprint_values({name: array.slice(100, 50) for name, array in columns.items()}, 50)
    assert (whole[100:150] == part).all()
    rows = rows_of(table)
    assert len(set(whole.tolist())) == len(set(rows))


@pytest.mark.parametrize("n_known", [0, 1, 100_000])
def test_fingerprint_search_agrees_with_numpy(n_known: int) -> None:
    rng = np.random.default_rng(n_known)
    known = np.unique(rng.integers(0, 2**32, n_known).astype(np.uint32))
    queries = np.concatenate((known[::7], rng.integers(0, 2**32, 1000).astype(np.uint32)))
    assert (unique_rows.fingerprints.is_among(queries, known) == np.isin(queries, known)).all()


def test_tiny_tables_with_few_codes_can_be_sampled() -> None:
    numbers = [96, 74, 20, 19, 43, 11, 45, 94, 65, 48, 68, 72, 52, 92, 88, 18, 76, 56, 38, 34]
    excess = [26 if number > 60 and number % 4 == 0 else 0 for number in numbers]
    assert sample(fitted(pa.table({"excess": excess, "used": numbers})), 2000, seed=5).num_rows == 2000
