"""What a file format is: how its files are scanned and written; reading and ingest follow from that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.progress import Progress, no_progress
from understudy.tables.formats.canonical import CanonicalBatches, write_parquet
from understudy.tables.formats.compression import plain_file
from understudy.tables.formats.scan import Reading, ReadLimits, Scan
from understudy.tables.inference import describe_columns
from understudy.tables.reading import FormatName, ReadOptions
from understudy.tables.schema import Schema


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
    """What is known of a table after its file was taken in."""

    schema: Schema
    n_rows: int
    n_columns: int
    warnings: list[str]


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
    """

    name: FormatName
    summary: str
    suffixes: tuple[str, ...]
    media_type: str
    scan: Callable[[Path, Reading], AbstractContextManager[Scan]]
    write: Write
    chunks: Callable[[Iterable[pa.RecordBatch], pa.Schema], Iterator[bytes]] | None = None
    options: frozenset[str] = frozenset()

    @contextmanager
    def open(self, path: Path, reading: Reading) -> Iterator[Scan]:
        """Open a file, compressed or not, with options that its format takes."""
        for name in sorted(reading.options.given - self.options):
            raise InvalidInput(
                f"Files of format {self.name} are not read with the option `{name}`. Leave it out.",
                code="invalid_parameters",
            )
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
        limits = limits or ReadLimits()
        with TemporaryDirectory(prefix="understudy-") as scratch:
            reading = Reading(Path(scratch), limits, options or ReadOptions(), progress)
            with self.open(path, reading) as scan:
                return pa.Table.from_batches(CanonicalBatches(scan, limits), scan.schema)

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
                write_parquet(destination, batches, scan.schema, progress=progress, rows_total=scan.n_rows)
                return _ingested(scan, batches)


def _ingested(scan: Scan, batches: CanonicalBatches) -> Ingested:
    schema = describe_columns(
        scan.schema, n_rows=batches.n_rows, n_missing=batches.n_missing, notes=scan.notes
    )
    return Ingested(schema, batches.n_rows, len(scan.schema), [*scan.warnings, *batches.warnings()])
