"""Find the rows that cannot be read, determine the reasons, and copy the file without these rows.

DuckDB can skip and list bad rows. However, it needs a kilobyte of memory for each bad row, and it lost good
rows in a test with a million bad rows. Therefore, DuckDB is used only in strict mode. If DuckDB rejects a
file, this module finds the bad rows.
"""

from __future__ import annotations

import csv
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.tables.formats.csv import error_texts
from understudy.tables.formats.csv.dialect import Dialect
from understudy.tables.formats.csv.lines import long_fields
from understudy.tables.formats.scan import MEBIBYTE, REJECTS_SCHEMA, Reading

REASONS = ("too_few_fields", "too_many_fields", "unclosed_quote", "line_too_long", "wrong_encoding")
_TOO_FEW, _TOO_MANY, _UNCLOSED, _TOO_LONG, _ENCODING = range(len(REASONS))
# Maximum number of bad rows in the list. A file with more bad rows is rejected, regardless of their share.
_ROWS_MAX = 5_000_000

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class BadRow:
    """A row in a block: its first line, its number of lines, and the reason if the row cannot be read."""

    first: int
    n_lines: int
    reason: int | None
    column: int = 0
    n_fields: int = 0


@dataclass
class BadRows:
    """The rows that cannot be read, in the order of the file.

    Parameters
    ----------
    lines : array of int64
        First line of each bad row.
    columns : array of int32
        Number of the field that cannot be read, counted from 1. The number is 0 if the whole row cannot be
        read.
    reasons : array of int8
        Index of the reason in `REASONS`.
    dropped : array of int64
        Numbers of all lines that the bad rows span.
    n_fields : int
        Number of fields in the first bad row.
    n_good : int
        Number of rows that can be read.
    """

    lines: array[int] = field(default_factory=lambda: array("q"))
    columns: array[int] = field(default_factory=lambda: array("i"))
    reasons: array[int] = field(default_factory=lambda: array("b"))
    dropped: array[int] = field(default_factory=lambda: array("q"))
    n_fields: int = 0
    n_good: int = 0

    def add(self, line: int, row: BadRow) -> None:
        """Add a bad row that starts on the given line."""
        assert row.reason is not None
        if not self.lines:
            self.n_fields = row.n_fields
        self.lines.append(line)
        self.columns.append(row.column)
        self.reasons.append(row.reason)

    def first_error(self, n_columns: int, bytes_max: int) -> InvalidInput:
        """Return the error for the first bad row."""
        place = f"Line {self.lines[0]:,} of the file"
        return (
            error_texts.ragged_rows(place, self.n_fields, n_columns),
            error_texts.ragged_rows(place, self.n_fields, n_columns),
            error_texts.unclosed_quote(place),
            error_texts.long_line(place, bytes_max),
            error_texts.wrong_encoding(place),
        )[self.reasons[0]]

    def line_of_file(self, line: int) -> int:
        """Convert a line number in the copy without bad rows to the line number in the original file."""
        dropped = np.frombuffer(self.dropped, np.int64)
        n_before = np.searchsorted(dropped - np.arange(len(dropped)), line, side="right")
        return line + int(n_before)

    def check_number(self) -> None:
        """Check that the number of bad rows does not exceed the maximum number that can be listed.

        Raises
        ------
        InvalidInput
            If the file has too many bad rows (code too_many_bad_rows). The message contains the limit and the
            lines of the first bad rows.
        """
        if len(self.lines) > _ROWS_MAX:
            raise InvalidInput(
                f"More than {_ROWS_MAX:,} rows cannot be read, but at most {_ROWS_MAX:,} rows can be "
                f"skipped. Correct {self._rows_with_lines()}, or check the delimiter and quote character.",
                code="too_many_bad_rows",
            )

    def check_share(self, share_max: float) -> None:
        """Check that the share of bad rows does not exceed the limit.

        Raises
        ------
        InvalidInput
            If the share is too high (code too_many_bad_rows). The message contains the number of bad rows and
            the lines of the first bad rows.
        """
        n_bad = len(self.lines)
        n_rows = n_bad + self.n_good
        if n_bad <= share_max * n_rows:
            return
        raise InvalidInput(
            f"{n_bad:,} of {n_rows:,} rows cannot be read ({n_bad / n_rows:.2%}), more than "
            f"`bad_rows_share_max` allows ({share_max}). Correct {self._rows_with_lines()}, check the "
            "delimiter and the quote character, or raise `bad_rows_share_max`.",
            code="too_many_bad_rows",
        )

    def _rows_with_lines(self) -> str:
        listed = ", ".join(f"{line:,}" for line in self.lines[:10])
        if len(self.lines) > 10:
            return f"the rows (the first are on lines {listed})"
        return f"the row on line {listed}" if len(self.lines) == 1 else f"the rows on lines {listed}"

    def table(self) -> pa.Table:
        """Return the bad rows as a table with the schema `REJECTS_SCHEMA`."""
        columns = np.frombuffer(self.columns, np.int32)
        reasons = pa.DictionaryArray.from_arrays(np.frombuffer(self.reasons, np.int8), pa.array(REASONS))
        return pa.table(
            [
                pa.array(np.frombuffer(self.lines, np.int64)),
                pa.array(columns, mask=columns == 0),
                reasons.cast(pa.string()),
            ],
            schema=REJECTS_SCHEMA,
        )


