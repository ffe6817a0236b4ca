"""DuckDB, locked down, takes a CSV file apart: every value as text, in Parquet beside the scratch files."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.errors import InvalidInput
from understudy.tables.formats.canonical import batch_rows
from understudy.tables.formats.csv.dialect import Dialect
from understudy.tables.formats.csv.text import unify_line_ends
from understudy.tables.formats.scan import ReadLimits

if TYPE_CHECKING:
    import duckdb

# An unquoted field with one of these is missing; what stands in quotation marks is text.
MISSING = ("", "NA", "N/A", "NULL", "null", "NaN")

_MEMORY = "512MB"
_STAGED_VALUES = 4_000_000


@contextmanager
def open_session(source: Path, scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory that can read one file and write to one folder, and nothing else.

    Raises
    ------
    MemoryError, OSError
        As Python does, when the machine or the limit has no more memory or disk.
    """
    # Imported here: only the process that reads the file pays for it.
    import duckdb

    connection = duckdb.connect(":memory:", config={"threads": 2, "memory_limit": _MEMORY})
    try:
        for setting in (
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            "enable_progress_bar = false",
            "preserve_insertion_order = true",
            "TimeZone = 'UTC'",
            f"temp_directory = {quoted(scratch / 'spill')}",
            f"allowed_paths = [{quoted(source)}]",
            f"allowed_directories = [{quoted(scratch)}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
        yield connection
    except duckdb.OutOfMemoryException:
        raise MemoryError("DuckDB ran out of memory.") from None
    except duckdb.IOException as error:
        text = str(error)
        code = errno.ENOSPC if "No space left" in text else errno.EFBIG if "too large" in text else errno.EIO
        raise OSError(code, "DuckDB could not read or write its files.") from None
    finally:
        connection.close()


def quoted(text: str | Path) -> str:
    """Return a string literal of SQL."""
    return "'" + str(text).replace("'", "''") + "'"


def stage(
    session: duckdb.DuckDBPyConnection, source: Path, scratch: Path, dialect: Dialect, limits: ReadLimits
) -> Path:
    """Write the fields of a CSV file as text columns `c0`, `c1`, … of a Parquet file, rows in order.

    Raises
    ------
    InvalidInput
        ragged_rows, unclosed_quote, unreadable_file; with the line.
    """
    staged = scratch / "staged.parquet"
    fault = _run(session, _copy_statement(source, staged, dialect, limits))
    if fault is not None and _MIXED_LINE_ENDS in fault:
        source = unify_line_ends(source, scratch / "lines.csv")
        fault = _run(session, _copy_statement(source, staged, dialect, limits))
    if fault is not None:
        raise _explained(fault, len(dialect.names), limits)
    return staged


_MIXED_LINE_ENDS = "state machine reached an invalid state"


def _run(session: duckdb.DuckDBPyConnection, statement: str) -> str | None:
    """Return what DuckDB says is wrong with the file; its text holds values and must go no further."""
    import duckdb

    try:
        session.execute(statement)
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        return str(error)
    return None


def _copy_statement(source: Path, staged: Path, dialect: Dialect, limits: ReadLimits) -> str:
    columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(dialect.names)))
    missing = ", ".join(quoted(token) for token in MISSING)
    return f"""
        COPY (
            SELECT * FROM read_csv(
                {quoted(source)}, auto_detect = false, header = true, skip = {dialect.n_blank_lines},
                delim = {quoted(dialect.delimiter)}, quote = '"', escape = '"',
                columns = {{{columns}}}, strict_mode = true,
                nullstr = [{missing}], allow_quoted_nulls = false, max_line_size = {limits.cell_bytes_max},
                buffer_size = {4 * limits.cell_bytes_max}
            )
        ) TO {quoted(staged)} (
            FORMAT parquet, COMPRESSION snappy,
            ROW_GROUP_SIZE {batch_rows(len(dialect.names), _STAGED_VALUES)}
        )
    """  # noqa: S608 - every part is ours or quoted


_LINE = re.compile(r"CSV Error on Line: (\d+)")
_COUNTS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_LINE_SIZE = re.compile(r"Maximum line size of \d+ bytes exceeded")


def _explained(fault: str, n_columns: int, limits: ReadLimits) -> InvalidInput:
    line = _LINE.search(fault)
    place = f"Line {int(line[1]):,} (a row that spans lines counts as one)" if line else "A line"
    if counts := _COUNTS.search(fault):
        return InvalidInput(
            f"{place} has {_fields(int(counts[2]))} where the header has {_fields(n_columns)}. Give every "
            "row as many fields as the header; a field that holds the delimiter needs quotation marks.",
            code="ragged_rows",
        )
    if _LINE_SIZE.search(fault):
        return InvalidInput(
            f"{place} is longer than {limits.cell_bytes_max:,} bytes. Look for a quotation mark that is not "
            "closed, or shorten the text.",
            code="unreadable_file",
        )
    if "unterminated quote" in fault:
        return InvalidInput(
            f"{place} has a quoted field that is not closed, or text after its closing quotation mark. Close "
            "it, and write a quotation mark within a field twice.",
            code="unclosed_quote",
        )
    return InvalidInput(
        "The file cannot be taken apart as CSV. Write it again with one delimiter and quotation marks around "
        "fields that hold it.",
        code="unreadable_file",
    )


def _fields(n: int) -> str:
    return f"{n:,} field" if n == 1 else f"{n:,} fields"
