"""Search for the generated columns that identify entities because their values repeat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.tables.placeholders import find_placeholders
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.base import MIN_SUPPORT, ArrowColumn
from understudy.transformers.generated.recognition import Recognition, recognize, recognize_subject
from understudy.transformers.table_fitting import number_subjects

# Minimum number of rows that repeat the key of an earlier row, and their minimum share of all rows with a
# key.
N_REPEATS_MIN, REPEATED_MIN = MIN_SUPPORT, 0.01
# Maximum ratio between the numbers of entities in two nested groups. Above this ratio, the coarser key is a
# property of the finer entity, such as the name of a customer.
NESTED_MAX = 0.8
# Maximum ratio for names. This ratio is lower, because several customers may have the same name.
NESTED_NAMES_MAX = 0.4
# Forms of names and addresses that identify a person or a place. First names and cities are too common to do
# so.
_WHOLE_FORMS = frozenset({"full", "last_comma_first", "login"})
_KINDS_OF_PARTS = frozenset({ColumnKind.name, ColumnKind.address})
# Kinds of columns that are preferred as the keys of an entity.
_PREFERRED = (ColumnKind.identifier, ColumnKind.national_id, ColumnKind.email, ColumnKind.name)

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class KeyColumn:
    """Columns that identify entities.

    Parameters
    ----------
    columns : tuple of int
        Generated columns of the key.
    values : array of shape (n_rows,)
        Integer that represents the key in each row, or -1 if the key is missing or a placeholder.
    preference : int
        Rank of the columns among the keys of the same entities. The lowest rank comes first.
    nested_max : float
        Maximum ratio of the number of distinct keys to the number of distinct finer keys. Up to this ratio,
        both keys have separate entities.
    """

    columns: tuple[int, ...]
    values: Int64s
    preference: int
    nested_max: float = NESTED_MAX

    @property
    def n_missing(self) -> int:
        """Number of rows without a key."""
        return int((self.values < 0).sum())

    @property
    def n_values(self) -> int:
        """Number of distinct keys."""
        return int(self.values.max(initial=-1)) + 1


def find_keys(table: pa.Table, schema: TableSchema) -> list[KeyColumn]:
    """Return the keys with repeated values."""
    subjects = number_subjects(table.select(list(schema.subject))) if schema.subject else None
    generated: dict[int, Recognition] = {}
    for j, (column, values) in enumerate(zip(schema.columns, table.columns, strict=True)):
        recognition = recognize(column, values)
        if recognition is None and column.name in schema.subject:
            recognition = recognize_subject(column, values, subjects)
        if recognition is not None:
            generated[j] = recognition
    return list(_repeated(table, schema, generated))


def _repeated(table: pa.Table, schema: TableSchema, generated: dict[int, Recognition]) -> Iterator[KeyColumn]:
    parts = _parts_of_subject(schema, generated)
    if parts:
        values = number_subjects(table.select(list(schema.subject)))
        yield KeyColumn(parts, np.unique(values, return_inverse=True)[1].astype(np.int64), 0)
    first, last = (
        [j for j, own in generated.items() if own.kind is ColumnKind.name and own.form == form]
        for form in ("first", "last")
    )
    if len(first) == len(last) == 1:
        # A first-name column and a last-name column together identify a person.
        both = table.select([schema.columns[j].name for j in (*first, *last)])
        values = np.unique(number_subjects(both), return_inverse=True)[1].astype(np.int64)
        values[np.any([np.asarray(own.is_null()) for own in both.columns], axis=0)] = -1
        if _is_repeated(values):
            yield KeyColumn((*first, *last), values, _PREFERRED.index(ColumnKind.name), NESTED_NAMES_MAX)
    for j, recognition in generated.items():
        # Free text, log lines and JSON can repeat, but they do not identify anything.
        if recognition.kind is ColumnKind.text and schema.columns[j].name not in schema.subject:
            continue
        is_whole = recognition.kind not in _KINDS_OF_PARTS or recognition.form in _WHOLE_FORMS
        if j in parts or not is_whole or schema.primary_key == (schema.columns[j].name,):
            continue
        values = _number_keys(schema.columns[j], table.column(j))
        if _is_repeated(values):
            is_preferred = recognition.kind in _PREFERRED
            rank = _PREFERRED.index(recognition.kind) if is_preferred else len(_PREFERRED)
            is_name = recognition.kind is ColumnKind.name
            yield KeyColumn((j,), values, rank, NESTED_NAMES_MAX if is_name else NESTED_MAX)


def _parts_of_subject(schema: TableSchema, generated: dict[int, Recognition]) -> tuple[int, ...]:
    """Return the generated columns that together identify the subject, if several columns declare it."""
    if len(schema.subject) < 2:
        return ()
    return tuple(j for j in generated if schema.columns[j].name in schema.subject)


def _number_keys(column: Column, values: ArrowColumn) -> Int64s:
    """Return an integer for each distinct key, or -1 for keys that are missing or a placeholder."""
    encoded = values.combine_chunks().dictionary_encode()
    codes = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)).astype(np.int64)
    if pa.types.is_integer(values.type):
        return codes
    is_placeholder = find_placeholders(encoded.dictionary)
    if not is_placeholder.any():
        return codes
    new = np.append(np.where(is_placeholder, -1, np.cumsum(~is_placeholder) - 1), -1)
    return new[codes].astype(np.int64)


def _is_repeated(values: Int64s) -> bool:
    present = values[values >= 0]
    n_repeats = len(present) - (int(present.max(initial=-1)) + 1)
    return n_repeats >= max(N_REPEATS_MIN, REPEATED_MIN * len(present))
