"""Columns that contain only missing values."""

from __future__ import annotations

import pyarrow as pa

from understudy.transformers.base import ArrowArray


def array_of_nulls(n: int, type_: pa.DataType) -> ArrowArray:
    """Return n missing values of a type."""
    # The stubs of `pyarrow.nulls` do not support types that are only known at run time.
    nulls: ArrowArray = pa.array([None] * n, type_)
    return nulls
