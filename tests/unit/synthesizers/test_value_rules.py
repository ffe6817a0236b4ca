"""Tests that value-level rules of a table hold in sampled, constrained and imputed rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.one_table import Parts, fit, impute
from tests.one_table import sample as draw
from tests.unit.synthesizers.value_tables import N_ROWS, broken_rules, contracts
from understudy.errors import InvalidInput
from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return contracts()


@pytest.fixture(scope="module")
def chain(table: pa.Table) -> TreeChain:
    synthesizer = TreeChain(TreeChainParameters(name="tree_chain", preset="fast"))
    return fit(synthesizer, table, infer_table(table).schema)


@pytest.fixture(scope="module")
def sample(chain: TreeChain) -> pa.Table:
    return draw(chain, 10_000, seed=1)


def test_real_rows_satisfy_all_rules(table: pa.Table) -> None:
    assert broken_rules(table) == []


def test_sampled_rows_satisfy_all_rules(sample: pa.Table) -> None:
    assert broken_rules(sample) == []


@pytest.mark.parametrize(
    ("column", "value"), [("internet", "no"), ("smokes", "never"), ("months", 1), ("pregnant", "yes")]
)
def test_shares_of_values_in_rules_are_preserved(
    table: pa.Table, sample: pa.Table, column: str, value: Any
) -> None:
    shares = [np.mean([own == value for own in t[column].to_pylist()]) for t in (table, sample)]
    # The tolerance is six standard deviations of the difference between samples of 4000 and 10,000 rows.
    assert abs(shares[0] - shares[1]) < 6 * np.sqrt(shares[0] * (1 - shares[0]) / N_ROWS * 1.4)


def test_rules_survive_save_and_load(chain: TreeChain, sample: pa.Table, tmp_path: Path) -> None:
    save_model(chain, tmp_path / "model")
    loaded, _ = load_model(tmp_path / "model")
    assert draw(loaded, 500, seed=1).equals(sample.slice(0, 500).combine_chunks())
    assert loaded.card() == chain.card()


def test_card_lists_value_rules_without_values(chain: TreeChain) -> None:
    rules = chain.card()["rules"]
    assert "Where internet has a certain value, backup has a certain value in every row." in rules
    assert "Where smokes has a certain value, cigarettes is missing in every row." in rules
    assert "Where months has a certain value, total equals monthly in every row." in rules
    assert "fibre" not in str(rules)


@pytest.mark.parametrize(
    "where",
    [
        {"internet": {"equals": "no"}},
        {"backup": {"equals": "no internet"}},
        {"cigarettes": {"is_missing": True}},
        {"months": {"equals": 1}},
        {"total": {"minimum": 40, "maximum": 100}},
        {"total": {"equals": 70}},
        {"months": {"equals": 1}, "monthly": {"minimum": 50}},
    ],
)
def test_constrained_rows_satisfy_all_rules(chain: TreeChain, where: Any) -> None:
    wanted = SamplingConstraints.model_validate({"conditions": [{"where": where, "n_rows": 300}]})
    rows = draw(chain, 300, seed=1, constraints=wanted)
    assert broken_rules(rows) == []
    if "total" in where:
        low, high = (where["total"].get(key, 70) for key in ("minimum", "maximum"))
        assert all(low <= value <= high for value in rows["total"].to_pylist())


def test_contradictory_conditions_are_refused(chain: TreeChain) -> None:
    where = {"internet": {"equals": "no"}, "backup": {"equals": "yes"}}
    wanted = SamplingConstraints.model_validate({"conditions": [{"where": where, "n_rows": 10}]})
    with pytest.raises(InvalidInput) as caught:
        draw(chain, 10, seed=1, constraints=wanted)
    assert caught.value.code == "impossible_condition"


def test_imputed_rows_satisfy_all_rules(chain: TreeChain, table: pa.Table) -> None:
    rng = np.random.default_rng(3)
    columns = {
        name: pa.array(
            table[name].to_pylist(),
            table[name].type,
            mask=(rng.random(N_ROWS) < 0.3) | np.array(table[name].is_null()),
        )
        for name in table.column_names
    }
    completed = impute(chain, pa.table(columns))
    assert broken_rules(completed) == []
    # Values that cannot exist, such as the number of cigarettes for people who never smoked, stay missing.
    assert completed["smokes"].null_count == completed["internet"].null_count == 0


@pytest.mark.parametrize(
    "change",
    [
        "none",
        {"implications": {}},
        {"implications": [{}]},
        {"equalities": [{"condition": None, "target": "total", "source": "monthly"}]},
        {"levels": []},
        {"levels": [{"column": "nowhere"}]},
    ],
)
def test_value_rules_that_contradict_the_model_are_refused(chain: TreeChain, change: Any) -> None:
    parts = Parts.of(chain)
    rules = parts.model["rules"]
    own = rules["value_rules"] | change if isinstance(change, dict) else change
    with pytest.raises(InvalidInput) as caught:
        TreeChain.load(parts.changed(parts.model | {"rules": rules | {"value_rules": own}}))
    assert caught.value.code == "invalid_model_file"


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("implications", {"condition": {"column": "internet", "level": 99, "is_negated": False}}),
        ("implications", {"condition": {"column": "sex", "level": 1, "is_negated": "no"}}),
        ("equalities", {"target": "internet"}),
        ("equalities", {"source": "total"}),
        ("equalities", {"source": "months"}),
        ("equalities", {"target": "monthly", "source": "total"}),
    ],
)
def test_changed_value_rules_are_refused_or_loaded(chain: TreeChain, key: str, change: Any) -> None:
    parts = Parts.of(chain)
    rules = parts.model["rules"]
    first = rules["value_rules"][key][0] | change
    own = rules["value_rules"] | {key: [first]}
    changed = parts.changed(parts.model | {"rules": rules | {"value_rules": own}})
    with pytest.raises(InvalidInput) as caught:
        TreeChain.load(changed)
    assert caught.value.code == "invalid_model_file"


def test_models_without_value_rules_are_loaded(chain: TreeChain) -> None:
    parts = Parts.of(chain)
    rules = {key: own for key, own in parts.model["rules"].items() if key != "value_rules"}
    loaded = TreeChain.load(parts.changed(parts.model | {"rules": rules}))
    assert len(draw(loaded, 100, seed=1)) == 100


@pytest.mark.parametrize("seed", range(3))
def test_independent_columns_have_no_value_rules(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 3000
    columns = {f"c{i}": rng.choice([f"v{j}" for j in range(2 + i)], n) for i in range(12)}
    columns |= {f"n{i}": pa.array(rng.integers(0, 9, n), mask=rng.random(n) < 0.1) for i in range(4)}
    table = pa.table(columns)
    synthesizer = fit(TreeChain(TreeChainParameters(preset="fast")), table, infer_table(table).schema)
    assert synthesizer.card()["rules"] == []


@pytest.mark.parametrize("is_attribute", [False, True])
def test_rules_contain_no_value_that_only_one_subject_has(tmp_path: Path, *, is_attribute: bool) -> None:
    rng = np.random.default_rng(0)
    subject = np.append(np.repeat(np.arange(160), 4), np.full(40, 7))
    kinds, wards = np.array(["flu", "cold", "cough"]), np.array(["A", "B", "C", "D", "E"])
    n = 160 if is_attribute else len(subject)
    kind, ward = kinds[rng.integers(0, 3, n)].astype(object), wards[rng.integers(0, 4, n)]
    ward[kind == "flu"] = "D"
    own = [7] if is_attribute else slice(640, None)
    kind[own], ward[own] = "a rare disease", "E"
    table = pa.table(
        {
            "patient": [f"P{1000 + 13 * i}" for i in subject],
            "kind": kind[subject] if is_attribute else kind,
            "ward": ward[subject] if is_attribute else ward,
            "days": rng.gamma(2, 3, len(subject)).round(1),
        }
    )
    schema = infer_table(table).schema.model_copy(update={"subject": ("patient",)})
    chain = fit(TreeChain(TreeChainParameters(name="tree_chain", preset="fast")), table, schema)
    assert any("kind" in rule for rule in chain.card()["rules"])
    save_model(chain, tmp_path / "model")
    assert b"a rare disease" not in (tmp_path / "model").read_bytes()
