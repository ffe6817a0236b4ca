"""Conversion between Parquet files and pyarrow tables or pandas DataFrames. Both libraries are optional."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def write_parquet(table: Any, path: Path) -> None:
    """Write a table from pyarrow, pandas, polars or another library with the Arrow interface to a file.

    The index of a pandas DataFrame is written only if it has a name.
    """
    arrow, parquet = _arrow()
    if type(table).__module__.partition(".")[0] == "pandas":
        has_names = any(name is not None for name in table.index.names)
        converted = arrow.Table.from_pandas(table.reset_index() if has_names else table, preserve_index=False)
    else:
        converted = arrow.table(table)
    parquet.write_table(converted, path)


def read_arrow(path: Path) -> pa.Table:
    """Read a Parquet file as a pyarrow table."""
    _, parquet = _arrow()
    table: pa.Table = parquet.read_table(path)
    return table


def read_pandas(path: Path) -> pd.DataFrame:
    """Read a Parquet file as a pandas DataFrame."""
    try:
        # The extra `pandas` is optional.
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "pandas is not installed. Install it with: pip install 'understudy-client[pandas]'"
        ) from error
    frame = read_arrow(path).to_pandas()
    assert isinstance(frame, pd.DataFrame)
    return frame


def _arrow() -> tuple[ModuleType, ModuleType]:
    try:
        # The extra `arrow` is optional.
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ImportError(
            "pyarrow is not installed. Install it with: pip install 'understudy-client[arrow]'"
        ) from error
    return pa, pq
