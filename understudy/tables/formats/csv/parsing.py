"""Parse CSV files with a restricted DuckDB database, which returns every field as text."""

from __future__ import annotations

import errno
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.parameters.read_options import ReadOptions
from understudy.tables.formats.csv import error_texts
from understudy.tables.formats.csv.dialect import Dialect
from understudy.tables.formats.scan import Reading, ReadLimits
from understudy.threads import count_threads

if TYPE_CHECKING:
    import duckdb

# Words for a missing value in an unquoted field. A quoted field is always text.
MISSING = ("", "NA", "N/A", "n/a", "NULL", "null", "NaN")

_MEMORY = "512MB"
# Number of rows in a batch. A whole batch is in memory. DuckDB processes 2,048 rows at a time.
_BATCH_ROWS = 8_192


@contextmanager
def open_session(source: Path, scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory database that can access only one file (to read) and one folder (to write).

    Raises
    ------
    MemoryError, OSError
        If the memory limit is reached, or if no memory or disk space is left.
    """
    # DuckDB is imported here because only the process that reads CSV files needs it.
    import duckdb

    n_threads = min(2, count_threads())
    connection = duckdb.connect(":memory:", config={"threads": n_threads, "memory_limit": _MEMORY})
    try:
        for setting in (
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            "enable_progress_bar = false",
            "preserve_insertion_order = true",
            "TimeZone = 'UTC'",
            f"temp_directory = {_quoted(scratch / 'spill')}",
            f"allowed_paths = [{_quoted(source)}]",
            f"allowed_directories = [{_quoted(scratch)}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
        yield connection
    except (duckdb.Error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        # The cause is suppressed because DuckDB's message may contain values.
        raise _fault(str(error)) from None
    finally:
        connection.close()


def _quoted(text: str | Path) -> str:
    """Return an SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def _fault(message: str) -> Exception:
    """Translate a DuckDB error, which Arrow raises as an `OSError`, into a Python exception."""
    if message.startswith("Out of Memory Error"):
        return MemoryError("DuckDB ran out of memory.")
    if not message.startswith("IO Error"):
        return RuntimeError(f"DuckDB failed: {message.split(':')[0]}.")
    code = (
        errno.ENOSPC if "No space left" in message else errno.EFBIG if "too large" in message else errno.EIO
    )
    return OSError(code, "DuckDB could not read or write its files.")


def text_batches(source: Path, dialect: Dialect, reading: Reading) -> Generator[pa.RecordBatch, None, None]:
    """Yield the fields of a CSV file in order, as text columns `c0`, `c1`, … Missing values are null.

    Raises
    ------
    UnreadableRow
        If a row cannot be read.
    MixedLineEndings
        If the line endings have to be unified first.
    """
    with open_session(source, reading.scratch) as session:
        try:
            yield from _read(session, _select(source, dialect, reading))
        except _CsvFault as fault:
            if _MIXED_LINE_ENDS in fault.message:
                raise MixedLineEndings from None
            raise UnreadableRow(_explained(fault.message, len(dialect.names), reading.limits)) from None


class MixedLineEndings(Exception):
    """Raised if the file mixes different line endings."""


class UnreadableRow(Exception):
    """Raised if a row cannot be read. `error` contains the details that DuckDB reports."""

    def __init__(self, error: InvalidInput) -> None:
        super().__init__()
        self.error = error


def missing_words(options: ReadOptions) -> tuple[str, ...]:
    """Return all words for a missing value."""
    return (*MISSING, *(word for word in options.missing if word not in MISSING))


# DuckDB reports "not implemented" for a line that spans many buffers.
_CSV_FAULTS = ("Invalid Input Error", "Conversion Error", "Not implemented Error")
_MIXED_LINE_ENDS = "state machine reached an invalid state"


class _CsvFault(Exception):
    """A DuckDB error caused by the content of the file. Its message contains values and must not be shown."""

    def __init__(self, message: str) -> None:
        super().__init__()
        self.message = message


def _read(session: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.RecordBatch]:
    # DuckDB is imported here because it loads slowly and only CSV files need it.
    import duckdb

    try:
        yield from session.sql(query).to_arrow_reader(_BATCH_ROWS)
    except (
        duckdb.InvalidInputException,
        duckdb.ConversionException,
        duckdb.NotImplementedException,
    ) as error:
        raise _CsvFault(str(error)) from None
    except OSError as error:
        if error.errno is None and str(error).startswith(_CSV_FAULTS):
            raise _CsvFault(str(error)) from None
        raise


def _select(source: Path, dialect: Dialect, reading: Reading) -> str:
    limits = reading.limits
    quote = _quoted(dialect.quote)
    has_header = "true" if dialect.has_header else "false"
    columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(dialect.names)))
    missing = ", ".join(_quoted(token) for token in missing_words(reading.options))
    return f"""
        SELECT * FROM read_csv(
            {_quoted(source)}, auto_detect = false, header = {has_header},
            skip = {dialect.n_lines_before},
            delim = {_quoted(dialect.delimiter)}, quote = {quote}, escape = {quote},
            columns = {{{columns}}}, strict_mode = true,
            nullstr = [{missing}], allow_quoted_nulls = false, max_line_size = {limits.cell_bytes_max},
            buffer_size = {4 * limits.cell_bytes_max}
        )
    """  # noqa: S608 - every part is a constant or quoted


_LINE = re.compile(r"CSV Error on Line: (\d+)")
_COUNTS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_LINE_SIZE = re.compile(r"Maximum line size of \d+ bytes exceeded")


def _explained(fault: str, n_columns: int, limits: ReadLimits) -> InvalidInput:
    line = _LINE.search(fault)
    place = f"Line {int(line[1]):,} (a row that spans several lines counts as one)" if line else "A line"
    if counts := _COUNTS.search(fault):
        return error_texts.ragged_rows(place, int(counts[2]), n_columns)
    if _LINE_SIZE.search(fault):
        return error_texts.long_line(place, limits.cell_bytes_max)
    if "unterminated quote" in fault:
        return error_texts.unclosed_quote(place)
    if "Invalid unicode" in fault:
        return error_texts.wrong_encoding(place)
    return InvalidInput(
        "The file cannot be parsed as CSV. Export it again with a single delimiter, and quote the fields "
        "that contain it.",
        code="unreadable_file",
    )
