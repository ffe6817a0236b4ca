"""Read a whole CSV file, either in strict mode or without the rows that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from understudy.tables.formats.csv import bad_rows, error_texts, parsing
from understudy.tables.formats.csv.bad_rows import find_bad_rows
from understudy.tables.formats.csv.decoding import Text, unify_line_endings
from understudy.tables.formats.csv.dialect import Dialect
from understudy.tables.formats.csv.lines import has_lone_returns, lines_of_rows
from understudy.tables.formats.csv.short_rows import ShortRows, find_short_rows
from understudy.tables.formats.csv.staging import Staged, stage
from understudy.tables.formats.scan import Reading


@dataclass(frozen=True)
class Readable:
    """The readable part of a file.

    Parameters
    ----------
    source : Path
        Path of the UTF-8 text that was parsed, without the bad rows.
    bad : BadRows or None
        Skipped rows.
    short : ShortRows, optional
        Rows with omitted last fields, which are read as missing values.
    """

    source: Path
    staged: Staged
    bad: bad_rows.BadRows | None
    short: ShortRows | None = None

    def rejects(self) -> pa.Table | None:
        """Return the skipped rows as a table."""
        return self.bad.table() if self.bad else None

    def warnings(self) -> Iterator[str]:
        """Yield a warning with the number of skipped or padded rows."""
        if self.short:
            yield self.short.warning()
        if self.bad:
            n_bad = len(self.bad.lines)
            were = "was" if n_bad == 1 else "were"
            yield f"{n_bad:,} of {n_bad + self.bad.n_good:,} rows could not be read and {were} skipped."

    def places(self, dialect: Dialect) -> list[str]:
        """Return, for each column, the lines of the values that make it text, or an empty string."""
        types = self.staged.types
        odd = sorted({row for type_ in types for row in type_.odd_rows})
        if not odd:
            return [""] * len(types)
        lines_in_source = lines_of_rows(self.source, dialect, odd, self.staged.n_rows)
        lines = {
            row: self.bad.line_of_file(line) if self.bad else line for row, line in lines_in_source.items()
        }
        places = []
        for type_ in types:
            known = [f"{lines[row]:,}" for row in type_.odd_rows if row in lines]
            place = (
                f" ({'line' if len(known) == 1 else 'first on lines'} {', '.join(known)})" if known else ""
            )
            places.append(place)
        return places


def read_rows(text: Text, dialect: Dialect, reading: Reading) -> Readable:
    """Read all rows of a file.

    Raises
    ------
    InvalidInput
        If a row cannot be read. The code is ragged_rows, unclosed_quote, wrong_encoding or unreadable_file,
        and the message contains the line. If the file has too many such rows, the code is too_many_bad_rows.
    TooLarge
        If the table has too many rows (code too_many_rows).
    """
    source = text.path
    if text.longest_line_bytes > reading.limits.cell_bytes_max:
        # In tests, DuckDB treated a line that is longer than its buffer as the end of the file.
        fault = parsing.UnreadableRow(error_texts.long_line("A line", reading.limits.cell_bytes_max))
        return _without_bad_rows(source, dialect, reading, fault)
    try:
        return Readable(source, stage(source, dialect, reading), None)
    except parsing.MixedLineEndings:
        source = unify_line_endings(source, reading.scratch / "lines.csv")
    except parsing.UnreadableRow as fault:
        return _without_bad_rows(source, dialect, reading, fault)
    try:
        return Readable(source, stage(source, dialect, reading), None)
    except parsing.UnreadableRow as fault:
        return _without_bad_rows(source, dialect, reading, fault)


def _without_bad_rows(
    source: Path, dialect: Dialect, reading: Reading, fault: parsing.UnreadableRow
) -> Readable:
    if has_lone_returns(source):
        source = unify_line_endings(source, reading.scratch / "lines.csv")
    short = find_short_rows(source, dialect) if reading.options.bad_rows == "fail" else None
    if short:
        padded = reading.scratch / "padded.csv"
        short.pad(source, padded, dialect.delimiter)
        with suppress(parsing.UnreadableRow):
            return Readable(padded, stage(padded, dialect, reading), None, short)
    if reading.options.bad_rows == "fail":
        bad = find_bad_rows(source, dialect, reading, first_only=True)
        raise (
            bad.first_error(len(dialect.names), reading.limits.cell_bytes_max) if bad.lines else fault.error
        ) from None
    copy = reading.scratch / "rows.csv"
    bad = find_bad_rows(source, dialect, reading, copy=copy)
    bad.check_share(reading.options.bad_rows_share_max)
    try:
        return Readable(copy, stage(copy, dialect, reading), bad)
    except parsing.UnreadableRow as fault:
        raise fault.error from None
