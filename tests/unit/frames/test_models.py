"""Tests that samples have the format of the training data before and after the model is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import understudy

from .columns import ARROW_COLUMNS, N_ROWS, PANDAS_COLUMNS, POLARS_COLUMNS

PANDAS_FRAME = pd.DataFrame(PANDAS_COLUMNS)
POLARS_FRAME = pl.DataFrame(POLARS_COLUMNS)
ARROW_TABLE = pa.table(ARROW_COLUMNS)


def two_samples(data: Any, folder: Path) -> tuple[Any, Any]:
    """Return a sample of a fitted model, and a sample of the model after saving and loading."""
    model = understudy.fit(data, synthesizer="independent", seed=1)
    model.save(folder / "model")
    return model.sample(N_ROWS, seed=2), understudy.load(folder / "model").sample(N_ROWS, seed=2)


@pytest.fixture(scope="module")
def pandas_samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """Return samples of models fitted on a frame with all dtypes."""
    return two_samples(PANDAS_FRAME, tmp_path_factory.mktemp("pandas"))


@pytest.mark.parametrize("name", PANDAS_COLUMNS)
def test_sample_has_the_dtype_of_the_pandas_column(name: str, pandas_samples: tuple[Any, Any]):
    real = PANDAS_FRAME[name]
    for sample in pandas_samples:
        assert sample[name].dtype == real.dtype
        assert set(map(type, sample[name].dropna())) <= set(map(type, real.dropna()))
        assert set(map(repr, sample[name][sample[name].isna()])) <= set(map(repr, real[real.isna()]))
        if real.dtype == "category":
            assert sample[name].cat.categories.equals(real.cat.categories)


def test_loaded_model_samples_the_same_frame(pandas_samples: tuple[Any, Any]):
    pd.testing.assert_frame_equal(*pandas_samples)


def test_sample_has_the_dtypes_of_the_polars_frame(tmp_path: Path):
    first, second = two_samples(POLARS_FRAME, tmp_path)
    assert first.schema == POLARS_FRAME.schema
    assert first.equals(second)


def test_sample_has_the_types_of_the_arrow_table(tmp_path: Path):
    first, second = two_samples(ARROW_TABLE, tmp_path)
    assert first.schema.equals(ARROW_TABLE.schema)
    assert first.equals(second)
