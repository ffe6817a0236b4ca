"""Tests for columns that are a quotient of two sums of products of other columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from tests.one_table import fit, impute
from tests.one_table import sample as draw
from understudy.errors import InvalidInput
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.rules import load_rules, rules_to_arrays
from understudy.synthesizers.rules.search import find_rules
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table
from understudy.transformers.array_reader import ArrayReader

N_ROWS = 1200

Floats = npt.NDArray[np.float64]
Columns = dict[str, Floats]
RULES: dict[str, tuple[tuple[str, ...], Callable[[Columns], Floats], float]] = {
    "hours * rate + bonus": (("hours", "rate", "bonus"), lambda t: t["hours"] * t["rate"] + t["bonus"], 0.01),
    "two products": (
        ("hours", "rate", "extra", "extra_rate"),
        lambda t: t["hours"] * t["rate"] + t["extra"] * t["extra_rate"],
        0.01,
    ),
    "positive part of a difference": (("new", "old"), lambda t: np.maximum(t["new"] - t["old"], 0), 0.01),
    "share of an excess": (("new", "old"), lambda t: np.maximum(0.8 * (t["new"] - t["old"]), 0), 0.01),
    "percentage change": (("old", "new"), lambda t: 100 * (t["new"] - t["old"]) / t["old"], 0.1),
    "change": (("old", "new"), lambda t: (t["new"] - t["old"]) / t["old"], 1e-4),
    "share of two": (("old", "new"), lambda t: t["old"] / (t["old"] + t["new"]), 1e-4),
    "rounded to tens": (("hours", "rate"), lambda t: t["hours"] * t["rate"], 10.0),
    "logarithm": (("old", "hours"), lambda t: np.log10(t["old"]), 0.01),
    "linear with ties as in floats": (("hours", "rate"), lambda t: 0.31 * t["hours"] + 12, 0.01),
}


def quantities() -> Columns:
    rng = np.random.default_rng(1)
    old = np.round(rng.lognormal(4, 0.8, N_ROWS), 2) + 1
    return {
        "hours": np.round(rng.normal(38, 4, N_ROWS), 1),
        "rate": np.round(rng.lognormal(3, 0.3, N_ROWS), 2),
        "bonus": np.round(np.where(rng.random(N_ROWS) < 0.3, rng.gamma(2, 40, N_ROWS), 0), 2),
        "extra": rng.integers(0, 12, N_ROWS).astype(np.float64),
        "extra_rate": np.round(rng.uniform(20, 60, N_ROWS), 2),
        "old": old,
        "new": np.round(old * np.exp(rng.normal(0, 0.3, N_ROWS)), 2),
    }


def table_of(rule: str) -> pa.Table:
    """Return the columns of a rule. The last column is the one that the rule computes."""
    names, compute, step = RULES[rule]
    columns = quantities()
    rounded = np.round(np.round(compute(columns) / step) * step, 4)
    return pa.table({name: columns[name] for name in names} | {"result": rounded})


def errors_of(rule: str, rows: pa.Table) -> Floats:
    _, compute, step = RULES[rule]
    columns = {name: rows[name].to_numpy() for name in rows.column_names}
    return np.asarray(np.abs(compute(columns) - columns["result"]) / step)


def chain_of(table: pa.Table) -> TreeChain:
    return fit(TreeChain(TreeChainParameters()), table, infer_table(table).schema)


@pytest.mark.parametrize("rule", RULES)
def test_results_of_expressions_are_computed_from_the_other_columns(rule: str):
    table = table_of(rule)
    rules = find_rules(table, infer_table(table).schema)
    assert "result" in rules.derived
    derived = rules.derive({name: table[name].combine_chunks() for name in table.column_names[:-1]})
    # Ties can be rounded in either direction.
    assert errors_of(rule, pa.table(derived)).max() < 0.5 + 1e-6


def test_rules_hold_in_samples_of_a_loaded_model(tmp_path: Any):
    rule = "hours * rate + bonus"
    chain = chain_of(table_of(rule))
    assert "result = hours * rate + bonus, rounded, in every row." in chain.card()["rules"]
    save_model(chain, tmp_path / "pay.model")
    rows = draw(load_model(tmp_path / "pay.model").synthesizer, 500)
    assert errors_of(rule, rows).max() < 0.51
    assert rows.equals(draw(chain, 500))


@pytest.mark.parametrize("rule", ["hours * rate + bonus", "percentage change"])
def test_missing_terms_are_computed_from_the_result(rule: str):
    table = table_of(rule)
    names = table.column_names
    gaps = table
    for place, name in enumerate(names):
        values = table[name].to_numpy().copy()
        values[place :: len(names)] = np.nan
        gaps = gaps.set_column(place, name, pa.array(values, from_pandas=True))
    filled = impute(chain_of(table), gaps)
    # A missing term is rounded to its own unit. The rates have two decimals, and the hours are below 60.
    assert np.quantile(errors_of(rule, filled), 0.95) < (31 if rule == "hours * rate + bonus" else 1.1)


def test_one_contradicting_row_prevents_a_rule():
    table = table_of("hours * rate + bonus")
    values = table["result"].to_numpy().copy()
    values[N_ROWS // 2] += 1
    table = table.set_column(table.column_names.index("result"), "result", pa.array(values))
    assert "result" not in find_rules(table, infer_table(table).schema).derived


def test_column_is_not_computed_by_inverting_a_rounded_result():
    columns = quantities()
    total = np.round(columns["extra"] * np.rint(columns["rate"]), -1)
    table = pa.table({"price": np.rint(columns["rate"]), "total": total, "quantity": columns["extra"]})
    assert set(find_rules(table, infer_table(table).schema).derived) <= {"total"}


@pytest.mark.parametrize(
    "change",
    [
        lambda own: own["above"][0].update(factor=float("nan")),
        lambda own: own["above"][0].update(columns=["unknown"]),
        lambda own: own.update(terms=[]),
        lambda own: own.update(target="hours"),
        lambda own: own.update(step=0),
        lambda own: own.update(ties="up"),
    ],
)
def test_expressions_that_contradict_the_table_are_refused(change: Any):
    table = table_of("hours * rate + bonus")
    schema = infer_table(table).schema
    manifest, arrays = rules_to_arrays(find_rules(table, schema))
    load_rules(ArrayReader(manifest, arrays), schema)
    change(manifest["expressions"][0])
    with pytest.raises(InvalidInput):
        load_rules(ArrayReader(manifest, arrays), schema)