def find_bad_rows(
    source: Path, dialect: Dialect, reading: Reading, *, copy: Path | None = None, first_only: bool = False
) -> BadRows:
    """Return the rows that cannot be read, and optionally write a copy of the file without them.

    Parameters
    ----------
    source : Path
        Path of a file with LF or CRLF line endings.
    copy : Path, optional
        Path of the copy with the good rows.
    """
    with source.open("rb") as file, (copy or Path(os.devnull)).open("wb") as target, long_fields():
        search = _Search(file, target, dialect, reading)
        search.run(first_only=first_only)
        return search.bad


class _Search:
    """A search for bad rows in blocks. Rows that fail the vectorized checks are parsed individually."""

    def __init__(self, file: BinaryIO, target: BinaryIO, dialect: Dialect, reading: Reading) -> None:
        self.bad = BadRows()
        self._file = file
        self._target = target
        self._dialect = dialect
        self._bytes_max = reading.limits.cell_bytes_max
        self._n_columns = len(dialect.names)
        self._line = 1

    def run(self, *, first_only: bool) -> None:
        """Check all rows, or only the blocks up to the first bad row."""
        for _ in range(self._dialect.header_line):
            self._target.write(self._file.readline())
            self._line += 1
        held, is_last = b"", False
        while not is_last and not (first_only and self.bad.lines):
            read = self._file.read(MEBIBYTE)
            is_last = not read
            held = self._check_block(held + read, is_last=is_last)
            self.bad.check_number()

    def _check_block(self, data: bytes, *, is_last: bool) -> bytes:
        """Check the complete rows of a block, and return the incomplete row at its end."""
        end = len(data) if is_last else data.rfind(b"\n") + 1
        if end == 0:
            return self._skip_long_line(data) if len(data) > self._bytes_max else data
        block = _Block(data[:end], self._dialect, self._bytes_max, is_last=is_last)
        for row in block.bad_rows():
            self.bad.add(self._line + row.first, row)
        self.bad.dropped.extend(
            int(index) + self._line for index in np.flatnonzero(~block.keeps[: block.n_checked])
        )
        self.bad.n_good += block.n_good()
        self._target.write(block.good_lines())
        self._line += block.n_checked
        return data[block.n_bytes_checked() :]

    def _skip_long_line(self, data: bytes) -> bytes:
        """Skip to the end of a line that exceeds the length limit."""
        self.bad.add(self._line, BadRow(0, 1, _TOO_LONG))
        self.bad.dropped.append(self._line)
        self._line += 1
        while data and b"\n" not in data:
            data = self._file.read(MEBIBYTE)
        return data.partition(b"\n")[2]


