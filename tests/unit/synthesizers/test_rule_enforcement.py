"""Tests that rules that hold in all rows of a table also hold in all sampled rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.one_table import Parts, fit
from tests.one_table import sample as draw
from understudy.errors import InvalidInput
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.rules import Rules
from understudy.synthesizers.tree_chain.chain import Arranged
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table
from understudy.tables.schema import Column, ColumnKind, TableSchema

N_ROWS = 3000


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Return a table with a rule of every type."""
    rng = np.random.default_rng(0)
    city, net = rng.integers(0, 40, N_ROWS), rng.integers(100, 90_000, N_ROWS) / 100
    tax = np.round(rng.integers(1, 9, N_ROWS) / 4, 2)
    low = rng.normal(50, 10, N_ROWS).round(1)
    is_missing = rng.random(N_ROWS) < 0.2
    return pa.table(
        {
            "city": [f"city {c}" for c in city],
            "zone": [f"zone {c % 7}" for c in city],
            "net": net,
            "tax": tax,
            "gross": np.round(net + tax, 2),
            "low": low,
            "high": (low + rng.exponential(5, N_ROWS)).round(1),
            "first": pa.array(rng.integers(0, 9, N_ROWS), mask=is_missing),
            "second": pa.array(rng.normal(size=N_ROWS), mask=is_missing),
        }
    )


@pytest.fixture(scope="module")
def schema(table: pa.Table) -> TableSchema:
    """Return the schema of the table."""
    return infer_table(table).schema


@pytest.fixture(scope="module", params=["fast", "best"])
def fitted(request: pytest.FixtureRequest, table: pa.Table, schema: TableSchema) -> TreeChain:
    """Return a chain fitted with each preset."""
    return fit(TreeChain(TreeChainParameters(name="tree_chain", preset=request.param)), table, schema)


@pytest.fixture(scope="module")
def sample(fitted: TreeChain) -> pa.Table:
    """Return a sample with ten times as many rows as the table."""
    return draw(fitted, 10 * N_ROWS, seed=1)


def test_functional_dependencies_hold_in_the_sample(sample: pa.Table, table: pa.Table) -> None:
    pairs = [set(zip(t["city"].to_pylist(), t["zone"].to_pylist(), strict=True)) for t in (sample, table)]
    assert pairs[0] <= pairs[1]
    # Every city has about 75 of 3000 rows, so all cities occur among 30,000 sampled rows.
    assert pairs[0] == pairs[1]


def test_sums_hold_in_the_sample(sample: pa.Table) -> None:
    cents = [np.rint(sample[name].to_numpy() * 100).astype(int) for name in ("net", "tax", "gross")]
    assert (cents[0] + cents[1] == cents[2]).all()


def test_inequalities_hold_in_the_sample(sample: pa.Table) -> None:
    assert pc.all(pc.less_equal(sample["low"], sample["high"])).as_py()


def test_values_that_are_missing_together_stay_missing_together(sample: pa.Table) -> None:
    assert sample["first"].is_null().equals(sample["second"].is_null())
    # The share is one fifth, with a tolerance of six standard deviations for the 3000 rows of the fit.
    assert sample["first"].null_count / len(sample) == pytest.approx(0.2, abs=6 * np.sqrt(0.16 / N_ROWS))


def test_slice_equals_the_same_rows_of_the_whole_sample(fitted: TreeChain, sample: pa.Table) -> None:
    some = draw(fitted, 50, seed=1, offset=1234)
    assert some.equals(sample.slice(1234, 50).combine_chunks())


def test_card_lists_rules_without_values(fitted: TreeChain) -> None:
    card = fitted.card()
    assert card["rules_enforced"]
    assert any("gross" in rule and "net" in rule for rule in card["rules"])
    assert any("city determines zone" in rule for rule in card["rules"])
    assert "zone 1" not in str(card)


def test_rules_survive_save_and_load(fitted: TreeChain, sample: pa.Table, tmp_path: Path) -> None:
    save_model(fitted, tmp_path / "model")
    loaded, _ = load_model(tmp_path / "model")
    rows = draw(loaded, 500, seed=1)
    assert rows.equals(sample.slice(0, 500).combine_chunks())
    assert loaded.card() == fitted.card()


@pytest.mark.parametrize(
    "change",
    [
        {"tables": "none"},
        {"is_enforced": 1},
        {"tables": [{"of": 0, "by": 0}]},
        {"tables": [{"of": 1, "by": 99}]},
        {"tables": []},
    ],
)
def test_rules_that_contradict_the_chain_are_refused(fitted: TreeChain, change: dict[str, object]) -> None:
    parts = Parts.of(fitted)
    hostile = parts.changed(parts.model | {"rules": parts.model["rules"] | change})
    with pytest.raises(InvalidInput) as caught:
        TreeChain.load(hostile)
    assert caught.value.code == "invalid_model_file"


def arranged(pairs: list[tuple[int, int]], order: list[int]) -> Arranged:
    """Arrange the columns a to e. Each pair contains the indices of a dependent and its determinant."""
    columns = tuple(
        Column(name=name, kind=ColumnKind.integer, arrow_type="int64", nullable=False) for name in "abcde"
    )
    schema = TableSchema(columns=columns)
    enforcer = RuleEnforcer(Rules(schema), {pair: np.zeros(1, np.uint16) for pair in pairs})
    return enforcer.arrange(order, schema)


def test_cyclic_dependencies_are_resolved() -> None:
    arrangement = arranged([(0, 1), (1, 0), (2, 1), (1, 2)], [0, 1, 2, 3, 4])
    assert sorted(arrangement.order) == [0, 1, 2, 3, 4]
    assert len(arrangement.lookups) == 2
    for dependent, (determinant, _) in arrangement.lookups.items():
        assert arrangement.order.index(determinant) < arrangement.order.index(dependent)


def test_determinant_is_sampled_before_its_first_dependent() -> None:
    # Column 4 determines columns 1 and 2, and column 3 determines columns 2 and 0.
    arrangement = arranged([(1, 4), (2, 4), (2, 3), (0, 3)], [1, 0, 2, 3, 4])
    assert arrangement.order == [4, 1, 2, 3, 0]
    assert {dependent: determinant for dependent, (determinant, _) in arrangement.lookups.items()} == {
        1: 4,
        2: 4,
        0: 3,
    }
