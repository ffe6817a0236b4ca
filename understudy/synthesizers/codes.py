"""Search for codes and labels that correspond one to one, and for columns that codes determine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.rules.significance import evidence_of_groups, is_significant, surprises
from understudy.tables.inference import is_generated_column
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.base import MIN_SUPPORT, ArrowColumn
from understudy.transformers.generated.recognition import recognize_subject
from understudy.transformers.table_fitting import declared_subjects

Int64s = npt.NDArray[np.int64]

# Number of rows in the first comparison of two columns. The second comparison uses all rows.
N_ROWS_FIRST = 4096


def find_labels(rows: pa.Table, schema: TableSchema) -> dict[str, str]:
    """Return the code column of each label column. Codes and labels correspond one to one.

    The correspondence is exact in all rows, and a missing value counts as a level. Several codes may lack a
    label. Columns without rare levels are omitted, because they are learned like other columns. Generated
    subject columns are omitted too.
    """
    columns = {c.name: rows.column(c.name) for c in schema.columns if _is_candidate(c, rows.column(c.name))}
    subjects = declared_subjects(rows, schema)
    for name in schema.subject:
        if name in columns and recognize_subject(schema.column(name), columns[name], subjects) is not None:
            del columns[name]
    if not _may_correspond(columns):
        return {}
    numbers = {name: own for name, values in columns.items() if (own := _number_rare(values)) is not None}
    is_text = {name: not pa.types.is_integer(columns[name].type) for name in numbers}
    is_declared = {name: schema.column(name).domain is not None for name in numbers}
    # The column with more levels is the code. If the numbers of levels are equal, a column with a declared
    # domain takes precedence.
    names = sorted(numbers, key=lambda name: (-int(numbers[name].max()), not is_declared[name]))
    code_of: dict[str, str] = {}
    for label in names[1:]:
        for code in names[: names.index(label)]:
            is_pair = code not in code_of and (is_text[code] or is_text[label])
            # Made-up labels would be outside a declared domain.
            is_pair = is_pair and is_declared[code] >= is_declared[label]
            if is_pair and _correspond(numbers[code], numbers[label], columns[label], len(names)):
                code_of[label] = code
                break
    return code_of


def _is_candidate(column: Column, values: ArrowColumn) -> bool:
    has_bounds = column.domain is not None and not column.domain.levels
    if has_bounds or is_generated_column(column, values.type):
        return False
    if pa.types.is_integer(values.type):
        return column.kind in (ColumnKind.category, ColumnKind.integer)
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    return is_text and column.kind is ColumnKind.category


def _may_correspond(columns: dict[str, ArrowColumn]) -> bool:
    """Return whether a text column with rare levels corresponds to another column in the first rows."""
    texts = {
        name
        for name, values in columns.items()
        if not pa.types.is_integer(values.type) and _number_rare(values) is not None
    }
    if not texts:
        return False
    first = {name: number_levels(values.slice(0, N_ROWS_FIRST)) for name, values in columns.items()}
    return any(
        name != text and (determines(first[name], first[text]) or determines(first[text], first[name]))
        for text in texts
        for name in columns
    )


def _number_rare(values: ArrowColumn) -> Int64s | None:
    """Return the index of each row's level, or None if no level is rare or almost all levels are unique."""
    numbers = number_levels(values)
    counts = np.bincount(numbers)
    has_rare = bool((counts < MIN_SUPPORT).any())
    return numbers if has_rare and 1 < len(counts) <= len(numbers) - MIN_SUPPORT else None


def number_levels(values: ArrowColumn) -> Int64s:
    """Return the index of each row's level. A missing value counts as a level."""
    encoded = values.combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False)).astype(np.int64)


def _correspond(code: Int64s, label: Int64s, labels: ArrowColumn, n_columns: int) -> bool:
    """Return whether each code has one label, and each label that is not missing has one code."""
    if not (determines(code[:N_ROWS_FIRST], label[:N_ROWS_FIRST]) and determines(code, label)):
        return False
    present = np.asarray(labels.is_valid().to_numpy())
    return determines(label[present], code[present]) and is_evident(code, label, n_columns**2)


def determines(determinant: Int64s, dependent: Int64s) -> bool:
    """Return whether each level of one column occurs with only one level of another column."""
    value = np.zeros(int(determinant.max(initial=-1)) + 1, np.int64)
    value[determinant] = dependent
    return bool((value[determinant] == dependent).all())


def is_evident(determinant: Int64s, dependent: Int64s, n_hypotheses: int) -> bool:
    """Return whether a functional dependency is significant, given the number of tested hypotheses."""
    value = np.zeros(int(determinant.max()) + 1, np.int64)
    value[determinant] = dependent
    surprise = surprises(np.bincount(dependent))
    return is_significant(evidence_of_groups(np.bincount(determinant), surprise[value]), n_hypotheses)


def determined_columns(code: str, rows: pa.Table, names: list[str]) -> Iterator[str]:
    """Yield the columns that a code determines in all rows. A missing value counts as a value."""
    numbers = number_levels(rows.column(code))
    for name in names:
        if name == code:
            continue
        first = number_levels(rows.column(name).slice(0, N_ROWS_FIRST))
        if determines(numbers[:N_ROWS_FIRST], first):
            own = number_levels(rows.column(name))
            if determines(numbers, own) and is_evident(numbers, own, len(names) ** 2):
                yield name
