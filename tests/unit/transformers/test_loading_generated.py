"""Tests that altered manifests of generated columns are either refused or harmless."""

from __future__ import annotations

import copy
import json
import random
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.transformers.columns import column_of, draw
from understudy.errors import InvalidInput
from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.array_reader import ArrayReader
from understudy.transformers.table import load_transformer
from understudy.transformers.table_fitting import fit_column

VALUES: dict[str, Any] = {
    "sequence": pa.array(range(100), pa.int32()),
    "digits": pa.array(np.random.default_rng(0).choice(10**7, 100, replace=False), pa.int64()),
    "pattern": pa.array([f"AB-{7 * i:03d}" for i in range(100)]),
    "uuid": pa.array([f"00000000-0000-4000-8000-{i:012d}" for i in range(100)]),
    "note": pa.array([f"Called about case {i}, will call again." for i in range(100)]),
    "name": pa.array(["Anna Maier"] * 100),
}
KINDS = {"note": ColumnKind.text, "name": ColumnKind.name}


def written(name: str) -> tuple[Column, dict[str, Any], dict[str, Any]]:
    column = column_of(VALUES[name], KINDS.get(name, ColumnKind.identifier), name)
    manifest, arrays = fit_column(column, pa.chunked_array([VALUES[name]]))[0].to_arrays()
    return column, json.loads(json.dumps(manifest)), dict(arrays)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("sequence", "step", 0),
        ("sequence", "start", -(2**40)),
        ("sequence", "form", "uuid"),
        ("sequence", "form", "nothing"),
        ("digits", "patterns", [["upper", "digit"]]),
        ("digits", "patterns", [["digit"] * 19]),
        ("pattern", "patterns", []),
        ("pattern", "patterns", [["no class"]]),
        ("pattern", "patterns", [["\ud800"]]),
        ("pattern", "patterns", [["digit"] * 200]),
        ("pattern", "n_wider", 99),
        ("pattern", "n_blocks", [0]),
        ("pattern", "form", "sequential"),
        ("uuid", "version", 16),
        ("uuid", "is_upper", 1),
        ("note", "locale", "../en"),
        ("note", "form", "full"),
        ("name", "form", "street"),
        ("name", "generated", "secret"),
        ("name", "locale", None),
        ("name", "person", -1),
        ("name", "n_blocks_of_names", 100),
        ("name", "n_blocks_of_names", 64),
    ],
)
def test_invalid_manifests_are_refused(name: str, key: str, value: Any) -> None:
    column, manifest, arrays = written(name)
    with pytest.raises(InvalidInput) as caught:
        load_transformer(column, ArrayReader(manifest | {key: value}, arrays))
    assert caught.value.code == "invalid_model_file"


def test_word_counts_and_block_numbers_out_of_range_are_refused() -> None:
    for name, array, value in (
        ("note", "n_words", 1e9),
        ("note", "n_words", np.nan),
        ("pattern", "free_0", 2**30),
    ):
        column, manifest, arrays = written(name)
        arrays[array] = np.full_like(arrays[array], value)
        with pytest.raises(InvalidInput):
            load_transformer(column, ArrayReader(manifest, arrays))


@pytest.mark.parametrize("name", VALUES)
def test_altered_manifests_are_refused_or_harmless(name: str) -> None:
    chance = random.Random(0)  # noqa: S311 - selects the alterations
    column, manifest, arrays = written(name)
    odd = [None, -1, 0, 1, 2**63, 2**70, True, "x", "", [], {}, ["x"], [["digit"]], 1.5]
    for _ in range(200):
        changed = copy.deepcopy(manifest)
        changed[chance.choice(list(changed))] = chance.choice(odd)
        with suppress(InvalidInput):
            draw(load_transformer(column, ArrayReader(changed, arrays)), 50)
