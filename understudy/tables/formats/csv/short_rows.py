"""Pad rows with omitted last fields. Some programs omit the last fields of a row if they are blank."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from understudy.tables.formats.csv.dialect import Dialect
from understudy.tables.formats.csv.lines import long_fields

# Minimum share of rows that lack fields. If fewer rows lack fields, these rows may be damaged.
_SHARE_MIN = 0.05
_N_MIN = 3
_LINES_SHOWN = 3


@dataclass(frozen=True)
class ShortRows:
    """The rows that lack fields at their ends.

    Parameters
    ----------
    n_absent : mapping of int to int
        Number of omitted fields in each short row, keyed by the row's last line number.
    n_rows : int
        Total number of rows.
    """

    n_absent: Mapping[int, int]
    n_rows: int

    def warning(self) -> str:
        """Return the message about these rows."""
        lines = ", ".join(f"{line:,}" for line in list(self.n_absent)[:_LINES_SHOWN])
        return (
            f"{len(self.n_absent):,} of {self.n_rows:,} rows have fewer fields than the header (first on "
            f"lines {lines}). Their last columns were read as missing values. Set the option `bad_rows` to "
            "`skip` to leave these rows out."
        )

    def pad(self, source: Path, target: Path, delimiter: str) -> None:
        """Copy a file and add the omitted delimiters. Line numbers do not change."""
        mark = delimiter.encode()
        with source.open("rb") as file, target.open("wb") as copy:
            for number, line in enumerate(file, start=1):
                content = line.rstrip(b"\r\n")
                copy.write(content + mark * self.n_absent.get(number, 0) + line[len(content) :])


def find_short_rows(source: Path, dialect: Dialect) -> ShortRows | None:
    """Return the rows that lack fields at their ends, or None if the rows may be damaged in another way.

    If no complete row ends with a blank field, the program that wrote the file probably omits blank fields at
    the ends of rows. A line break in an unquoted field also produces short rows. However, it splits one row
    into two, which together have one more field than the header.
    """
    width = len(dialect.names)
    absent: dict[int, int] = {}
    n_rows = n_broken = 0
    previous = width
    with (
        source.open("r", encoding="utf-8", errors="surrogateescape", newline="") as file,
        long_fields(),
    ):
        reader = csv.reader(file, **dialect.for_python())
        try:
            for cells in reader:
                if reader.line_num <= dialect.header_line or not cells:
                    continue
                if not _is_complete_or_short(cells, width):
                    return None
                n_rows += 1
                if len(cells) < width:
                    absent[reader.line_num] = width - len(cells)
                    n_broken += len(cells) + previous == width + 1
                previous = len(cells)
        except csv.Error:
            return None
    is_common = len(absent) >= max(_N_MIN, _SHARE_MIN * n_rows) and len(absent) < n_rows
    return ShortRows(absent, n_rows) if is_common and 4 * n_broken < len(absent) else None


def _is_complete_or_short(cells: list[str], width: int) -> bool:
    """Return whether a row has at most as many fields as the header, and its last field is not blank."""
    return min(2, width) <= len(cells) <= width and bool(cells[-1].strip())
