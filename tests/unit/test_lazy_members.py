"""Tests for packages that load their members on first use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from understudy.lazy_members import lazy_members

FIT = """
import sys
import pyarrow as pa
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.contexts import FitContext
from understudy.synthesizers.datasets import fit_table
from understudy.tables.inference import infer_table
numbers = range(400)
table = pa.table({"x": [n % 97 for n in numbers], "y": [n % 89 / 2 for n in numbers]})
parameters = TreeChainParameters(name="tree_chain", preset="fast")
fit_table(parameters, table, infer_table(table).schema, context=FitContext(seed=1))
print(*sys.modules)
"""


def test_unknown_member_raises_attribute_error() -> None:
    load = lazy_members("understudy.documentation", "understudy.ids:new_id")
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        load("other")


def test_fit_without_generated_columns_does_not_load_their_modules() -> None:
    done = subprocess.run([sys.executable, "-c", FIT], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "understudy.transformers.table" in loaded
    for name in ("generated.filler", "generated.people", "generated.composition"):
        assert f"understudy.transformers.{name}" not in loaded
    for name in ("imputation", "constrained_sampling", "row_sampling", "files"):
        assert f"understudy.synthesizers.tree_chain.{name}" not in loaded
    for name in ("cards", "entities.files", "rules.completion", "rules.files"):
        assert f"understudy.synthesizers.{name}" not in loaded


def test_fit_without_texts_does_not_load_the_modules_that_split_texts() -> None:
    done = subprocess.run([sys.executable, "-c", FIT], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "understudy.synthesizers.json_cells.search" in loaded
    for name in (
        "json_cells.columns",
        "json_cells.splitting",
        "number_texts.columns",
        "number_texts.learning",
    ):
        assert f"understudy.synthesizers.{name}" not in loaded
