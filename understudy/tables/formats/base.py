"""The interface of a file format. A format defines only how to scan and write its files."""

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
from understudy.tables.inference import describe_subject, infer_stored
from understudy.tables.schema import TableSchema


class Write(Protocol):
    """A function that writes batches to a file and returns the number of rows."""

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
    """The schema, findings, size and warnings of an ingested table. `rejects` contains the skipped rows."""

    schema: TableSchema
    findings: TableFindings
    n_rows: int
    n_columns: int
    warnings: list[str]
    rejects: pa.Table | None = None


@dataclass(frozen=True)
class Loaded:
    """A table in memory, with the warnings and the skipped rows of its `Scan`."""

    table: pa.Table
    warnings: list[str]
    rejects: pa.Table | None


@dataclass(frozen=True)
class WriteLimits:
    """The maximum size of a table that a file format can store.

    Parameters
    ----------
    rows_max, columns_max : int
        Maximum number of rows and columns.
    characters_max : int
        Maximum length of a text in a cell, in characters.
    """

    rows_max: int
    columns_max: int
    characters_max: int

    def check(self, n_rows: int, n_columns: int) -> None:
        """Check that a table of this size fits in a file of this format.

        Raises
        ------
        TooLarge
            If the table has too many rows (code too_many_rows) or too many columns (code too_many_columns).
        """
        if n_rows > self.rows_max:
            raise TooLarge(
                f"The table has {n_rows:,} rows, but the format can store at most {self.rows_max:,}. Use "
                f"Parquet or CSV.",
                code="too_many_rows",
            )
        if n_columns > self.columns_max:
            raise TooLarge(
                f"The table has {n_columns:,} columns, but the format can store at most "
                f"{self.columns_max:,}. Use Parquet or CSV.",
                code="too_many_columns",
            )


@dataclass(frozen=True)
class Format:
    """A file format.

    Parameters
    ----------
    name : FormatName
        Name of the format, which is also the value of the `format` parameter of an upload.
    summary : str
        Description of the format for the documentation.
    suffixes : tuple of str
        File name suffixes in lower case, including the dot. New files get the first suffix.
    media_type : str
        Media type that selects this format if an upload does not specify a format.
    scan : callable (path, reading) -> context manager of Scan
        Function that opens a file with unknown content, using bounded memory. It raises `InvalidInput` if the
        file does not contain a table.
    write : Write
        Function that writes a file, using bounded memory. The file appears at its path only when it is
        complete.
    chunks : callable (batches, schema) -> iterator of bytes, optional
        Function that yields the same bytes as `write`, batch by batch. None if the format requires a complete
        file before the first byte is sent.
    options : frozenset of str
        Names of the `ReadOptions` that the format supports.
    write_limits : WriteLimits, optional
        Maximum size of a table. None if a file of the format can store any table.
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

    def supported_options(self, options: ReadOptions) -> ReadOptions:
        """Return the options that this format supports."""
        return ReadOptions(**options.model_dump(include=set(options.given & self.options)))

    def check_options(self, options: ReadOptions) -> None:
        """Check that the format supports all options that are set.

        Raises
        ------
        InvalidInput
            If the format does not support an option (code invalid_parameters). The message names the first
            unsupported option.
        """
        for name in sorted(options.given - self.options):
            raise InvalidInput(
                f"The option `{name}` does not apply to files in {self.name} format. Remove the option.",
                code="invalid_parameters",
            )

    @contextmanager
    def open(self, path: Path, reading: Reading) -> Iterator[Scan]:
        """Open a file, and decompress it first if it is compressed."""
        self.check_options(reading.options)
        plain = plain_file(path, reading, is_archive=self.name == "xlsx")
        with self.scan(plain, reading) as scan:
            yield scan

    def read(
        self,
        path: Path,
        *,
        limits: ReadLimits | None = None,
        options: ReadOptions | None = None,
        progress: Progress = no_progress,
    ) -> pa.Table:
        """Return the table in a file, with the same types and values that `ingest` stores.

        Raises
        ------
        InvalidInput
            If the file is damaged or does not contain a table, or if a limit is exceeded.
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
        """Return the same table as `read`, together with the warnings and the skipped rows."""
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
        """Convert a file to a canonical Parquet file, using bounded memory.

        Parameters
        ----------
        source : Path
            Path of the file. The file is not changed, and its name is ignored.
        destination : Path
            Path of the Parquet file, which appears only when it is complete. Scratch files are written to a
            temporary folder beside it.

        Raises
        ------
        InvalidInput
            If the file is damaged or does not contain a table, or if a limit is exceeded.
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
    subject = describe_subject(*inferred)
    warnings = [*scan.warnings, *batches.warnings(), *([subject] if subject else [])]
    return Ingested(*inferred, batches.n_rows, len(scan.schema), warnings, scan.rejects)
