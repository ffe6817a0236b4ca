"""Tests for conditions, rebalanced columns and imputation."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.one_table import fit, impute, sample
from understudy.errors import InvalidInput
from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers import IndependentParameters, TreeChainParameters
from understudy.synthesizers.base import SupportsConstraints, SupportsImputation
from understudy.synthesizers.independent.synthesizer import Independent
from understudy.synthesizers.tree_chain import conditional_sampling
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table

N_ROWS = 4000


def make_table(n_rows: int = N_ROWS, seed: int = 0) -> pa.Table:
    """Return a table of payments. Frauds are rare, have large amounts and occur at night."""
    rng = np.random.default_rng(seed)
    fraud = rng.random(n_rows) < 0.05
    amount = np.round(rng.lognormal(np.where(fraud, 6, 3), 0.5), 2)
    hour = np.where(fraud, rng.integers(0, 6, n_rows), rng.integers(6, 24, n_rows))
    shop = rng.integers(0, 20, n_rows)
    day = [date(2024, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 300, n_rows)]
    return pa.table(
        {
            "id": np.arange(n_rows) + 1000,
            "fraud": pa.array(np.where(fraud, "yes", "no")),
            "amount": amount,
            "fee": np.round(amount + 1, 2),
            "hour": pa.array(hour, mask=rng.random(n_rows) < 0.1),
            "day": day,
            "zone": pa.array([f"zone {h // 6}" for h in hour]),
            "shop": pa.array([f"shop {s}" for s in shop]),
            "region": pa.array([f"region {s % 3}" for s in shop]),
        }
    )


@pytest.fixture(scope="module", params=["fast", "best"])
def chain(request: pytest.FixtureRequest) -> TreeChain:
    """Return a chain fitted with each preset."""
    table = make_table()
    parameters = TreeChainParameters(name="tree_chain", preset=request.param)
    return fit(TreeChain(parameters), table, infer_table(table).schema)


def constraints(where: dict[str, Any], n_rows: int = 1500) -> SamplingConstraints:
    return SamplingConstraints.model_validate({"conditions": [{"where": where, "n_rows": n_rows}]})


def draw(chain: TreeChain, requested: SamplingConstraints, n_rows: int = 1500, offset: int = 0) -> pa.Table:
    return sample(chain, n_rows, seed=1, offset=offset, constraints=requested)


def test_condition_determines_its_column_and_dependent_columns_agree(chain: TreeChain) -> None:
    rows = draw(chain, constraints({"fraud": {"equals": "yes"}}))
    assert set(rows["fraud"].to_pylist()) == {"yes"}
    hours = rows["hour"].drop_null().to_numpy()
    # 95% of the real rows have a daytime hour, but no fraud has one.
    assert (hours < 6).mean() > 0.97
    assert np.median(rows["amount"].to_numpy()) == pytest.approx(np.exp(6), rel=0.2)


def test_conditions_on_ranges_and_sets_and_missing_values_are_satisfied(chain: TreeChain) -> None:
    requested = {
        "amount": {"minimum": 10.5, "maximum": 30.25},
        "day": {"minimum": "2024-02-01", "maximum": "2024-03-31"},
        "zone": {"one_of": ["zone 1", "zone 2"]},
    }
    rows = draw(chain, constraints(requested))
    assert pc.min_max(rows["amount"])["min"].as_py() >= 10.5
    assert pc.min_max(rows["amount"])["max"].as_py() <= 30.25
    assert {day.month for day in rows["day"].to_pylist()} == {2, 3}
    assert set(rows["zone"].to_pylist()) == {"zone 1", "zone 2"}
    assert draw(chain, constraints({"hour": {"is_missing": True}}))["hour"].null_count == 1500
    assert draw(chain, constraints({"hour": {"is_missing": False}}))["hour"].null_count == 0


def test_condition_for_a_number_between_two_codes_is_satisfied_exactly(chain: TreeChain) -> None:
    rows = draw(chain, constraints({"amount": {"equals": 17.77}}, 50), 50)
    assert rows["amount"].to_pylist() == [17.77] * 50
    assert rows["fee"].to_pylist() == [18.77] * 50


def test_condition_on_a_derived_column_is_satisfied(chain: TreeChain) -> None:
    rows = draw(chain, constraints({"fee": {"minimum": 20, "maximum": 25}}))
    assert pc.min_max(rows["fee"])["min"].as_py() >= 20
    assert (np.rint((rows["fee"].to_numpy() - rows["amount"].to_numpy()) * 100) == 100).all()


def test_rows_of_each_condition_are_consecutive(chain: TreeChain) -> None:
    requested = SamplingConstraints.model_validate(
        {
            "conditions": [
                {"where": {"fraud": {"equals": "yes"}}, "n_rows": 30},
                {"where": {"fraud": {"equals": "no"}}, "n_rows": 2000},
            ]
        }
    )
    rows = draw(chain, requested, 2030)
    assert rows["fraud"].to_pylist() == ["yes"] * 30 + ["no"] * 2000
    assert len(set(rows["id"].to_pylist())) == 2030
    assert draw(chain, requested, 40, 1010).equals(rows.slice(1010, 40).combine_chunks())
    with pytest.raises(InvalidInput, match="2,030 rows"):
        draw(chain, requested, 2031)


def test_rebalanced_column_has_the_requested_shares(chain: TreeChain) -> None:
    shares = [{"value": "yes", "share": 0.5}, {"value": "no", "share": 0.5}]
    requested = SamplingConstraints.model_validate({"rebalance": {"column": "fraud", "shares": shares}})
    rows = draw(chain, requested, 4000)
    is_fraud = pc.equal(rows["fraud"], "yes").to_numpy()
    # The tolerance is six standard deviations of a share of 0.5 among 4000 rows.
    assert is_fraud.mean() == pytest.approx(0.5, abs=6 * 0.5 / np.sqrt(4000))
    amount = rows["amount"].to_numpy()
    assert np.median(amount[is_fraud]) > 5 * np.median(amount[~is_fraud])
    assert draw(chain, requested, 9, 1020).equals(rows.slice(1020, 9).combine_chunks())


def test_effective_share_drops_for_rare_conditions(chain: TreeChain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditional_sampling, "N_PROPOSALS_MAX", 4)
    easy, hard = (
        chain.effective_shares(constraints(where))[0]
        for where in ({"fraud": {"equals": "no"}}, {"amount": {"minimum": 300}})
    )
    # Large amounts occur only in frauds, so 1 of 20 proposals qualifies. On average, 4 proposals yield 0.2
    # rows.
    assert easy > 0.9
    assert hard == pytest.approx(0.2, abs=0.1)


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ({"fraud": {"equals": "perhaps"}}, "impossible_condition"),
        ({"amount": {"minimum": 1e9}}, "impossible_condition"),
        ({"shop": {"equals": "shop 1"}, "region": {"equals": "region 2"}}, "impossible_condition"),
        ({"fraud": {"is_missing": True}}, "impossible_condition"),
        ({"colour": {"equals": "red"}}, "unknown_column"),
        ({"id": {"equals": 7}}, "invalid_parameters"),
        ({"day": {"equals": "tomorrow"}}, "invalid_parameters"),
        ({"amount": {"equals": "much"}}, "invalid_parameters"),
    ],
)
def test_impossible_or_invalid_conditions_are_refused(
    chain: TreeChain, where: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        draw(chain, constraints(where))
    assert caught.value.code == code
    assert any(name in str(caught.value) for name in where)


def with_gaps(table: pa.Table, names: list[str], share: float) -> pa.Table:
    """Return the table after setting a share of the values in the named columns to missing."""
    rng = np.random.default_rng(5)
    for name in names:
        mask = pa.array(rng.random(len(table)) < share)
        values = pc.if_else(mask, pa.scalar(None, table[name].type), table[name])
        table = table.set_column(table.column_names.index(name), name, values)
    return table


def test_missing_values_are_imputed_and_existing_values_stay_unchanged(chain: TreeChain) -> None:
    whole = make_table(2500, seed=9)
    gaps = with_gaps(whole, ["fraud", "amount", "fee", "hour", "day", "zone", "shop", "region"], 0.3)
    filled = impute(chain, gaps)
    assert [column.null_count for column in filled.columns] == [0] * len(filled.columns)
    for name in gaps.column_names:
        was = gaps[name].is_valid().combine_chunks()
        assert filled[name].filter(was).to_pylist() == gaps[name].filter(was).to_pylist()
    shops, regions = filled["shop"].to_pylist(), filled["region"].to_pylist()
    agree = [int(s[5:]) % 3 == int(r[7:]) for s, r in zip(shops, regions, strict=True)]
    # A missing shop is drawn before the known region is considered, but at least one of the 64 particles
    # nearly always draws a shop in this region.
    assert np.mean(agree) > 0.99


def test_durations_are_imputed() -> None:
    seconds = np.random.default_rng(1).integers(0, 9000, 300)
    table = pa.table({"wait": pa.array(seconds).cast(pa.duration("ms")), "size": seconds // 1000})
    gaps = with_gaps(table, ["wait"], 0.3)
    filled = impute(fit(TreeChain(TreeChainParameters()), table, infer_table(table).schema), gaps)
    assert filled["wait"].null_count == 0
    assert filled["wait"].type == pa.duration("ms")


def test_imputed_values_agree_with_later_columns(chain: TreeChain) -> None:
    whole = make_table(2500, seed=9)
    filled = impute(chain, with_gaps(whole, ["fraud"], 1.0))
    agrees = np.array(filled["fraud"].to_pylist()) == np.array(whole["fraud"].to_pylist())
    # Amount and hour identify nearly all frauds. Always imputing "no" would be wrong for 5% of the rows.
    assert agrees.mean() > 0.97
    assert pc.sum(pc.equal(filled["fraud"], "yes")).as_py() > 60


def test_repeated_imputations_differ_and_equal_seeds_produce_equal_values(chain: TreeChain) -> None:
    # Without a fee, an amount cannot be computed.
    gaps = with_gaps(make_table(1200, seed=9), ["amount", "fee"], 0.5)
    draws = impute(chain, gaps, n_draws=2)
    first, second = draws.slice(0, 1200), draws.slice(1200)
    assert len(draws) == 2400
    assert not first["amount"].equals(second["amount"])
    assert impute(chain, gaps).equals(first.combine_chunks())


def test_complete_tables_are_returned_unchanged(chain: TreeChain) -> None:
    whole = make_table(100).drop_columns(["hour"])
    whole = whole.add_column(4, "hour", pa.array([12] * 100))
    filled = impute(chain, whole)
    assert filled.to_pylist() == whole.to_pylist()
    # Blocks with and without missing values must have equal schemas, because they form one table.
    gaps = impute(chain, with_gaps(whole, ["amount"], 0.5))
    assert filled.schema.equals(gaps.schema)


def test_imputation_of_a_table_without_a_learned_column_is_refused(chain: TreeChain) -> None:
    with pytest.raises(InvalidInput) as caught:
        impute(chain, make_table(10).drop_columns(["day"]))
    assert caught.value.code == "schema_mismatch"


def test_independent_synthesizer_refuses_conditions() -> None:
    table = make_table(100)
    independent = fit(
        Independent(IndependentParameters(name="independent")), table, infer_table(table).schema
    )
    with pytest.raises(InvalidInput) as caught:
        sample(independent, 1, constraints=constraints({"fraud": {"equals": "yes"}}))
    assert caught.value.code == "unsupported_by_synthesizer"
    assert not isinstance(independent, SupportsConstraints)
    assert not isinstance(independent, SupportsImputation)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"conditions": [{"where": {}, "n_rows": 1}]},
        {"conditions": [{"where": {"a": {}}, "n_rows": 1}]},
        {"conditions": [{"where": {"a": {"equals": 1, "minimum": 0}}, "n_rows": 1}]},
        {"rebalance": {"column": "a", "shares": [{"value": 1, "share": 0.7}]}},
        {"rebalance": {"column": "a", "shares": [{"value": 1, "share": 0.5}, {"value": 1, "share": 0.5}]}},
    ],
)
def test_invalid_constraints_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        SamplingConstraints.model_validate(parameters)
