"""Tests that errors for unsupported tables contain the name of the column and a remedy."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.frames.libraries import read_frame

MOMENT = datetime(2020, 1, 1, tzinfo=UTC)

PANDAS: dict[str, tuple[Any, str]] = {
    "period": (pd.period_range("2020", periods=2), r"\.dt\.to_timestamp\(\)"),
    "interval": (pd.interval_range(0, 2), r"\.astype\(str\)"),
    "bins": (pd.cut([1, 2], 2), r"pd\.cut\(…, labels=…\)"),
    "sparse": (pd.arrays.SparseArray([0, 1]), r"\.sparse\.to_dense\(\)"),
    "complex": ([1 + 2j, 3j], "two columns"),
    "long double": (np.array([1, 2], np.longdouble), r"float64"),
    "text and number": (pd.Series(["a", 1], dtype=object), "int and str"),
    "date and datetime": (pd.Series([date(2020, 1, 1), MOMENT], dtype=object), "date and datetime"),
    "boolean and number": (pd.Series([True, 1], dtype=object), "bool and int"),
    "lists": (pd.Series([[1], [2]]), r"list.*\.explode\(\)"),
    "dicts": (pd.Series([{"a": 1}, {}]), "json_normalize"),
    "bytes": (pd.Series([b"a", b"b"]), r"bytes.*\.astype\(str\)"),
    "uuids": (pd.Series([UUID(int=1), UUID(int=2)]), r"UUID.*\.astype\(str\)"),
    "timestamp objects": (pd.Series([pd.Timestamp("2020"), pd.NaT], dtype=object), r"pd\.to_datetime"),
    "integers beyond 64 bits": (pd.Series([2**70, 1], dtype=object), "too large"),
    "infinite decimals": (pd.Series([Decimal("Infinity"), Decimal(1)]), "Decimal"),
    "surrogates": (pd.Series(["\ud800", "a"], dtype=object), "surrogates"),
    "surrogates in string dtype": (pd.Series(["\ud800", "a"], dtype="string[python]"), "surrogates"),
    "lists in Arrow": (pd.Series([[1], [2]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))), "list"),
}


@pytest.mark.parametrize("name", PANDAS)
def test_unsupported_pandas_columns_are_refused(name: str):
    values, remedy = PANDAS[name]
    frame = pd.DataFrame({"row": [1, 2], "bad": values})
    with pytest.raises(InvalidInput, match=f"(?s)Column 'bad'.*{remedy}"):
        read_frame(frame)


FRAMES: dict[str, tuple[Any, str]] = {
    "multi-level labels": (pd.DataFrame({("a", "b"): [1]}), "several levels"),
    "duplicate labels": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "named 'a'. Rename"),
    "labels that are equal as text": (pd.DataFrame([[1, 2]], columns=["1", 1]), "named '1'. Rename"),
    "index and column": (pd.DataFrame({"a": [1]}, index=pd.Index([1], name="a")), "named 'a'. Rename"),
    "datetime labels": (pd.DataFrame([[1]], columns=pd.to_datetime(["2020"])), r"columns\.map\(str\)"),
    "unnamed index": (pd.DataFrame({"a": [1]}, index=["x"]), r"reset_index\(drop=True\)"),
    "unnamed index level": (
        pd.DataFrame({"a": [1], "b": [2]}).set_index(["a", "b"]).rename_axis([None, "b"]),
        "names",
    ),
    "no rows": (pd.DataFrame({"a": pd.Series([], dtype="int64")}), "no rows"),
    "empty frame": (pd.DataFrame(), "no rows"),
    "no polars rows": (pl.DataFrame({"a": []}), "no rows"),
    "no Arrow rows": (pa.table({"a": pa.array([], pa.int64())}), "no rows"),
    "lazy": (pl.DataFrame({"a": [1]}).lazy(), r"\.collect\(\)"),
    "polars series": (pl.Series([1]), r"\.to_frame\(\)"),
    "pandas series": (pd.Series([1]), r"\.to_frame\(\)"),
    "array": (np.zeros((2, 2)), "type ndarray is not a table"),
    "list": ([{"a": 1}], "type list is not a table"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_unsupported_frames_are_refused(name: str):
    frame, remedy = FRAMES[name]
    with pytest.raises(InvalidInput, match=remedy):
        read_frame(frame)


def test_errors_contain_no_values():
    frame = pd.DataFrame({"bad": pd.Series([Decimal("Infinity"), Decimal("12345.678")])})
    with pytest.raises(InvalidInput) as raised:
        read_frame(frame)
    assert "12345" not in str(raised.value)
    assert raised.value.__cause__ is None
