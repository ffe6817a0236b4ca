"""Tests for columns that are the absolute value, a part or the sign of another column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.one_table import Parts, fit, impute
from tests.one_table import sample as draw
from understudy.errors import InvalidInput
from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table

N_ROWS = 3000
FUNCTIONS = {
    "absolute": np.abs,
    "positive": lambda x: np.maximum(x, 0),
    "negative": lambda x: np.maximum(-x, 0),
    "thousands": lambda x: np.round(np.abs(x) / 1000, 1),
    "cents": lambda x: np.rint(np.abs(x) * 100).astype(np.int64),
    "sign": lambda x: np.sign(x) * 10.0,
    "shifted": lambda x: np.abs(x) + 12.5,
}


def accounts(function: str, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    amounts = np.round(rng.lognormal(5, 1.5, N_ROWS) * rng.choice([-1, 1], N_ROWS, p=[0.4, 0.6]), 2)
    return pa.table(
        {"kind": rng.choice(["a", "b"], N_ROWS), "amount": amounts, "derived": FUNCTIONS[function](amounts)}
    )


def fitted(table: pa.Table) -> TreeChain:
    chain = TreeChain(TreeChainParameters(name="tree_chain", preset="fast"))
    return fit(chain, table, infer_table(table).schema)


def agrees(table: pa.Table, function: str) -> bool:
    expected = FUNCTIONS[function](np.array(table["amount"].to_pylist(), dtype=np.float64))
    return bool(np.allclose(expected, table["derived"].to_pylist(), rtol=1e-9, atol=1e-6))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_unary_relations_hold_in_sampled_rows(function: str) -> None:
    sample = draw(fitted(accounts(function)), 5000, seed=2)
    assert agrees(sample, function)
    assert min(sample["amount"].to_pylist()) < 0 < max(sample["amount"].to_pylist())


def test_card_describes_unary_rules() -> None:
    assert fitted(accounts("absolute")).card()["rules"] == [
        "derived = the absolute value of amount in every row."
    ]
    assert fitted(accounts("cents")).card()["rules"] == [
        "derived = 100 * the absolute value of amount in every row."
    ]


def test_sums_and_unary_rules_are_combined(tmp_path: Path) -> None:
    table = accounts("absolute")
    copy = pa.array(np.round(np.array(table["derived"].to_pylist()) + 5, 2))
    chain = fitted(table.append_column("with fee", copy))
    save_model(chain, tmp_path / "model")
    loaded, _ = load_model(tmp_path / "model")
    sample = draw(loaded, 1000, seed=2)
    assert sample.equals(draw(chain, 1000, seed=2))
    assert agrees(sample, "absolute")
    fees = np.array(sample["with fee"].to_pylist()) - np.array(sample["derived"].to_pylist())
    assert np.allclose(fees, 5)


def test_either_column_is_imputed_from_the_other() -> None:
    table = accounts("absolute")
    chain = fitted(table)
    rng = np.random.default_rng(1)
    lacks = rng.random((2, N_ROWS)) < 0.3
    given = table
    for place, name in ((1, "amount"), (2, "derived")):
        column = pa.array(table[name].to_pylist(), mask=lacks[place - 1])
        given = given.set_column(place, name, column)
    completed = impute(chain, given)
    assert agrees(completed, "absolute")
    signs = np.sign(np.array(completed["amount"].to_pylist()))[lacks[0]]
    # About 40% of the 900 amounts are negative. The tolerance is six standard deviations.
    assert abs((signs < 0).mean() - 0.4) < 0.1


def test_conditions_on_a_derived_column_are_met() -> None:
    wanted = SamplingConstraints.model_validate(
        {"conditions": [{"where": {"derived": {"minimum": 100, "maximum": 200}}, "n_rows": 200}]}
    )
    rows = draw(fitted(accounts("absolute")), 200, seed=1, constraints=wanted)
    assert agrees(rows, "absolute")
    assert all(100 <= value <= 200 for value in rows["derived"].to_pylist())


def test_one_contradicting_row_prevents_a_rule() -> None:
    table = accounts("absolute")
    values = table["derived"].to_pylist()
    values[17] += 1
    assert fitted(table.set_column(2, "derived", pa.array(values))).card()["rules"] == [
        "amount <= derived in every row where both are present."
    ]


@pytest.mark.parametrize(
    "change",
    [
        "none",
        [{}],
        [{"function": "sine"}],
        [{"linear": None}],
        [{"linear": {"terms": ["amount", "derived"]}}],
        [{"linear": {"terms": ["kind"]}}],
        [{"linear": {"target": "amount", "terms": ["amount"]}}],
    ],
)
def test_unary_rules_that_contradict_the_model_are_refused(change: Any) -> None:
    parts = Parts.of(fitted(accounts("absolute")))
    rules = parts.model["rules"]
    (entry,) = rules["unary"]
    entries = change
    if isinstance(change, list) and change != [{}]:
        (own,) = change
        linear = own.get("linear", {})
        entries = [entry | own | {"linear": linear and entry["linear"] | linear}]
    hostile = parts.changed(parts.model | {"rules": rules | {"unary": entries}})
    with pytest.raises(InvalidInput) as caught:
        TreeChain.load(hostile)
    assert caught.value.code == "invalid_model_file"
