"""Tests that rules can be saved in model files and loaded, and that invalid files are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.synthesizers.rules.tables import blocks, everything, rules_of
from understudy.errors import InvalidInput
from understudy.synthesizers.rules import Rules, load_rules, rules_to_arrays
from understudy.tables.inference import infer_table
from understudy.transformers.array_reader import ArrayReader

Manifest = dict[str, Any]


def table_of_all_types() -> pa.Table:
    """Return a table with one fixed combination for each storage type of levels."""
    table = everything(4000)
    line, station = table["line"].to_numpy(), table["station"].to_pylist()
    number = np.array([int(text[1:]) for text in station])
    wide = pa.array(((line * 3 + number * 5) % 7).astype(np.uint64) + np.uint64(2**63))
    odd = pa.array(np.sqrt((line * 2 + number * 3) % 9 + 2.0))
    flag = pa.array((line * number) % 3 == 0, mask=(line + number) % 10 == 4)
    return table.append_column("wide", wide).append_column("odd", odd).append_column("flag", flag)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return table_of_all_types()


@pytest.fixture(scope="module")
def rules(table: pa.Table) -> Rules:
    return rules_of(table)


def load(table: pa.Table, manifest: Any, arrays: Any) -> Rules:
    return load_rules(ArrayReader(manifest, arrays), infer_table(table).schema)


def test_rules_survive_conversion(table: pa.Table, rules: Rules) -> None:
    manifest, arrays = rules_to_arrays(rules)
    assert {"wide", "odd", "flag", "platform"} <= {rule.dependent for rule in rules.fixed_combinations}
    loaded = load(table, json.loads(json.dumps(manifest)), arrays)
    assert loaded.describe() == rules.describe()
    assert (loaded.linear, loaded.inequalities, loaded.missingness) == (
        rules.linear,
        rules.inequalities,
        rules.missingness,
    )
    assert loaded.decimals == rules.decimals
    columns = blocks(table)
    assert loaded.holds(columns).all()
    columns["odd"] = pa.array(np.roll(columns["odd"].to_numpy(), 1))
    assert np.array_equal(loaded.holds(columns), rules.holds(columns))
    assert not loaded.holds(columns).all()


def change(key: str, **entries: Any) -> Callable[[Manifest], None]:
    return lambda manifest: manifest[key][0].update(entries)


HOSTILE: list[Callable[[Manifest], Any]] = [
    lambda manifest: manifest.pop("lookups"),
    lambda manifest: manifest.update(orders={}),
    lambda manifest: manifest.update(missing=[7]),
    change("lookups", by="nobody"),
    change("lookups", by=["city"]),
    change("lookups", by="zone"),
    change("pairs", of="city"),
    change("pairs", first="noise"),
    change("levels", column="nobody"),
    change("levels", column="noise"),
    change("linear", target="city"),
    change("linear", target="low"),
    change("linear", terms=["gross", "tax"]),
    change("linear", terms=["net", "net"]),
    change("linear", terms=[], factors=[]),
    change("linear", factors=[1]),
    change("linear", factors=[1, 2**70]),
    change("linear", factors=[1, 0.5]),
    change("linear", factors=[1, True]),
    change("linear", divisor=0),
    change("linear", step=-1),
    change("linear", ties="up"),
    change("linear", is_nonnegative=1),
    lambda manifest: manifest["linear"].append(manifest["linear"][0]),
    change("orders", low="city"),
    change("orders", low="start"),
    change("orders", is_strict=None),
    change("missing", second="duration"),
    change("decimals", decimals=7),
    change("decimals", column="line"),
]


@pytest.mark.parametrize("damage", HOSTILE)
def test_invalid_manifests_are_refused(table: pa.Table, rules: Rules, damage: Any) -> None:
    manifest, arrays = rules_to_arrays(rules)
    manifest = json.loads(json.dumps(manifest))
    damage(manifest)
    with pytest.raises(InvalidInput):
        load(table, manifest, arrays)


def test_circular_sums_are_refused(table: pa.Table, rules: Rules) -> None:
    manifest, arrays = rules_to_arrays(rules)
    one = next(rule for rule in manifest["linear"] if rule["target"] == "gross")
    other = one | {"target": "tax", "terms": ["net", "gross"]}
    with pytest.raises(InvalidInput):
        load(table, manifest | {"linear": [one, other]}, arrays)
    with pytest.raises(InvalidInput):
        load(table, manifest | {"linear": [other, one]}, arrays)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3), np.int32),
        np.zeros((1, 2), np.int32),
        np.zeros((1, 3), np.int64),
        np.full((1, 3), 2000, np.int32),
        np.full((1, 3), -1, np.int32),
    ],
)
def test_combinations_out_of_range_are_refused(table: pa.Table, rules: Rules, array: Any) -> None:
    manifest, arrays = rules_to_arrays(rules)
    with pytest.raises(InvalidInput):
        load(table, manifest, arrays | {"pair_0": array})


def test_levels_of_the_wrong_type_are_refused(table: pa.Table, rules: Rules) -> None:
    manifest, arrays = rules_to_arrays(rules)
    name = next(name for name in arrays if name.startswith("levels"))
    with pytest.raises(InvalidInput):
        load(table, manifest, arrays | {name: np.zeros(3, np.float32)})
