"""Tests that the values in JSON columns are learned together with the other columns."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.one_table import fit, impute, sample
from understudy.errors import InvalidInput
from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers import SYNTHESIZERS, make_synthesizer
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.json_cells import find_json_cells
from understudy.synthesizers.json_cells.styles import Style, detect_style
from understudy.tables.inference import infer_table

PRICES = {"free": 0, "basic": 9, "pro": 29}
N_ROWS = 600


def _payload(i: int, plan: str, rng: np.random.Generator) -> dict[str, Any]:
    payload = {"plan": plan, "seats": int(rng.integers(1, 40)), "place": {"country": "DE" if i % 3 else "FR"}}
    if plan == "pro":
        payload["sso"] = "okta" if i % 2 else None
    payload["note"] = None
    payload["since"] = f"{i % 28 + 1:02}/{i % 12 + 1:02}/202{i % 4}"
    payload["lines"] = [{"sku": f"S{k}", "price": 2.5 * k} for k in rng.integers(1, 9, i % 3).tolist()]
    return payload | {f"only in row {i}": i, "token": f"secret token {chr(97 + i % 26)} {i}"}


@pytest.fixture(scope="module")
def table() -> pa.Table:
    rng = np.random.default_rng(1)
    plans = [str(plan) for plan in rng.choice(list(PRICES), N_ROWS)]
    payloads = [_payload(i, plan, rng) for i, plan in enumerate(plans)]
    texts = [None if i % 10 == 0 else json.dumps(payload) for i, payload in enumerate(payloads)]
    prices = [PRICES[payload["plan"]] for payload in payloads]
    return pa.table({"plan": plans, "price": prices, "payload": texts, "n": np.arange(N_ROWS) % 7})


def _fitted(name: str, table: pa.Table) -> Synthesizer:
    synthesizer = make_synthesizer(SYNTHESIZERS[name].parameters(name=name))
    return fit(synthesizer, table, infer_table(table).schema)


@pytest.fixture(scope="module")
def model(table: pa.Table) -> Synthesizer:
    return _fitted("tree_chain", table)


def _values(rows: pa.Table) -> list[tuple[str, dict[str, Any]]]:
    pairs = zip(rows["plan"].to_pylist(), rows["payload"].to_pylist(), strict=True)
    return [(plan, json.loads(text)) for plan, text in pairs if text is not None]


def test_values_agree_with_other_columns_and_with_each_other(model: Synthesizer):
    rows = sample(model, 500)
    assert 0.04 < rows["payload"].null_count / 500 < 0.16
    for plan, value in _values(rows):
        assert value["plan"] == plan
        assert value["note"] is None
        assert ("sso" in value) == (plan == "pro")
        assert all(line["price"] == 2.5 * int(line["sku"][1:]) for line in value["lines"])


def test_dates_in_texts_keep_their_notation(model: Synthesizer):
    for _, value in _values(sample(model, 50)):
        day, month, year = value["since"].split("/")
        assert 1 <= int(day) <= 31
        assert 1 <= int(month) <= 12
        assert 2020 <= int(year) <= 2023


def test_keys_and_values_that_few_rows_have_are_not_sampled(model: Synthesizer):
    text = " ".join(json.dumps(value) for _, value in _values(sample(model, 300)))
    assert "only in row" not in text
    assert "secret token" not in text
    assert any("keys are left out" in warning for warning in model.card()["warnings"])


def test_loaded_model_produces_the_same_rows(model: Synthesizer, tmp_path: Path):
    save_model(model, tmp_path / "m.model")
    loaded = load_model(tmp_path / "m.model").synthesizer
    assert sample(loaded, 40).equals(sample(model, 40))
    assert loaded.schema_.tables.popitem()[1].names == ["plan", "price", "payload", "n"]


def test_imputation_preserves_texts_and_fills_in_missing_texts(model: Synthesizer, table: pa.Table):
    given = table.slice(0, 20)
    completed = impute(model, given)
    for before, after in zip(given["payload"].to_pylist(), completed["payload"].to_pylist(), strict=True):
        assert after == before if before is not None else isinstance(json.loads(after), dict)


def _condition(constraint: dict[str, Any]) -> SamplingConstraints:
    return SamplingConstraints.model_validate(
        {"conditions": [{"where": {"payload": constraint}, "n_rows": 20}]}
    )


def test_json_column_supports_only_is_missing_as_a_condition(model: Synthesizer):
    rows = sample(model, 20, constraints=_condition({"is_missing": True}))
    assert rows["payload"].null_count == 20
    with pytest.raises(InvalidInput, match="contains JSON"):
        sample(model, 20, constraints=_condition({"equals": "{}"}))


def test_conditions_can_name_columns_of_json_values(model: Synthesizer):
    where = {"payload.seats": {"minimum": 10, "maximum": 20}, "payload.place.country": {"equals": "FR"}}
    constraints = SamplingConstraints.model_validate({"conditions": [{"where": where, "n_rows": 30}]})
    rows = sample(model, 30, constraints=constraints)
    payloads = [json.loads(text) for text in rows["payload"].to_pylist()]
    assert all(10 <= payload["seats"] <= 20 for payload in payloads)
    assert {payload["place"]["country"] for payload in payloads} == {"FR"}
    inner = [column["name"] for column in model.card()["inner_columns"]]
    assert {"payload.seats", "payload.place.country"} <= set(inner)


def test_few_common_texts_remain_a_category():
    table = pa.table({"settings": ['{"theme": "dark"}', "{}"] * 50})
    cells, rows = find_json_cells(table, infer_table(table).schema)
    assert not cells.columns
    assert rows is table


def test_keys_of_people_in_common_texts_are_never_sampled():
    users = [f"KLM{i * 7919 % 90_000 + 10_000}" for i in range(12)]
    texts = [json.dumps({"user": users[i % 12], "n": i % 5}) for i in range(600)]
    rows = sample(_fitted("tree_chain", pa.table({"event": texts, "ok": [True, False] * 300})), 200)
    assert not {json.loads(text)["user"] for text in rows["event"].to_pylist()} & set(users)


@pytest.mark.parametrize(
    ("texts", "style"),
    [
        (['{"a": 1, "b": "ä"}'], Style()),
        (['{"a":1,"b":"\\u00e4"}'], Style(is_compact=True, is_ascii=True)),
    ],
)
def test_style_of_the_texts_is_detected(texts: list[str], style: Style):
    assert detect_style(texts, is_python=False) == style


def test_python_literals_are_written_as_in_the_table():
    texts = [repr({"id": i % 9, "kind": "ab"[i % 2], "gone": None, "big": i % 2 == 0}) for i in range(300)]
    rows = sample(_fitted("independent", pa.table({"text": texts, "n": np.arange(300)})), 50)
    assert all(
        set(ast.literal_eval(text)) == {"id", "kind", "gone", "big"} for text in rows["text"].to_pylist()
    )


@pytest.mark.parametrize("value", ["[{1, 2}]", "[2j]", "[b'x']", "[{(1, 2): 3}]", "[1, ...]"])
def test_literals_that_json_cannot_represent_are_counted_as_invalid(value: str):
    valid = [repr({"a": [i % 4], "b": i}) for i in range(300)]
    table = pa.table({"text": [*valid, f"{{'a': {value}, 'b': 1}}"]})
    cells, rows = find_json_cells(table, infer_table(table).schema)
    assert cells.columns["text"].n_invalid == 1
    assert rows["text.b"].null_count == 1


@pytest.mark.parametrize("number", ["1e999", "-1e999", str(10**400)])
def test_numbers_beyond_the_range_of_floats_become_missing_values(number: str):
    texts = [json.dumps({"a": i + 0.5}) for i in range(300)]
    table = pa.table({"text": [*texts, f'{{"a": {number}}}']})
    _, rows = find_json_cells(table, infer_table(table).schema)
    assert rows["text.a"].to_pylist() == [*(i + 0.5 for i in range(300)), None]
