"""Detect the delimiter, quote character and header of a CSV file from samples throughout the file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.errors import InvalidInput
from understudy.parameters.read_options import ReadOptions
from understudy.tables.formats.canonical import check_columns
from understudy.tables.formats.csv.header import Beginning, find_header
from understudy.tables.formats.csv.notes import find_removal
from understudy.tables.formats.csv.removal import NO_REMOVAL, Removal
from understudy.tables.formats.csv.sampling import agreement, python_dialect, sample_rows, split_lines
from understudy.tables.formats.csv.spaces import WHITESPACE, separator_of
from understudy.tables.formats.layout import placeholder_names, renaming_warnings, unique_names
from understudy.tables.formats.scan import ReadLimits
from understudy.tables.inference import check_names

_DELIMITERS = (",", "\t", ";", "|")
_QUOTES = ('"', "'")
# Number of additional samples, which are taken at even intervals after the beginning of the file.
_N_PLACES = 10
_PLACE_BYTES = 32 * 1024
# Number of lines at the start of the file that are searched for an unusual delimiter.
_LINES_MAX = 200
_SEPARATOR_LINE = re.compile(r"sep=([,;|\t])\r?\n", re.IGNORECASE)
# Header in the default format of R's `write.table`.
_SPACED_NAMES = re.compile(r'"[^"\r\n]*"(?: "[^"\r\n]*")+\r?\n')
# The single quotation mark is the quote character if it encloses at least this share of a column's values.
_MOST = 0.9
# The double quotation mark does not fit a file if less than this share of rows has as many fields as the
# header.
_SAME_MAX = 0.5


@dataclass(frozen=True)
class Dialect:
    """The dialect of a file: its delimiter, its quote character, and the names and position of its header.

    Parameters
    ----------
    quote : str
        Quote character, or an empty string.
    n_lines_before, header_line : int
        Number of skipped lines before the last header line, and the number of the line where the header ends.
    unnamed : frozenset of int
        Indices of the columns without a name in the file. Their names in `names` are generated.
    removal : Removal
        Lines that have to be removed before the file is parsed.
    """

    delimiter: str
    names: tuple[str, ...]
    n_lines_before: int = 0
    header_line: int = 1
    quote: str = '"'
    warnings: tuple[str, ...] = ()
    unnamed: frozenset[int] = frozenset()
    removal: Removal = NO_REMOVAL

    @property
    def has_header(self) -> bool:
        """Whether a line of the file contains the column names."""
        return self.header_line > self.n_lines_before

    def for_python(self) -> dict[str, Any]:
        """Return the dialect as arguments for Python's CSV reader."""
        return python_dialect(self.delimiter, self.quote)


def read_dialect(path: Path, limits: ReadLimits, options: ReadOptions | None = None) -> Dialect:
    """Detect the dialect that gives the most sampled rows the same number of fields as the header.

    Options take precedence over detection.

    Raises
    ------
    InvalidInput
        If no dialect can be detected. The code is empty_file, invalid_header, unclosed_quote,
        too_many_columns, or unreadable_file (if the first line is too long).
    """
    options = options or ReadOptions()
    text, is_whole = _beginning(path, limits.cell_bytes_max)
    if not text.strip():
        raise InvalidInput(
            "The start of the file contains only whitespace. Upload a file that starts with a header line.",
            code="empty_file",
        )
    n_lines_before = len(text[: len(text) - len(text.lstrip("\r\n"))].splitlines())
    given = "\t" if options.delimiter == WHITESPACE else options.delimiter
    text = text.lstrip("\r\n")
    if separator := _SEPARATOR_LINE.match(text):
        n_lines_before, text = n_lines_before + 1, text[separator.end() :]
        delimiters: Sequence[str] = [given or separator[1]]
    else:
        delimiters = [given] if given else _possible_delimiters(text)
    is_unusual = given is None and delimiters[0] not in _DELIMITERS
    places = [text] + ([] if is_whole else _places(path, limits.cell_bytes_max))
    given_quote = {"none": ""}.get(options.quote or "", options.quote)
    quote = given_quote if given_quote is not None else _find_quote(places, delimiters, is_whole=is_whole)
    samples = {
        delimiter: sample_rows(places, delimiter, quote, is_whole=is_whole) for delimiter in delimiters
    }
    if not any(samples.values()):
        raise _without_header(text, limits, quote, is_whole=is_whole)
    beginning = Beginning(text, n_lines_before, is_whole=is_whole)
    header = find_header(beginning, samples, quote, options)
    check_columns(len(header.names), limits)
    is_named = any(map(str.strip, header.names))
    complete = placeholder_names(header.names) if is_named else header.names
    names = unique_names(complete) if is_named else complete
    check_names(names)
    removal = find_removal(path, beginning, header, quote)
    quote_warnings = (
        "Single quotation marks were read as the quote character. Set the option `quote` to change this.",
    ) * (quote == "'" and given_quote is None)
    delimiter_warnings = (
        f"The character {delimiters[0]!r} was read as the delimiter. Set the option `delimiter` to "
        "change this.",
    ) * is_unusual
    return Dialect(
        header.delimiter,
        tuple(names),
        header.n_lines_before,
        header.last_line,
        quote,
        (*delimiter_warnings, *quote_warnings, *header.warnings, *renaming_warnings(complete, names)),
        frozenset(index for index, name in enumerate(header.names) if not name.strip()),
        removal,
    )