class _Block:
    """A block of whole lines, with arrays that describe each line."""

    def __init__(self, data: bytes, dialect: Dialect, bytes_max: int, *, is_last: bool) -> None:
        self._data = data
        self._bytes = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(self._bytes == ord("\n")) + 1
        if not data.endswith(b"\n") and data:
            ends = np.append(ends, len(data))
        self._bounds = np.concatenate(([0], ends))
        self._dialect = dialect
        self.bytes_max = bytes_max
        self._is_last = is_last
        self._n_columns = len(dialect.names)
        self._lengths = np.diff(self._bounds)
        self._has_quote = self._count(dialect.quote) > 0 if dialect.quote else np.zeros(len(ends), bool)
        self._n_fields = self._count(dialect.delimiter) + 1
        self._is_invalid = self._invalid_lines()
        self._is_blank = self._lengths <= 1 + (self._count("\r") > 0)
        self._in_record = np.zeros(len(ends), bool)
        self._n_records = 0
        self.keeps = np.ones(len(ends), bool)
        self.n_checked = len(ends)

    def _count(self, character: str) -> Integers:
        """Return the number of occurrences of a character in each line."""
        places = np.flatnonzero(self._bytes == ord(character))
        return np.diff(np.searchsorted(places, self._bounds))

    def _invalid_lines(self) -> npt.NDArray[np.bool_]:
        is_invalid = np.zeros(len(self._lengths), bool)
        try:
            self._data.decode("utf-8")
        except UnicodeDecodeError:
            for index in range(len(is_invalid)):
                is_invalid[index] = _invalid_at(self._text(index)) is not None
        return is_invalid

    def _text(self, index: int) -> bytes:
        return self._data[self._bounds[index] : self._bounds[index + 1]]

    def bad_rows(self) -> Iterator[BadRow]:
        """Yield the rows that cannot be read. Stop before a row that may continue in the next block."""
        is_plain = (
            ~self._has_quote
            & (self._n_fields == self._n_columns)
            & ~self._is_invalid
            & (self._lengths <= self.bytes_max)
        )
        following = 0
        for index in np.flatnonzero(~is_plain & ~self._is_blank):
            if index < following:
                continue
            row = self._parse_row(int(index))
            if row is None:
                self.n_checked = int(index)
                return
            following = row.first + row.n_lines
            if row.reason is None:
                self._in_record[row.first : following] = True
                self._n_records += 1
            else:
                self.keeps[row.first : following] = False
                yield row

    def _parse_row(self, index: int) -> BadRow | None:
        """Return the row that starts on the given line, or None if it may continue in the next block."""
        if self._lengths[index] > self.bytes_max:
            return BadRow(index, 1, _TOO_LONG)
        if not self._has_quote[index]:
            return self._classify(index, 1, int(self._n_fields[index]))
        lines = _Lines(self, index)
        reader = csv.reader(lines, strict=True, skipinitialspace=True, **self._dialect.for_python())
        try:
            fields = next(reader)
        except csv.Error:
            if lines.ran_out and not self._is_last and lines.n_bytes <= self.bytes_max:
                return None
            return BadRow(index, 1, _UNCLOSED)
        return self._classify(index, lines.n_read, len(fields))

    def line(self, index: int) -> str | None:
        """Return the next line with one character per byte, or None after the last line."""
        return self._text(index).decode("latin-1") if index < len(self._lengths) else None

    def _classify(self, first: int, n_lines: int, n_fields: int) -> BadRow:
        lines = slice(first, first + n_lines)
        if self._lengths[lines].sum() > self.bytes_max:
            return BadRow(first, n_lines, _TOO_LONG)
        if self._is_invalid[lines].any():
            return BadRow(first, n_lines, _ENCODING, column=self._invalid_column(first))
        if n_fields == self._n_columns:
            return BadRow(first, n_lines, None)
        return BadRow(
            first, n_lines, _TOO_FEW if n_fields < self._n_columns else _TOO_MANY, n_fields=n_fields
        )

    def _invalid_column(self, index: int) -> int:
        place = None if self._has_quote[index] else _invalid_at(self._text(index))
        return 0 if place is None else self._text(index).count(self._dialect.delimiter.encode(), 0, place) + 1

    def n_good(self) -> int:
        """Return the number of rows that can be read."""
        is_row = self.keeps & ~self._in_record
        if self._n_columns > 1:
            is_row &= ~self._is_blank
        return int(np.count_nonzero(is_row[: self.n_checked])) + self._n_records

    def n_bytes_checked(self) -> int:
        """Return the number of bytes that have been checked."""
        return int(self._bounds[self.n_checked])

    def good_lines(self) -> bytes:
        """Return the bytes of the lines that can be read."""
        keeps = self.keeps[: self.n_checked]
        if keeps.all():
            return self._data[: self.n_bytes_checked()]
        chosen = np.repeat(keeps, self._lengths[: self.n_checked])
        kept: bytes = self._bytes[: self.n_bytes_checked()][chosen].tobytes()
        return kept


class _Lines:
    """An iterator that passes lines from a block to Python's CSV reader, up to the maximum row size."""

    def __init__(self, block: _Block, first: int) -> None:
        self.n_read = 0
        self.n_bytes = 0
        self.ran_out = False
        self._block = block
        self._first = first

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._block.line(self._first + self.n_read)
        self.ran_out = line is None
        if line is None or self.n_bytes > self._block.bytes_max:
            raise StopIteration
        self.n_read += 1
        self.n_bytes += len(line)
        return line


def _invalid_at(line: bytes) -> int | None:
    if line.isascii():
        return None
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None
