"""What a file format is: how its files are scanned and written; reading and ingest follow from that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import pyarrow as pa

from understudy.errors import InvalidInput, TooLarge
from understudy.parameters.read_options import FormatName, ReadOptions
from understudy.progress import Progress, no_progress
from understudy.tables.findings import TableFindings
from understudy.tables.formats.canonical import CanonicalBatches, write_parquet
from understudy.tables.formats.compression import plain_file
from understudy.tables.formats.prefetch import prefetch
from understudy.tables.formats.scan import Reading, ReadLimits, Scan
from understudy.tables.inference import infer_stored
from understudy.tables.schema import TableSchema


class Write(Protocol):
    """Write batches as they come and return how many rows there were."""

    def __call__(
        self,
        path: Path,
        batches: Iterable[pa.RecordBatch],
        schema: pa.Schema,
        *,
        progress: Progress = no_progress,
        rows_total: int | None = None,
    ) -> int: ...


@dataclass(frozen=True)
class Ingested:
    """What is known of a table after its file was taken in; `rejects` are the rows that were skipped."""

    schema: TableSchema
    findings: TableFindings
    n_rows: int
    n_columns: int
    warnings: list[str]
    rejects: pa.Table | None = None


@dataclass(frozen=True)
class Loaded:
    """A table in memory, and what is to be known of how it was read; see `Scan`."""

    table: pa.Table
    warnings: list[str]
    rejects: pa.Table | None


@dataclass(frozen=True)
class WriteLimits:
    """What a file of a format can hold.

    Parameters
    ----------
    rows_max, columns_max : int
        Size of the table.
    characters_max : int
        Longest text.
    """

    rows_max: int
    columns_max: int
    characters_max: int

    def check(self, n_rows: int, n_columns: int) -> None:
        """Refuse tables that no file of the format holds.

        Raises
        ------
        TooLarge
            too_many_rows or too_many_columns.
        """
        if n_rows > self.rows_max:
            raise TooLarge(
                f"The format holds at most {self.rows_max:,} rows. Take Parquet or CSV.", code="too_many_rows"
            )
        if n_columns > self.columns_max:
            raise TooLarge(
                f"The format holds at most {self.columns_max:,} columns. Take Parquet or CSV.",
                code="too_many_columns",
            )


@dataclass(frozen=True)
class Format:
    """One member of the family.

    Parameters
    ----------
    name : FormatName
        As in `format` of an upload.
    summary : str
        One sentence for the documentation.
    suffixes : tuple of str
        Of file names, with the dot, in lower case; the first is the usual one.
    media_type : str
        Of uploads whose format is not named.
    scan : callable (path, reading) -> context manager of Scan
        Open a file that may be anything; raise `InvalidInput` for what is not a table. Bounded memory.
    write : Write
        The file appears at its path when it is complete, or not at all. Bounded memory.
    chunks : callable (batches, schema) -> iterator of bytes, optional
        The bytes that `write` would write, as the batches come; None if they are not known before the last.
    options : frozenset of str
        The names of the `ReadOptions` that its files can need; others are refused.
    write_limits : WriteLimits, optional
        What its files can hold, if that is less than any table.
    """

    name: FormatName
    summary: str
    suffixes: tuple[str, ...]
    media_type: str
    scan: Callable[[Path, Reading], AbstractContextManager[Scan]]
    write: Write
    chunks: Callable[[Iterable[pa.RecordBatch], pa.Schema], Iterator[bytes]] | None = None
    options: frozenset[str] = frozenset()
    write_limits: WriteLimits | None = None

    def taken(self, options: ReadOptions) -> ReadOptions:
        """Return those of the options that its files are read with."""
        return ReadOptions(**options.model_dump(include=set(options.given & self.options)))

    def check_options(self, options: ReadOptions) -> None:
        """Refuse options that its files are not read with."""
        for name in sorted(options.given - self.options):
            raise InvalidInput(
                f"Files of format {self.name} are not read with the option `{name}`. Leave it out.",
                code="invalid_parameters",
            )

    @contextmanager
    def open(self, path: Path, reading: Reading) -> Iterator[Scan]:
        """Open a file, compressed or not, with options that its format takes."""
        self.check_options(reading.options)
        with self.scan(plain_file(path, reading), reading) as scan:
            yield scan

    def read(
        self,
        path: Path,
        *,
        limits: ReadLimits | None = None,
        options: ReadOptions | None = None,
        progress: Progress = no_progress,
    ) -> pa.Table:
        """Return the table of a file, in memory, as `ingest` would store it.

        Raises
        ------
        InvalidInput
            If the file is not a table, is damaged, or passes a limit.
        """
        return self.load(path, limits=limits, options=options, progress=progress).table

    def load(
        self,
        path: Path,
        *,
        limits: ReadLimits | None = None,
        options: ReadOptions | None = None,
        progress: Progress = no_progress,
    ) -> Loaded:
        """Return what `read` does, with the warnings and the rows that were skipped."""
        limits = limits or ReadLimits()
        with TemporaryDirectory(prefix="understudy-") as scratch:
            reading = Reading(Path(scratch), limits, options or ReadOptions(), progress)
            with self.open(path, reading) as scan:
                batches = CanonicalBatches(scan, limits)
                table = pa.Table.from_batches(batches, scan.schema)
                return Loaded(table, [*scan.warnings, *batches.warnings()], scan.rejects)

    def ingest(
        self,
        source: Path,
        destination: Path,
        limits: ReadLimits,
        progress: Progress = no_progress,
        *,
        options: ReadOptions | None = None,
    ) -> Ingested:
        """Turn any file into a canonical Parquet file, in bounded memory, and say what it holds.

        Parameters
        ----------
        source : Path
            Not changed; its name does not matter.
        destination : Path
            Made whole or not at all; its folder also holds the scratch files, which are removed.

        Raises
        ------
        InvalidInput
            If the file is not a table, is damaged, or passes a limit.
        """
        with TemporaryDirectory(dir=destination.parent, prefix=".ingest-") as scratch:
            reading = Reading(Path(scratch), limits, options or ReadOptions(), progress)
            with self.open(source, reading) as scan:
                batches = CanonicalBatches(scan, limits)
                with closing(prefetch(iter(batches), 1)) as ahead:
                    write_parquet(destination, ahead, scan.schema, progress=progress, rows_total=scan.n_rows)
                return _ingested(destination, scan, batches)


def _ingested(stored: Path, scan: Scan, batches: CanonicalBatches) -> Ingested:
    inferred = infer_stored(stored, scan.schema, n_missing=batches.n_missing, notes=scan.notes)
    warnings = [*scan.warnings, *batches.warnings()]
    return Ingested(*inferred, batches.n_rows, len(scan.schema), warnings, scan.rejects)
