"""Tests for round trips through Arrow with columns of every dtype."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from understudy.frames.frame_format import FrameFormat
from understudy.frames.libraries import Frame, read_frame, write_frame
from understudy.tables.inference import infer_table
from understudy.tables.validation import conform

from .columns import ARROW_COLUMNS, N_ROWS, PANDAS_COLUMNS, POLARS_COLUMNS


def round_trip(frame: Frame) -> Frame:
    """Convert a frame to Arrow, to the stored types and back, and return it with its format as JSON."""
    table, form = read_frame(frame)
    stored = conform(table, infer_table(table).schema)
    return write_frame(stored, FrameFormat.model_validate_json(form.model_dump_json()))


@pytest.mark.parametrize("name", PANDAS_COLUMNS)
def test_pandas_column_survives_round_trip(name: str):
    frame = pd.DataFrame({"row": range(N_ROWS), "x": PANDAS_COLUMNS[name]})
    assert_frame_equal(round_trip(frame), frame)


@pytest.mark.parametrize("name", POLARS_COLUMNS)
def test_polars_column_survives_round_trip(name: str):
    frame = pl.DataFrame({"row": range(N_ROWS), "x": POLARS_COLUMNS[name]})
    back = round_trip(frame)
    assert back.schema == frame.schema
    assert back.equals(frame)


@pytest.mark.parametrize("name", ARROW_COLUMNS)
def test_arrow_column_survives_round_trip(name: str):
    table = pa.table({"row": list(range(N_ROWS)), "x": ARROW_COLUMNS[name]})
    assert round_trip(table).equals(table)
