"""Fit the transformers for all columns in a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.progress import no_progress
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.tables.validation import check_columns
from understudy.transformers import generated
from understudy.transformers.association import order_levels
from understudy.transformers.base import (
    ArrowArray,
    ArrowColumn,
    Codes,
    Subjects,
    Transformer,
)
from understudy.transformers.boolean import fit_boolean
from understudy.transformers.categorical import (
    N_NOMINAL_CODES_MAX,
    CategoricalTransformer,
    fit_categorical,
    has_shared_level,
)
from understudy.transformers.generated.recognition import recognize, recognize_subject
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.integer_units import is_exact
from understudy.transformers.labels import fit_labels
from understudy.transformers.numeric import fit_numeric
from understudy.transformers.table import TableTransformer

# A progress callback. Its arguments are the phase and the completed fraction.
Report = Callable[[str, float], None]

# Default for tables without entities: no column has separate subjects.
NO_SUBJECTS: Mapping[str, Subjects] = {}

# Default for tables without code columns: no column contains labels.
NO_LABELS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Execution:
    """Locale for generated values, number of threads and progress callback for a fit."""

    locale: str
    n_threads: int = 1
    report: Report = no_progress


def fit_table(
    table: pa.Table,
    schema: TableSchema,
    execution: Execution,
    subjects_of: Mapping[str, Subjects] = NO_SUBJECTS,
    code_of: Mapping[str, str] = NO_LABELS,
) -> tuple[TableTransformer, list[Codes]]:
    """Fit every column of a table and return the transformer and the codes of each column.

    Parameters
    ----------
    subjects_of : mapping of str to array of shape (n_rows,)
        Subjects of some columns, which replace the subjects that the schema declares.
    code_of : mapping of str to str
        For each label column, the name of its code column. The values of the two columns correspond one to
        one.

    Raises
    ------
    InvalidInput
        If the table has no rows or does not conform to the schema, or if a column cannot be synthesized.
    """
    check_table(table, schema)
    report = execution.report
    report("encoding", 0.0)
    subjects = declared_subjects(table, schema)

    def fit(column: Column, values: ArrowColumn) -> tuple[Transformer, Codes]:
        own, is_of_subject = subjects_of.get(column.name, subjects), column.name in schema.subject
        if column.name in {*code_of, *code_of.values()}:
            make_up = partial(_make_up_levels, locale=execution.locale)
            return fit_categorical(column, values, own, make_up, is_code=True)
        return fit_column(column, values, own, locale=execution.locale, is_of_subject=is_of_subject)

    fitted: list[tuple[Any, Codes]] = []
    with ThreadPoolExecutor(execution.n_threads) as pool:
        for pair in pool.map(fit, schema.columns, table.columns):
            fitted.append(pair)
            report("encoding", len(fitted) / len(schema.columns))
    fitted = _with_labels(_order_large_categories(fitted), table, code_of, execution.locale)
    if any(isinstance(transformer, GeneratedTransformer) for transformer, _ in fitted):
        fitted = _relate_generated(fitted, table, schema, subjects, subjects_of)
    return TableTransformer(schema, tuple(t for t, _ in fitted)), [codes for _, codes in fitted]


def _make_up_levels(levels: ArrowArray, n: int, locale: str) -> ArrowArray | None:
    return generated.make_up_levels(levels, n, locale)


def _relate_generated(
    fitted: list[tuple[Any, Codes]],
    table: pa.Table,
    schema: TableSchema,
    subjects: Subjects | None,
    subjects_of: Mapping[str, Subjects],
) -> list[tuple[Any, Codes]]:
    """Return the fitted columns, with generated values that agree with each other and with other columns."""
    columns, values = schema.columns, table.columns
    fitted = generated.name_people(fitted, schema.names, values)
    fitted = generated.place_towns(fitted, columns, values)
    counted_by = {name: subjects_of.get(name, subjects) for name in schema.names}
    fitted = generated.place_postal_codes(fitted, columns, values, counted_by)
    units = {id(own): own for own in (subjects, *subjects_of.values()) if own is not None}
    return generated.compose_identifiers(fitted, columns, values, list(units.values()))


def _with_labels(
    fitted: list[tuple[Any, Codes]], table: pa.Table, code_of: Mapping[str, str], locale: str
) -> list[tuple[Any, Codes]]:
    """Return the fitted columns, with label columns that share the codes of their code columns."""
    labeled, names = list(fitted), table.column_names
    for name_of_code in dict.fromkeys(code_of.values()):
        place = names.index(name_of_code)
        places = [names.index(n) for n, own in code_of.items() if own == name_of_code]
        labels = {j: (table.column(j), fitted[j][0].levels.slice(0, fitted[j][0].n_kept)) for j in places}
        make_up = partial(_make_up_levels, locale=locale)
        code, codes = fitted[place]
        code, own_labels = fit_labels(place, code, table.column(name_of_code), labels, make_up)
        labeled[place] = code, codes
        for j, label in own_labels.items():
            labeled[j] = label, codes
    return labeled


def check_table(table: pa.Table, schema: TableSchema) -> None:
    """Raise `InvalidInput` unless the table has rows and exactly the schema's columns."""
    expected = schema.to_arrow()
    if table.column_names != expected.names:
        check_columns(table.column_names, expected.names)
        raise InvalidInput(
            "The table's columns are not in the order of the schema. Select them in that order.",
            code="schema_mismatch",
        )
    for field, column in zip(expected, table.columns, strict=True):
        if column.type != field.type:
            raise InvalidInput(
                f"Column {field.name!r} has type {column.type}, but the schema requires {field.type}. "
                "Convert the column or change the schema.",
                code="schema_mismatch",
            )
        if not field.nullable and column.null_count:
            raise InvalidInput(
                f"Column {field.name!r} has missing values, but the schema does not allow any. "
                "Fill them in or make the column nullable.",
                code="schema_mismatch",
            )
    if not table.num_rows:
        raise InvalidInput("The table has no rows. Add at least one row.", code="no_rows")


