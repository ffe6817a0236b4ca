"""Rejection of proposals that equal a row that occurs only once in the table.

The model stores two 32-bit fingerprints of each unique row: a fingerprint of its codes for a quick
comparison, and a fingerprint of its values for the decision. By chance, one proposal in 2**32 / n_rows is
rejected although it is not a copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import fingerprints
from understudy.transformers.base import ArrowArray, Codes, CodesByColumn, Mask, NumberedRows
from understudy.transformers.categorical import N_NOMINAL_CODES_MAX, CategoricalTransformer
from understudy.transformers.integer_units import is_exact
from understudy.transformers.table import TableTransformer

Fingerprints = npt.NDArray[np.uint32]
Words = npt.NDArray[np.uint64]

# Word that represents a missing value. Other values have this word only by chance.
_MISSING = np.uint64(0xA5A5_5A5A_0F0F_F0F0)


@dataclass(frozen=True, eq=False, repr=False)
class UniqueRows:
    """Fingerprints of the rows that occur only once.

    Parameters
    ----------
    codes, values : array of shape (n_unique_rows,)
        Fingerprints of the codes and of the values, each in ascending order.
    """

    codes: Fingerprints
    values: Fingerprints

    def is_copy(
        self, table: TableTransformer, codes: CodesByColumn, seed: int, numbers: NumberedRows
    ) -> Mask:
        """Return a mask of rows that equal a unique row."""
        copied = _is_among(fingerprint_codes(codes, len(numbers)), self.codes) | _has_pool(table, codes)
        hits = np.flatnonzero(copied)
        if len(hits):
            own = {j: column[hits] for j, column in codes.items()}
            columns = table.decode_columns(sorted(own), own, seed, numbers.take(hits))
            copied[hits] = _is_among(fingerprint_values(columns, len(hits)), self.values)
        return copied


def find_unique_rows(rows: pa.Table, table: TableTransformer, codes: CodesByColumn) -> UniqueRows | None:
    """Return the fingerprints of rows that occur only once, or None if all columns have few values.

    With few values per column, different people often have equal rows, so an equal row is not evidence of
    copying.
    """
    if not any(_has_many_values(table, j) for j in codes):
        return None
    names = [table.schema.columns[j].name for j in sorted(codes)]
    columns = {name: _one_array(rows.column(name)) for name in names}
    values = fingerprint_values(columns, rows.num_rows)
    order = np.argsort(values)
    is_new = np.concatenate(([True], values[order[1:]] != values[order[:-1]], [True]))
    single = order[is_new[1:] & is_new[:-1]]
    return UniqueRows(
        _distinct(_shorten(fingerprint_codes(codes, rows.num_rows)[single])),
        _distinct(_shorten(values[single])),
    )


def _distinct(words: Fingerprints) -> Fingerprints:
    """Return the distinct words in ascending order. For many distinct words, `np.unique` is slower."""
    ordered = np.sort(words)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))[: len(ordered)]]


def fingerprint_codes(codes: CodesByColumn, n: int) -> Words:
    """Return a fingerprint of the codes of every row."""
    words = np.zeros(n, np.uint64)
    for j in sorted(codes):
        fingerprints.add_words(codes[j].astype(np.uint64), np.uint64(j), words)
    return words


def fingerprint_values(columns: Mapping[str, ArrowArray], n: int) -> Words:
    """Return a fingerprint of the values of every row."""
    words = np.zeros(n, np.uint64)
    for place, array in enumerate(columns.values()):
        fingerprints.add_words(_words(array), np.uint64(place), words)
    return words


def _words(array: ArrowArray) -> Words:
    """Return a 64-bit word for every value. Words of different values are equal only by chance."""
    type_ = array.type
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return _words_of_texts(array)
    if pa.types.is_decimal128(type_):
        data = array.buffers()[1]
        halves = np.frombuffer(memoryview(data) if data else b"", np.uint64)
        words = halves[2 * array.offset :][: 2 * len(array) : 2].copy()
    elif pa.types.is_boolean(type_):
        words = np.asarray(array.fill_null(False).to_numpy(zero_copy_only=False)).astype(np.uint64)
    elif is_exact(type_) and not pa.types.is_integer(type_):
        width = pa.int32() if type_.bit_width == 32 else pa.int64()
        words = _numbers(array.view(width)).astype(np.int64).view(np.uint64)
    elif pa.types.is_integer(type_):
        words = _numbers(array).astype(np.int64, casting="unsafe").view(np.uint64)
    else:
        # Positive and negative zero become equal, and so do all bit patterns of NaN.
        numbers = np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64) + 0.0
        words = np.where(np.isnan(numbers), _MISSING, numbers.view(np.uint64))
    return _without_missing(words, array)


def _numbers(array: ArrowArray) -> npt.NDArray[Any]:
    numbers: npt.NDArray[Any] = array.fill_null(0).to_numpy(zero_copy_only=False)
    return numbers


def _words_of_texts(array: ArrowArray) -> Words:
    encoded: Any = array.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    digests = [hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts]
    of_level = np.frombuffer(b"".join(digests) + bytes(8), np.uint64)
    index = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    return _without_missing(of_level[index], array)


def _without_missing(words: Words, array: ArrowArray) -> Words:
    if not array.null_count:
        return words
    return np.where(array.is_null().to_numpy(zero_copy_only=False), _MISSING, words)


def _shorten(words: Words) -> Fingerprints:
    return (words >> np.uint64(32)).astype(np.uint32)


def _is_among(words: Words, ordered: Fingerprints) -> Mask:
    found: Mask = fingerprints.is_among(_shorten(words), ordered)
    return found


def _has_pool(table: TableTransformer, codes: CodesByColumn) -> Mask:
    """Return a mask of rows with a pooled level. The codes of these rows do not determine their values."""
    has_pool = np.zeros(len(next(iter(codes.values()))), np.bool_)
    for j, column in codes.items():
        transformer = table.columns[j]
        if isinstance(transformer, CategoricalTransformer) and not transformer.is_exact.all():
            has_pool |= ~transformer.is_exact[column]
    return has_pool


def _has_many_values(table: TableTransformer, j: int) -> bool:
    return table.columns[j].n_codes > N_NOMINAL_CODES_MAX or not (
        isinstance(table.columns[j], CategoricalTransformer) or bool(table.columns[j].is_exact.all())
    )


def _one_array(values: pa.ChunkedArray[Any]) -> ArrowArray:
    chunks: list[ArrowArray] = values.chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)


def choose_columns(codes: list[Codes], table: TableTransformer, left_out: set[str]) -> dict[int, Codes]:
    """Return the codes of the columns that are compared."""
    return {j: own for j, own in enumerate(codes) if table.schema.columns[j].name not in left_out}