def _possible_delimiters(text: str) -> Sequence[str]:
    if _SPACED_NAMES.match(text):
        return (*_DELIMITERS, " ")
    if any(delimiter in _first_line(text) for delimiter in _DELIMITERS):
        return _DELIMITERS
    other = separator_of([line.strip("\r\n") for line in split_lines(text)[:_LINES_MAX] if line.strip()][:-1])
    return [other] if other else _DELIMITERS


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _beginning(path: Path, size: int) -> tuple[str, bool]:
    with path.open("rb") as file:
        data = file.read(size + 1)
    # The whole text is valid (see decoding.py), so a character can be split only at the end of this sample.
    text = data[:size].decode("utf-8-sig", errors="ignore")
    return text, len(data) <= size


def _places(path: Path, start: int) -> list[str]:
    """Return samples of whole lines from evenly spaced positions in the file."""
    size = path.stat().st_size
    texts = []
    with path.open("rb") as file:
        for index in range(_N_PLACES):
            file.seek(start + (size - start) * index // _N_PLACES)
            data = file.read(_PLACE_BYTES)
            lines = data.splitlines(keepends=True)[1:-1]
            texts.append(b"".join(lines).decode("utf-8", errors="ignore"))
    return texts


def _find_quote(places: Sequence[str], delimiters: Sequence[str], *, is_whole: bool) -> str:
    """Return the quote character: `'` if it encloses most values of a column, and otherwise `"`."""
    if not any("'" in text for text in places):
        return '"'
    best = {
        quote: max(
            agreement(sample_rows(places, delimiter, quote, is_whole=is_whole)) for delimiter in delimiters
        )
        for quote in _QUOTES
    }
    if best["'"] < best['"']:
        return '"'
    if best["'"][1] == 1 and best['"'][1] < _SAME_MAX:
        return "'"
    delimiter = max(
        delimiters, key=lambda candidate: agreement(sample_rows(places, candidate, "'", is_whole=is_whole))
    )
    raw = [row for row in sample_rows(places, delimiter, "", is_whole=is_whole) if len(row) == best["'"][2]]
    fields = [field for row in raw for field in row]
    if len(raw) < 2 or any(field.startswith('"') for field in fields):
        return '"'
    return "'" if any(_is_single_quoted(column) for column in zip(*raw, strict=True)) else '"'


def _is_single_quoted(column: Sequence[str]) -> bool:
    values = [value for value in column[1:] if value]
    quoted = sum(len(value) >= 2 and value[0] == value[-1] == "'" for value in values)
    return bool(values) and quoted >= _MOST * len(values)


def _without_header(text: str, limits: ReadLimits, quote: str, *, is_whole: bool) -> InvalidInput:
    check_columns(max(text.count(delimiter) for delimiter in _DELIMITERS) + 1, limits)
    if is_whole or (quote and quote in text):
        return InvalidInput(
            "A quoted name in the first line is not closed. Add the closing quotation mark.",
            code="unclosed_quote",
        )
    return InvalidInput(
        f"The first line is longer than {limits.cell_bytes_max:,} bytes, so it cannot be a header. "
        "Upload a CSV file with a header line.",
        code="unreadable_file",
    )