def declared_subjects(table: pa.Table, schema: TableSchema) -> Subjects | None:
    """Return the declared subject of each row, or None if the schema declares no subject."""
    return number_subjects(table.select(list(schema.subject))) if schema.subject else None


def number_subjects(columns: pa.Table) -> Subjects:
    """Return the subject of each row, as one integer for each distinct combination of values.

    Missing values count as equal, so all rows without a subject belong to one unknown subject.
    """
    numbers = np.zeros(columns.num_rows, np.int64)
    for column in columns.columns:
        # `Any` is needed because the stubs lack the indices of a dictionary array.
        encoded: Any = _one_array(column).dictionary_encode(null_encoding="encode")
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        numbers = numbers * len(encoded.dictionary) + codes
        if columns.num_columns > 1:
            # Combinations are renumbered after each column because the product of sizes may exceed 64 bits.
            numbers = np.unique(numbers, return_inverse=True)[1].astype(np.int64)
    return numbers


def fit_column(
    column: Column,
    values: ArrowColumn,
    subjects: Subjects | None = None,
    *,
    locale: str = "en",
    is_of_subject: bool = False,
) -> tuple[Transformer, Codes]:
    """Fit one column and return its transformer and its codes.

    Parameters
    ----------
    subjects : array of shape (n_rows,), optional
        Subject of each row. If given, at least k subjects instead of k rows must share a value.
    is_of_subject : bool
        Whether the column is one of the subject columns.
    """
    recognition = recognize(column, values)
    if recognition is None and is_of_subject:
        recognition = recognize_subject(column, values, subjects)
    if recognition is not None:
        return generated.fit_generated(column, values, recognition, locale, subjects)
    type_ = parse_arrow_type(column.arrow_type)
    is_number = is_exact(type_) or pa.types.is_floating(type_)
    is_category = column.kind is ColumnKind.category
    if pa.types.is_boolean(type_) and (is_category or column.kind is ColumnKind.boolean):
        return fit_boolean(_one_array(values))
    make_up = partial(_make_up_levels, locale=locale)
    if is_category and (pa.types.is_string(type_) or pa.types.is_large_string(type_)):
        return fit_categorical(column, values, subjects, make_up)
    if is_category and _has_labels(column, values, subjects):
        return fit_categorical(column, values, subjects, make_up)
    if is_number:
        return fit_numeric(column, _one_array(values), subjects)
    raise InvalidInput(
        f"Column {column.name!r} is stored as {type_}, which is not compatible with the kind "
        f"{column.kind.value}. Change its kind.",
        code="unsupported_column",
    )


def _has_labels(column: Column, values: ArrowColumn, subjects: Subjects | None) -> bool:
    """Return whether integers of kind `category` are learned as labels.

    If no label is shared, the integers are learned as numbers, because they have no placeholder like
    `_OTHER_`.
    """
    is_integer = pa.types.is_integer(values.type)
    return is_integer and (column.domain is not None or has_shared_level(values, subjects))


def _one_array(values: ArrowColumn) -> ArrowArray:
    chunks: list[ArrowArray] = values.chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)


def _order_large_categories(fitted: list[tuple[Any, Codes]]) -> list[tuple[Any, Codes]]:
    others = [(codes, t.n_codes) for t, codes in fitted if 1 < t.n_codes <= N_NOMINAL_CODES_MAX]
    return [_ordered(t, codes, others) for t, codes in fitted]


def _ordered(
    transformer: Transformer, codes: Codes, others: list[tuple[Codes, int]]
) -> tuple[Transformer, Codes]:
    if not (isinstance(transformer, CategoricalTransformer) and transformer.is_ordinal):
        return transformer, codes
    n, first = len(transformer.levels) - transformer.n_made_up, int(transformer.has_missing)
    order = order_levels(codes.astype(np.int64) - first, n, others)
    arranged, new_code = transformer.arrange(order)
    return arranged, new_code[codes]
