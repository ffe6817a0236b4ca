"""Rows that cannot be read: where they stand, why, and the file without them.

DuckDB can list what it skips, but keeps a kilobyte of memory for each, and was seen to lose good rows among a
million bad ones. So it always reads strictly, and only a file that it refuses is looked through here.
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
# So many can be listed; a file with more is not read, whatever share they are.
_ROWS_MAX = 5_000_000

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class BadRow:
    """A row of a block: its first line, how many it has, and what is wrong with it, if anything is."""

    first: int
    n_lines: int
    reason: int | None
    column: int = 0
    n_fields: int = 0


@dataclass
class BadRows:
    """The rows that cannot be read, in the file's order.

    Parameters
    ----------
    lines : array of int64
        On which line each begins.
    columns : array of int32
        Which field could not be read, counted from 1; 0 if it is the row as a whole.
    reasons : array of int8
        Which of `REASONS`.
    dropped : array of int64
        All lines on which they stand.
    n_fields : int
        Of the first of them.
    n_good : int
        How many rows can be read.
    """

    lines: array[int] = field(default_factory=lambda: array("q"))
    columns: array[int] = field(default_factory=lambda: array("i"))
    reasons: array[int] = field(default_factory=lambda: array("b"))
    dropped: array[int] = field(default_factory=lambda: array("q"))
    n_fields: int = 0
    n_good: int = 0

    def add(self, line: int, row: BadRow) -> None:
        """Take a row that begins on a line."""
        assert row.reason is not None
        if not self.lines:
            self.n_fields = row.n_fields
        self.lines.append(line)
        self.columns.append(row.column)
        self.reasons.append(row.reason)

    def first_error(self, n_columns: int, bytes_max: int) -> InvalidInput:
        """Return what is wrong with the first of them."""
        place = f"Line {self.lines[0]:,} of the file"
        return (
            error_texts.ragged_rows(place, self.n_fields, n_columns),
            error_texts.ragged_rows(place, self.n_fields, n_columns),
            error_texts.unclosed_quote(place),
            error_texts.long_line(place, bytes_max),
            error_texts.wrong_encoding(place),
        )[self.reasons[0]]

    def line_of_file(self, line: int) -> int:
        """Return where a line of the file without them stands in the whole file."""
        dropped = np.frombuffer(self.dropped, np.int64)
        n_before = np.searchsorted(dropped - np.arange(len(dropped)), line, side="right")
        return line + int(n_before)

    def check_number(self) -> None:
        """Refuse a file with more of them than can be listed, as `check_share` does."""
        if len(self.lines) > _ROWS_MAX:
            self.check_share(0.0)

    def check_share(self, share_max: float) -> None:
        """Refuse the file if it has more of them than may be skipped.

        Raises
        ------
        InvalidInput
            too_many_bad_rows; with how many they are, and the lines of the first.
        """
        n_bad = len(self.lines)
        n_rows = n_bad + self.n_good
        if n_bad <= share_max * n_rows:
            return
        first = ", ".join(f"{line:,}" for line in self.lines[:10])
        raise InvalidInput(
            f"{n_bad:,} of {n_rows:,} rows cannot be read ({n_bad / n_rows:.2%}), more than the share "
            f"{share_max} (option `bad_rows_share_max`). The first stand on lines {first}. Mend them, look "
            "whether the delimiter and the quotation mark are the right ones, or allow a larger share.",
            code="too_many_bad_rows",
        )

    def table(self) -> pa.Table:
        """Return them as a table."""
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
    """Return the rows that cannot be read, and write the file without them.

    Parameters
    ----------
    source : Path
        Its lines end in LF or CRLF.
    copy : Path, optional
        Where the good rows go.
    """
    with source.open("rb") as file, (copy or Path(os.devnull)).open("wb") as target, long_fields():
        search = _Search(file, target, dialect, reading)
        search.run(first_only=first_only)
        return search.bad


class _Search:
    """Goes through a file block by block; what is not plainly a row is looked at by itself."""

    def __init__(self, file: BinaryIO, target: BinaryIO, dialect: Dialect, reading: Reading) -> None:
        self.bad = BadRows()
        self._file = file
        self._target = target
        self._dialect = dialect
        self._bytes_max = reading.limits.cell_bytes_max
        self._n_columns = len(dialect.names)
        self._line = 1

    def run(self, *, first_only: bool) -> None:
        """Look at all rows, or no further than the block of the first that is bad."""
        for _ in range(self._dialect.header_line):
            self._target.write(self._file.readline())
            self._line += 1
        held, is_last = b"", False
        while not is_last and not (first_only and self.bad.lines):
            read = self._file.read(MEBIBYTE)
            is_last = not read
            held = self._take(held + read, is_last=is_last)
            self.bad.check_number()

    def _take(self, data: bytes, *, is_last: bool) -> bytes:
        """Look at the whole rows of a block, and return what is left of it."""
        end = len(data) if is_last else data.rfind(b"\n") + 1
        if end == 0:
            return self._skip_long_line(data) if len(data) > self._bytes_max else data
        block = _Block(data[:end], self._dialect, self._bytes_max, is_last=is_last)
        for row in block.bad_rows():
            self.bad.add(self._line + row.first, row)
        self.bad.dropped.extend(
            int(index) + self._line for index in np.flatnonzero(~block.keeps[: block.n_taken])
        )
        self.bad.n_good += block.n_good()
        self._target.write(block.kept())
        self._line += block.n_taken
        return data[block.taken_bytes() :]

    def _skip_long_line(self, data: bytes) -> bytes:
        """Read on to the end of a line that is longer than any may be."""
        self.bad.add(self._line, BadRow(0, 1, _TOO_LONG))
        self.bad.dropped.append(self._line)
        self._line += 1
        while data and b"\n" not in data:
            data = self._file.read(MEBIBYTE)
        return data.partition(b"\n")[2]


class _Block:
    """Whole lines, and what is known of each of them."""

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
        self.n_taken = len(ends)

    def _count(self, character: str) -> Integers:
        """Return how often a character occurs in each line."""
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
        """Yield the rows that cannot be read; stop before a row that the block may have cut."""
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
            row = self._look_at(int(index))
            if row is None:
                self.n_taken = int(index)
                return
            following = row.first + row.n_lines
            if row.reason is None:
                self._in_record[row.first : following] = True
                self._n_records += 1
            else:
                self.keeps[row.first : following] = False
                yield row

    def _look_at(self, index: int) -> BadRow | None:
        """Return the row that begins on a line, with what is wrong with it; None if the block cuts it."""
        if self._lengths[index] > self.bytes_max:
            return BadRow(index, 1, _TOO_LONG)
        if not self._has_quote[index]:
            return self._judged(index, 1, int(self._n_fields[index]))
        lines = _Lines(self, index)
        reader = csv.reader(lines, strict=True, skipinitialspace=True, **self._dialect.for_python())
        try:
            fields = next(reader)
        except csv.Error:
            if lines.ran_out and not self._is_last and lines.n_bytes <= self.bytes_max:
                return None
            return BadRow(index, 1, _UNCLOSED)
        return self._judged(index, lines.n_read, len(fields))

    def line(self, index: int) -> str | None:
        """Return a line, each byte a character, or None behind the last."""
        return self._text(index).decode("latin-1") if index < len(self._lengths) else None

    def _judged(self, first: int, n_lines: int, n_fields: int) -> BadRow:
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
        """Return how many rows can be read."""
        is_row = self.keeps & ~self._in_record
        if self._n_columns > 1:
            is_row &= ~self._is_blank
        return int(np.count_nonzero(is_row[: self.n_taken])) + self._n_records

    def taken_bytes(self) -> int:
        """Return how long the part is that was looked at."""
        return int(self._bounds[self.n_taken])

    def kept(self) -> bytes:
        """Return the lines that are kept."""
        keeps = self.keeps[: self.n_taken]
        if keeps.all():
            return self._data[: self.taken_bytes()]
        chosen = np.repeat(keeps, self._lengths[: self.n_taken])
        kept: bytes = self._bytes[: self.taken_bytes()][chosen].tobytes()
        return kept


class _Lines:
    """The lines of a block from one on, no more of them than a row may have; for Python's reader."""

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
