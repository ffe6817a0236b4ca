"""All columns of a table: to codes and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.progress import no_progress
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.domain_checks import keep_to_domain
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.array_reader import ArrayReader, refuse, require
from understudy.transformers.association import order_levels
from understudy.transformers.base import (
    N_CODES_MAX,
    ArrowArray,
    ArrowColumn,
    Codes,
    CodesByColumn,
    Json,
    RowNumbers,
    RowStream,
    Subjects,
    Transformer,
)
from understudy.transformers.boolean import BooleanTransformer, fit_boolean
from understudy.transformers.categorical import (
    N_NOMINAL_CODES_MAX,
    CategoricalTransformer,
    fit_categorical,
    has_shared_level,
)
from understudy.transformers.generated.fitting import fit_generated, name_people
from understudy.transformers.generated.loading import load_generated
from understudy.transformers.generated.recognition import recognise, recognise_subject
from understudy.transformers.integer_units import is_exact
from understudy.transformers.numeric import NumericTransformer, fit_numeric

# Called with the phase and the fraction that is done.
Report = Callable[[str, float], None]

# Streams of randomness of column j: j for drawing its code, DECODING + j for its value.
DECODING = 1 << 32


@dataclass(frozen=True)
class TableTransformer:
    """The fitted transformers of all columns, in order."""

    schema: TableSchema
    columns: tuple[Transformer, ...]

    def decode(self, codes: CodesByColumn, seed: int, rows: RowNumbers) -> pa.RecordBatch:
        """Return the rows of these numbers for their codes."""
        columns = self.decode_columns(range(len(self.columns)), codes, seed, rows)
        return pa.RecordBatch.from_arrays(list(columns.values()), schema=self.schema.to_arrow())

    def decode_columns(
        self, places: Iterable[int], codes: CodesByColumn, seed: int, rows: RowNumbers
    ) -> dict[str, ArrowArray]:
        """Return some columns of the rows of these numbers, by name."""
        return {
            self.schema.columns[j].name: keep_to_domain(
                self.columns[j].decode(codes[j], RowStream(seed, DECODING + j, rows)), self.schema.columns[j]
            )
            for j in places
        }

    def describe(self) -> list[Json]:
        """Return what a model card may tell of each column."""
        return [
            {"name": column.name, "kind": column.kind.value, "codes": transformer.n_codes}
            | transformer.describe()
            for column, transformer in zip(self.schema.columns, self.columns, strict=True)
        ]

    def to_arrays(self) -> tuple[list[Json], dict[str, npt.NDArray[Any]]]:
        """Return the columns' manifests, and their arrays under ``transformer_<j>.<name>``."""
        manifests: list[Json] = []
        arrays: dict[str, npt.NDArray[Any]] = {}
        for j, column in enumerate(self.columns):
            manifest, own = column.to_arrays()
            manifests.append(manifest)
            arrays |= {f"transformer_{j}.{name}": array for name, array in own.items()}
        return manifests, arrays

    @classmethod
    def from_arrays(cls, schema: TableSchema, reader: ArrayReader) -> Self:
        """Return the transformers that `to_arrays` took apart."""
        manifests = reader.parts("columns", len(schema.columns))
        columns = [
            load_transformer(column, reader.part(manifest, f"transformer_{j}."))
            for j, (column, manifest) in enumerate(zip(schema.columns, manifests, strict=True))
        ]
        return cls(schema, tuple(columns))


Loader = Callable[[Column, pa.DataType, ArrayReader], Transformer]
_LOADERS: dict[str, Loader] = {
    "numeric": NumericTransformer.from_arrays,
    "categorical": CategoricalTransformer.from_arrays,
    "boolean": BooleanTransformer.from_arrays,
    "generated": load_generated,
}


def load_transformer(column: Column, reader: ArrayReader) -> Transformer:
    """Return the transformer of a column that its `to_arrays` took apart."""
    load = _LOADERS[reader.choice("transformer", _LOADERS)]
    try:
        type_ = parse_arrow_type(column.arrow_type)
    except InvalidInput as error:
        raise refuse("a column's type is unknown") from error
    transformer = load(column, type_, reader)
    require(1 <= transformer.n_codes <= N_CODES_MAX, "a column has too many codes, or none")
    return transformer


