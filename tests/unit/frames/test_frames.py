"""Tests for frame properties other than column dtypes: labels, index, memory and formats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from pydantic import ValidationError

from understudy.errors import InvalidInput
from understudy.frames.frame_format import Categories, FrameFormat
from understudy.frames.libraries import read_frame, write_frame

from .columns import ARROW_COLUMNS, LEVELS, N_ROWS, repeat
from .test_conversion import round_trip


def test_integer_column_labels_are_preserved():
    frame = pd.DataFrame(np.arange(12).reshape(6, 2))
    assert read_frame(frame)[0].column_names == ["0", "1"]
    assert_frame_equal(round_trip(frame), frame, check_column_type=False)


def test_named_index_is_preserved():
    frame = pd.DataFrame({"size": [1, 2, 3]}, index=pd.Index(list("abc"), name="key"))
    assert read_frame(frame)[0].column_names == ["key", "size"]
    assert_frame_equal(round_trip(frame), frame)


def test_named_multi_index_is_preserved():
    levels = [pd.Index(repeat(1, 2), name="number"), pd.CategoricalIndex(repeat(*LEVELS), name="level")]
    frame = pd.DataFrame({"size": repeat(1, 2, 3)}, index=pd.MultiIndex.from_arrays(levels))
    assert_frame_equal(round_trip(frame), frame)


def test_datetime_index_is_preserved():
    frame = pd.DataFrame({"size": range(3)}, index=pd.date_range("2020", periods=3, name="at", tz="UTC"))
    assert_frame_equal(round_trip(frame), frame, check_freq=False)


def test_unnamed_integer_index_becomes_a_range_index():
    frame = pd.DataFrame({"size": [1, 2, 3]}, index=[7, 5, 6])
    assert_frame_equal(round_trip(frame), frame.reset_index(drop=True))


def test_frame_attrs_are_ignored():
    frame = pd.DataFrame({"size": [1, 2]})
    frame.attrs["source"] = "a ward"
    assert round_trip(frame).attrs == {}


def test_returned_frame_can_be_written_to():
    frame = pd.DataFrame({"whole": [1, 2], "float": [0.5, 1.5], "moment": pd.to_datetime(["2020", "2021"])})
    back = round_trip(frame)
    back.loc[0] = back.loc[1]
    for name in frame:
        back[name].to_numpy(
            copy=False
        ).flags.writeable = True  # Setting this flag fails for memory that Arrow owns.
    assert_frame_equal(back, frame.iloc[[1, 1]].reset_index(drop=True))


def test_reading_a_frame_does_not_change_it():
    frame = pd.DataFrame({"x": [1.0, None], "y": pd.Series(["a", None], dtype="category")})
    copy = frame.copy()
    round_trip(frame)
    assert_frame_equal(frame, copy)


def test_values_of_another_byte_order_are_converted():
    frame = pd.DataFrame({"x": pd.Series([1, 2]).astype(">i8")})
    assert_frame_equal(round_trip(frame), pd.DataFrame({"x": [1, 2]}))


def test_subclass_of_a_data_frame_is_accepted():
    class Frame(pd.DataFrame): ...

    assert read_frame(Frame({"x": [1]}))[1].library == "pandas"


@pytest.mark.parametrize("kind", ["batch", "reader", "stream"])
def test_objects_with_arrow_streams_are_accepted(kind: str):
    batch = pa.record_batch({"x": [1, 2]})
    reader = pa.RecordBatchReader.from_batches(batch.schema, [batch])
    given = {"batch": batch, "reader": reader, "stream": pl.Series([1, 2]).to_frame("x").to_arrow()}[kind]
    table, form = read_frame(given)
    assert table.column_names == ["x"]
    assert form.library == "arrow"


def test_table_is_returned_as_a_frame_of_another_library():
    frame = pd.DataFrame(
        {"x": pd.Series([1, None], dtype="Int64"), "y": pd.Series(["a", "b"], dtype="category")}
    )
    table, form = read_frame(frame)
    assert write_frame(table, form, frames="polars").equals(pl.from_arrow(table))
    assert write_frame(table, form, frames="arrow") is not None
    with pytest.raises(InvalidInput, match="Choose one of pandas, polars, arrow"):
        write_frame(table, form, frames="dask")  # type: ignore[arg-type]


def test_integers_read_from_a_file_stay_integers(tmp_path: Any):
    (tmp_path / "t.csv").write_text("a,b,c,d\n1,,true,x\n2,3,,y\n")
    table, form = read_frame(tmp_path / "t.csv")
    dtypes = [str(dtype) for dtype in write_frame(table.slice(1), form).dtypes]
    assert dtypes[:3] == ["int64", "Int64", "boolean"]
    assert read_frame(str(tmp_path / "t.csv"))[1] == form


def test_values_that_the_format_does_not_list_become_categories():
    form = read_frame(pd.DataFrame({"x": pd.Series(["a", "b"], dtype="category")}))[1]
    written = write_frame(pa.table({"x": ["c", "a", None]}), form)["x"]
    assert written.cat.categories.tolist() == ["a", "b", "c"]
    assert written.isna().tolist() == [False, False, True]


def test_integers_with_missing_values_get_a_nullable_dtype():
    form = read_frame(pd.DataFrame({"x": [1, 2], "y": [True, False]}))[1]
    written = write_frame(pa.table({"x": [1, None], "y": [None, True]}), form)
    assert [str(dtype) for dtype in written.dtypes] == ["Int64", "boolean"]


@pytest.mark.parametrize("dtype", ["wild", "datetime64[ns, Nowhere/Land]", "arrow[list<x>]", "S5"])
def test_unknown_dtype_is_replaced_with_the_usual_dtype(dtype: str):
    form = FrameFormat.model_validate({"library": "pandas", "columns": {"x": {"dtype": dtype}}})
    assert write_frame(pa.table({"x": [1, 2]}), form)["x"].tolist() == [1, 2]


def test_unknown_time_zone_stays_in_an_arrow_dtype():
    table = pa.table({"x": pa.array([1, 2], pa.timestamp("s", "Nowhere/Land"))})
    assert str(write_frame(table, FrameFormat()).dtypes["x"]) == "timestamp[s, tz=Nowhere/Land][pyarrow]"


DTYPES = (
    *("int8", "UInt8", "bool", "boolean", "float16", "object", "category", "str[pyarrow]", "string[python]"),
    *("datetime64[s]", "datetime64[ns, UTC]", "timedelta64[ms]", "decimal32(99, 2)", "null", "Enum", ""),
    *("arrow[string_view]", "arrow[decimal32(5, 2)]", "arrow[dictionary<values=x, indices=int8, ordered=1>]"),
)


@pytest.mark.parametrize("name", ARROW_COLUMNS)
def test_format_that_does_not_match_the_column_is_refused_or_harmless(name: str):
    column = ARROW_COLUMNS[name].dictionary_decode() if name.startswith("dict") else ARROW_COLUMNS[name]
    outcomes = set()
    for library in ("pandas", "polars", "arrow"):
        for dtype in DTYPES:
            categories = {"values": ["1", "low", ""], "is_ordered": True, "dtype": dtype}
            columns = {"x": {"dtype": dtype, "missing": "NaT", "categories": categories}}
            form = FrameFormat.model_validate({"library": library, "columns": columns})
            try:
                outcomes.add(len(write_frame(pa.table({"x": column}), form)))
            except InvalidInput:
                outcomes.add(0)
    assert N_ROWS in outcomes


def test_duplicate_categories_are_refused():
    with pytest.raises(ValidationError):
        Categories(values=("a", "a"), is_ordered=False)
