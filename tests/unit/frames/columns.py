"""One column of every supported dtype, by name. Columns have 120 rows, so that rows share values."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

N_ROWS = 120
LEVELS = ("low", "middle", "high")
FIRST, LATER = datetime.fromisoformat("2020-01-01T01:00"), datetime.fromisoformat("2021-07-03")
UNITS = ("s", "ms", "us", "ns")
IS_PANDAS_3 = not pd.__version__.startswith("2.")


def repeat(*values: object) -> list[Any]:
    """Repeat the given values until there are `N_ROWS` values."""
    return [values[row % len(values)] for row in range(N_ROWS)]


def objects(*values: object) -> pd.Series[Any]:
    """Return a column of Python objects."""
    return pd.Series(repeat(*values), dtype=object)


def _moments(unit: str) -> pd.Series[Any]:
    return pd.Series(pd.to_datetime(repeat("2020-01-01", "2020-02-03", "2021-05-06"))).astype(f"M8[{unit}]")


def _pandas_numbers() -> dict[str, pd.Series[Any]]:
    whole = repeat(1, 2, 3, 4)
    with_missing = repeat(1, 2, None, 4)
    plain = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")
    masked = ("Int8", "Int64", "UInt16", "UInt64", "Float32", "Float64")
    arrow = ("int64[pyarrow]", "uint8[pyarrow]", "double[pyarrow]")
    return {
        **{dtype: pd.Series(whole, dtype=dtype) for dtype in (*plain, *masked, *arrow)},
        **{f"{dtype} missing": pd.Series(with_missing, dtype=dtype) for dtype in (*masked, *arrow)},
        "float16": pd.Series(whole, dtype="float16"),
        "float64 missing": pd.Series(repeat(0.5, 1.5, None, 2.5)),
        "int objects": objects(*range(4)),
        "int objects missing": objects(1, 2, None),
        "float objects": objects(0.5, 1.5, np.nan),
        "Decimal objects": objects(Decimal("1.10"), Decimal("2.25"), None),
        "decimal[pyarrow]": pd.Series(
            repeat(Decimal("1.10"), Decimal("2.25"), None), dtype=pd.ArrowDtype(pa.decimal128(7, 2))
        ),
    }


def _pandas_truths() -> dict[str, pd.Series[Any]]:
    return {
        "bool": pd.Series(repeat(True, False, True)),
        "boolean": pd.Series(repeat(True, False), dtype="boolean"),
        "boolean missing": pd.Series(repeat(True, False, None), dtype="boolean"),
        "bool objects": objects(True, False, None),
        "bool[pyarrow]": pd.Series(repeat(True, False, None), dtype="bool[pyarrow]"),
    }


def _pandas_texts() -> dict[str, pd.Series[Any]]:
    texts, missing = repeat(*LEVELS), repeat(*LEVELS, None)
    columns = {
        "str objects": objects(*LEVELS),
        "str objects, None": objects(*LEVELS, None),
        "str objects, nan": objects(*LEVELS, np.nan),
        "str objects, NA": objects(*LEVELS, pd.NA),
        "only missing objects": objects(None),
        "string[python]": pd.Series(missing, dtype="string[python]"),
        "string[pyarrow]": pd.Series(missing, dtype="string[pyarrow]"),
        "string[arrow dtype]": pd.Series(missing, dtype=pd.ArrowDtype(pa.string())),
        "large_string[arrow dtype]": pd.Series(missing, dtype=pd.ArrowDtype(pa.large_string())),
        "dictionary[arrow dtype]": pd.Series(
            missing, dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))
        ),
    }
    if IS_PANDAS_3:
        columns |= {
            "str": pd.Series(texts),
            "str missing": pd.Series(missing),
            "str[python]": pd.Series(missing, dtype=pd.StringDtype("python", na_value=np.nan)),
        }
    return columns


def _pandas_categories() -> dict[str, pd.Series[Any]]:
    def category(values: list[Any], *, ordered: bool = False) -> pd.CategoricalDtype:
        return pd.CategoricalDtype(pd.Index(values), ordered=ordered)

    texts = repeat(*LEVELS, None)
    return {
        "category": pd.Series(texts, dtype="category"),
        "category, custom order": pd.Series(texts, dtype=category(["middle", "low", "high"])),
        "category, one unused": pd.Series(texts, dtype=category([*LEVELS, "none"])),
        "category, ordered": pd.Series(texts, dtype=category([*LEVELS, "none"], ordered=True)),
        "category of objects": objects(*LEVELS).astype("category"),
        "category of int": pd.Series(repeat(10, 20, 30), dtype=category([30, 10, 20])),
        "category of float": pd.Series(repeat(0.5, 1.5), dtype="category"),
        "category of bool": pd.Series(repeat(True, False), dtype="category"),
        "category of Int64": pd.Series(repeat(10, 20), dtype="Int64").astype("category"),
        "category of string": pd.Series(texts, dtype="string[python]").astype("category"),
        "category of dates": pd.Series(_moments("ns").astype("category")),
    }


def _pandas_times() -> dict[str, pd.Series[Any]]:
    zoned = _moments("us").dt.tz_localize("UTC")
    vienna = zoned.dt.tz_convert("Europe/Vienna")
    clock = repeat(time(1, 2, 3), time(23, 59), None)
    return {
        **{f"datetime64[{unit}]": _moments(unit) for unit in UNITS},
        **{f"timedelta64[{unit}]": pd.Series(repeat(1, 2, None), dtype=f"m8[{unit}]") for unit in UNITS},
        "datetime64 missing": _moments("ns").where(_moments("ns").dt.month != 2),
        "datetime64[us, UTC]": zoned,
        "datetime64[ns, Vienna]": vienna.astype("datetime64[ns, Europe/Vienna]"),
        "datetime64[s, Vienna]": vienna.astype("datetime64[s, Europe/Vienna]"),
        "datetime64[us, +05:30]": zoned.dt.tz_convert(timezone(timedelta(hours=5, minutes=30))),
        "datetime64[us, datetime.UTC]": zoned.dt.tz_convert(UTC),
        "date objects": objects(date(2020, 1, 1), date(2021, 2, 3), None),
        "time objects": pd.Series(clock, dtype=object),
        "datetime objects": objects(FIRST, LATER, None),
        "zoned datetime objects": objects(
            *(moment.replace(tzinfo=ZoneInfo("Europe/Vienna")) for moment in (FIRST, LATER)),
        ),
        "timedelta objects": objects(timedelta(hours=1), timedelta(days=2), None),
        "timestamp[pyarrow]": pd.Series(repeat(FIRST, None), dtype=pd.ArrowDtype(pa.timestamp("ms", "UTC"))),
        "date32[pyarrow]": pd.Series(repeat(date(2020, 1, 1), None), dtype=pd.ArrowDtype(pa.date32())),
        "time64[pyarrow]": pd.Series(clock, dtype=pd.ArrowDtype(pa.time64("us"))),
        "duration[pyarrow]": pd.Series(
            repeat(timedelta(hours=1), None), dtype=pd.ArrowDtype(pa.duration("s"))
        ),
    }


def _polars_columns() -> dict[str, pl.Series]:
    moments = pl.Series(repeat(FIRST, LATER, None), dtype=pl.Datetime("us"))
    integers = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
    return {
        **{str(dtype): pl.Series(repeat(1, 2, None), dtype=dtype) for dtype in integers},
        **{str(dtype): pl.Series(repeat(0.5, 1.5, None), dtype=dtype) for dtype in (pl.Float32, pl.Float64)},
        "Boolean": pl.Series(repeat(True, False, None)),
        "String": pl.Series(repeat(*LEVELS, None)),
        "Categorical": pl.Series(repeat(*LEVELS, None), dtype=pl.Categorical),
        "Enum": pl.Series(repeat(*LEVELS, None), dtype=pl.Enum(["none", *reversed(LEVELS)])),
        "Decimal": pl.Series(repeat(Decimal("1.10"), Decimal("2.25"), None), dtype=pl.Decimal(10, 2)),
        "Date": pl.Series(repeat(date(2020, 1, 1), date(2021, 2, 3), None)),
        "Time": pl.Series(repeat(time(1, 2, 3), time(23), None)),
        "Duration": pl.Series(repeat(timedelta(hours=1), None), dtype=pl.Duration("ms")),
        "Datetime": moments,
        "Datetime[ns]": moments.cast(pl.Datetime("ns")),
        "Datetime[ms, Vienna]": moments.cast(pl.Datetime("ms")).dt.replace_time_zone("Europe/Vienna"),
        "Null": pl.Series(repeat(None)),
    }


def _arrow_numbers(type_: pa.DataType) -> pa.Array[Any]:
    numbers = repeat(1, 2, None)
    return (
        pa.array(numbers, type_) if pa.types.is_temporal(type_) else pa.array(numbers, pa.int8()).cast(type_)
    )


def _arrow_columns() -> dict[str, pa.Array[Any]]:
    moments = pa.array(repeat(0, 86_400, None), pa.timestamp("s"))
    texts = pa.array(repeat(*LEVELS, None))
    scale = pa.DictionaryArray.from_arrays(
        pa.array(repeat(0, 2, None), pa.int8()), pa.array(LEVELS), ordered=True
    )
    types: tuple[pa.DataType, ...] = (
        *(pa.int8(), pa.int64(), pa.uint16(), pa.float32(), pa.float64(), pa.string(), pa.large_string()),
        *(pa.decimal128(12, 0), pa.date32(), pa.time32("s"), pa.time64("ns"), pa.duration("ms")),
    )
    return {
        **{str(type_): _arrow_numbers(type_) for type_ in types},
        **{f"timestamp[{unit}]": moments.cast(pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")},
        "timestamp[us, Vienna]": moments.cast(pa.timestamp("us", "Europe/Vienna")),
        "bool": pa.array(repeat(True, False, None)),
        "string_view": texts.cast(pa.string_view()),
        "decimal32": pa.array(repeat(Decimal("1.10"), None), pa.decimal32(5, 2)),
        "dictionary": texts.dictionary_encode(),
        "dictionary, ordered": scale,
        "null": pa.nulls(N_ROWS),
    }


PANDAS_COLUMNS = {
    **_pandas_numbers(),
    **_pandas_truths(),
    **_pandas_texts(),
    **_pandas_categories(),
    **_pandas_times(),
}
POLARS_COLUMNS = _polars_columns()
ARROW_COLUMNS = _arrow_columns()
