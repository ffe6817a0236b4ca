"""Determine which words represent missing values in a column, and how often each word occurs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from understudy.tables.formats.csv.column_types import ColumnType
from understudy.tables.formats.csv.dialect import Dialect
from understudy.tables.notation import AnyNotation, PlainNotation

Counts = Mapping[str, int]
"""Number of missing values that each word represents. The number of empty values has the key `""`."""

_N_WORDS_MAX = 20
# Number of examined parts of a file, and the size of each part in bytes.
_N_PLACES, _PLACE_BYTES = 3, 512 * 1024


def with_words(notation: AnyNotation, counts: Counts) -> AnyNotation:
    """Return a notation with the words that represent missing values, and their shares."""
    total = sum(counts.values())
    frequent = sorted(((n, word) for word, n in counts.items() if word and n), key=lambda pair: -pair[0])
    chosen = frequent[:_N_WORDS_MAX]
    return notation.model_copy(
        update={
            "missing": tuple(word for _, word in chosen),
            "missing_shares": tuple(round(n / total, 4) for n, _ in chosen),
        }
    )


def with_read_words(type_: ColumnType, n_null: int, read: Counts) -> ColumnType:
    """Return a column's type, with the words that were parsed as missing values added to its notation.

    Parameters
    ----------
    n_null : int
        Number of missing values among the parsed fields.
    read : Counts
        Number of missing values that each word represents in the examined parts of the file.
    """
    if not n_null or not any(read.values()) or set(read) <= {""}:
        return type_
    counts = Counter({"": n_null, **type_.missing})
    counts[""] -= n_null
    n_read = sum(read.values())
    counts.update({word: round(n_null * n / n_read) for word, n in read.items()})
    notation = with_words(type_.notation or type_.written_as or PlainNotation(), counts)
    if type_.notation is not None:
        return replace(type_, notation=notation, missing=counts)
    return replace(type_, written_as=notation, missing=counts)


def count_words(
    source: Path, dialect: Dialect, words: Sequence[str], columns: Sequence[int]
) -> dict[int, Counter[str]]:
    """Count the words for missing values in unquoted fields, in up to three parts of a file.

    Parameters
    ----------
    columns : sequence of int
        Indices of the columns to examine.

    Returns
    -------
    dict
        Counts of the words by column. Empty if no word occurs.
    """
    counts: dict[int, Counter[str]] = {column: Counter() for column in columns}
    mark, known = re.escape(dialect.delimiter.encode()), {word.encode(): word for word in words}
    escaped = b"|".join(re.escape(word) for word in known if word)
    has_word = re.compile(rb"(?:^|%b) *(?:%b) *(?:%b|\r|$)" % (mark, escaped, mark), re.MULTILINE)
    parts = list(_parts(source))
    if not columns or not any(has_word.search(part) for part in parts):
        return {}
    split = _splitter(dialect)
    for line in (line for part in parts for line in part.splitlines()):
        fields = split(line)
        # A line with a different number of fields is part of a row that spans several lines.
        if len(fields) == len(dialect.names):
            for column in columns:
                if (word := known.get(fields[column].strip())) is not None:
                    counts[column][word] += 1
    return counts


def _splitter(dialect: Dialect) -> Callable[[bytes], list[bytes]]:
    """Return a function that splits a line into fields, which keep their quotation marks."""
    delimiter, n_names = dialect.delimiter.encode(), len(dialect.names)
    if not dialect.quote:
        return lambda line: line.split(delimiter)
    mark, quote = re.escape(delimiter), re.escape(dialect.quote.encode())
    quoted = re.compile(rb"((?:%b[^%b]*%b|[^%b%b])*)(?:%b|$)" % (quote, quote, quote, mark, quote, mark))

    def split(line: bytes) -> list[bytes]:
        fields = line.split(delimiter)
        # Too many fields indicate that a quoted field contains the delimiter. The last match is empty.
        return fields if len(fields) <= n_names else quoted.findall(line)[:n_names]

    return split


def _parts(source: Path) -> Iterator[bytes]:
    """Yield the beginning, the middle and the end of a file, without truncated lines."""
    size = source.stat().st_size
    with source.open("rb") as file:
        if size <= _N_PLACES * _PLACE_BYTES:
            yield file.read()
            return
        for place in range(_N_PLACES):
            file.seek((size - _PLACE_BYTES) * place // (_N_PLACES - 1))
            data = file.read(_PLACE_BYTES)
            start = 0 if place == 0 else data.find(b"\n") + 1
            yield data[start : data.rfind(b"\n") + 1]