def fit_table(
    table: pa.Table, schema: TableSchema, *, locale: str, n_threads: int, report: Report = no_progress
) -> tuple[TableTransformer, list[Codes]]:
    """Learn every column of a table; return the transformer and the codes, by column.

    Raises
    ------
    InvalidInput
        If the table has no rows or does not fit the schema, or a column cannot be synthesized.
    """
    check_table(table, schema)
    report("encoding", 0.0)
    subjects = number_subjects(table.select(list(schema.subject))) if schema.subject else None
    fit = partial(fit_column, subjects=subjects, locale=locale)
    fitted: list[tuple[Any, Codes]] = []
    with ThreadPoolExecutor(n_threads) as pool:
        columns = zip(schema.columns, table.columns, strict=True)
        for pair in pool.map(lambda c: fit(c[0], c[1], is_of_subject=c[0].name in schema.subject), columns):
            fitted.append(pair)
            report("encoding", len(fitted) / len(schema.columns))
    fitted = name_people(_order_large_categories(fitted))
    return TableTransformer(schema, tuple(t for t, _ in fitted)), [codes for _, codes in fitted]


def check_table(table: pa.Table, schema: TableSchema) -> None:
    """Raise InvalidInput unless the table has rows and exactly the schema's columns."""
    expected = schema.to_arrow()
    if table.column_names != expected.names:
        raise InvalidInput("The table's columns are not those of the schema.", code="schema_mismatch")
    for field, column in zip(expected, table.columns, strict=True):
        if column.type != field.type:
            raise InvalidInput(
                f"Column {field.name!r} is {column.type}, the schema says {field.type}.",
                code="schema_mismatch",
            )
        if not field.nullable and column.null_count:
            raise InvalidInput(
                f"Column {field.name!r} has missing values, the schema says it has none.",
                code="schema_mismatch",
            )
    if not table.num_rows:
        raise InvalidInput("The table has no rows; at least one is needed.", code="no_rows")


def number_subjects(columns: pa.Table) -> Subjects:
    """Return the subject of each row: a number for each distinct combination of values.

    A missing value is a value of its own, so that all rows without a subject belong to one, the unknown.
    """
    numbers = np.zeros(columns.num_rows, np.int64)
    for column in columns.columns:
        # Any: the stubs do not know that a dictionary has indices.
        encoded: Any = _one_array(column).dictionary_encode(null_encoding="encode")
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        numbers = numbers * len(encoded.dictionary) + codes
        if columns.num_columns > 1:
            # Numbered anew after each column: the product of the sizes may not fit in 64 bits.
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
    """Learn one column; return its transformer and its codes.

    Parameters
    ----------
    subjects : array of shape (n_rows,), optional
        Whose each row is; then levels and numbers need k subjects in place of k rows.
    is_of_subject : bool
        Whether the column is one of those that say whose each row is.
    """
    recognition = recognise(column, values)
    if recognition is None and is_of_subject:
        recognition = recognise_subject(column, values, subjects)
    if recognition is not None:
        return fit_generated(column, values, recognition, locale)
    type_ = parse_arrow_type(column.arrow_type)
    is_number = is_exact(type_) or pa.types.is_floating(type_)
    is_category = column.kind is ColumnKind.category
    if pa.types.is_boolean(type_) and (is_category or column.kind is ColumnKind.boolean):
        return fit_boolean(_one_array(values))
    if is_category and (pa.types.is_string(type_) or pa.types.is_large_string(type_)):
        return fit_categorical(column, values, subjects)
    if is_category and _has_labels(column, values, subjects):
        return fit_categorical(column, values, subjects)
    if is_number:
        return fit_numeric(column, _one_array(values), subjects)
    raise InvalidInput(
        f"Column {column.name!r} is stored as {type_}, which is no {column.kind.value}; change its kind.",
        code="unsupported_column",
    )


def _has_labels(column: Column, values: ArrowColumn, subjects: Subjects | None) -> bool:
    """Return whether whole numbers are labels; those that nobody shares are learned as the numbers they are.

    Numbers have no `_OTHER_`.
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
    n, first = len(transformer.levels), int(transformer.has_missing)
    order = order_levels(codes.astype(np.int64) - first, n, others)
    arranged, new_code = transformer.arrange(order)
    return arranged, new_code[codes]
