"""Encode all columns of a table as codes, and decode them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.progress import no_progress
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.domain_checks import keep_to_domain
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.tables.validation import check_columns
from understudy.transformers.array_reader import ArrayReader, refuse, require
from understudy.transformers.association import order_levels
from understudy.transformers.base import (
    DECODING,
    N_CODES_MAX,
    ArrowArray,
    ArrowColumn,
    Codes,
    CodesByColumn,
    Json,
    NumberedRows,
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
from understudy.transformers.generated.composition import check_sources, compose_identifiers, composed_of
from understudy.transformers.generated.fitting import fit_generated, name_people
from understudy.transformers.generated.loading import load_generated
from understudy.transformers.generated.made_up_levels import make_up_levels
from understudy.transformers.generated.personal import Personal
from understudy.transformers.generated.placed_codes import PlacedCodes
from understudy.transformers.generated.places import place_postal_codes, place_towns
from understudy.transformers.generated.recognition import recognize, recognize_subject
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.integer_units import is_exact
from understudy.transformers.labels import LabelTransformer, fit_labels, load_label
from understudy.transformers.level_sources import LevelSource
from understudy.transformers.numeric import NumericTransformer, fit_numeric

# A progress callback. Its arguments are the phase and the completed fraction.
Report = Callable[[str, float], None]

# Subjects of no column, for tables without entities.
NO_SUBJECTS: Mapping[str, Subjects] = {}

# Labels of no column, for tables without codes.
NO_LABELS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Drawn:
    """Rows as codes, with the seed and the numbers with which the codes become values."""

    codes: CodesByColumn
    seed: int
    rows: NumberedRows


@dataclass(frozen=True)
class TableTransformer:
    """The fitted transformers of all columns, in order.

    Parameters
    ----------
    schema : TableSchema
        Schema of the table.
    columns : tuple of Transformer
        Transformer of each column.
    id_start : int, optional
        Identifier number of row 0. If given, identifiers do not depend on the seed.
    numbered_by : mapping of int to LevelSource
        Columns whose levels determine other columns, by position of the determined column.
    """

    schema: TableSchema
    columns: tuple[Transformer, ...]
    id_start: int | None = None
    numbered_by: Mapping[int, LevelSource] = dataclass_field(default_factory=dict)

    def decode(self, codes: CodesByColumn, seed: int, rows: NumberedRows) -> pa.RecordBatch:
        """Return the rows with the given numbers and codes."""
        columns = self.decode_columns(range(len(self.columns)), codes, seed, rows)
        return pa.RecordBatch.from_arrays(list(columns.values()), schema=self.schema.to_arrow())

    def decode_columns(
        self, places: Iterable[int], codes: CodesByColumn, seed: int, rows: NumberedRows
    ) -> dict[str, ArrowArray]:
        """Return the columns at the given positions by name, for rows with the given numbers and codes."""
        decoding = _Decoding(self, Drawn(codes, seed, rows))
        return {self.schema.columns[j].name: decoding.column(j) for j in places}

    @cached_property
    def composed(self) -> frozenset[int]:
        """Positions of the identifiers that contain the values of other columns."""
        return frozenset(j for j, column in enumerate(self.columns) if composed_of(column) is not None)

    def compose(self, columns: Mapping[str, ArrowArray], drawn: Drawn) -> dict[str, ArrowArray]:
        """Return the identifiers that contain the values of other columns, for rows with these values.

        Parameters
        ----------
        columns : mapping of column name to pyarrow.Array
            Final values of all other columns.
        drawn : Drawn
            Codes of the rows, and how they are decoded.
        """
        own = {self.schema.columns[j].name: j for j in sorted(self.composed) if j in drawn.codes}
        known = {name: values for name, values in columns.items() if name not in own}
        decoding = _Decoding(self, drawn, known)
        return {name: decoding.column(j) for name, j in own.items()}

    def level_source(self, j: int) -> LevelSource:
        """Return a category as the source of columns that its levels determine."""
        transformer = self.columns[j]
        assert isinstance(transformer, CategoricalTransformer)
        return LevelSource(j, transformer, self.numbered_by.get(j))

    def numbers_of_values(self, j: int, drawn: Drawn) -> RowNumbers:
        """Return the numbers with which the codes of a column become values."""
        transformer = self.columns[j]
        if isinstance(transformer, LabelTransformer):
            source = self.level_source(transformer.column_of_code)
            return source.number(drawn.codes, drawn.seed, drawn.rows)
        if j in self.numbered_by:
            return self.numbered_by[j].number(drawn.codes, drawn.seed, drawn.rows)
        return drawn.rows.of_values(j)

    def describe(self) -> list[Json]:
        """Return the description of each column for the model card."""
        return [
            {"name": column.name, "kind": column.kind.value, "codes": transformer.n_codes}
            | transformer.describe()
            for column, transformer in zip(self.schema.columns, self.columns, strict=True)
        ]

    def to_arrays(self) -> tuple[list[Json], dict[str, npt.NDArray[Any]]]:
        """Return the manifests of the columns, and their arrays by name, ``transformer_<j>.<name>``."""
        manifests: list[Json] = []
        arrays: dict[str, npt.NDArray[Any]] = {}
        for j, column in enumerate(self.columns):
            manifest, own = column.to_arrays()
            manifests.append(manifest)
            arrays |= {f"transformer_{j}.{name}": array for name, array in own.items()}
        return manifests, arrays

    @classmethod
    def from_arrays(cls, schema: TableSchema, reader: ArrayReader) -> Self:
        """Load transformers from the output of `to_arrays`."""
        manifests = reader.parts("columns", len(schema.columns))
        readers = [reader.part(manifest, f"transformer_{j}.") for j, manifest in enumerate(manifests)]
        is_label = [own.manifest.get("transformer") == "label" for own in readers]
        pairs = zip(schema.columns, readers, is_label, strict=True)
        others = [None if label else load_transformer(column, own) for column, own, label in pairs]
        columns: list[Transformer] = [
            load_label(column, own, others) if other is None else other
            for column, own, other in zip(schema.columns, readers, others, strict=True)
        ]
        for column in columns:
            _check_given_columns(column, columns)
        check_sources(schema, columns)
        return cls(schema, tuple(columns))


class _Decoding:
    """The columns of a block of rows. Columns that other columns contain are decoded once."""

    def __init__(
        self,
        table: TableTransformer,
        drawn: Drawn,
        known: Mapping[str, ArrowArray] = MappingProxyType({}),
    ) -> None:
        self._table, self._drawn, self._codes = table, drawn, drawn.codes
        self._known = dict(known)

    def column(self, place: int) -> ArrowArray:
        """Return the values of the column at a position."""
        schema = self._table.schema.columns[place]
        if schema.name not in self._known:
            self._known[schema.name] = keep_to_domain(self._decode(place), schema)
        return self._known[schema.name]

    def _decode(self, place: int) -> ArrowArray:
        drawn = self._drawn
        if place in drawn.rows.levels:
            source = self._table.level_source(place)
            return source.transformer.take_levels(source.draw(drawn.codes, drawn.seed, drawn.rows))
        numbers = self._table.numbers_of_values(place, drawn)
        stream = RowStream(drawn.seed, DECODING + place, numbers, self._table.id_start)
        return self._transformer(place).decode(drawn.codes[place], stream)

    def _transformer(self, place: int) -> Transformer:
        transformer = self._table.columns[place]
        composed = composed_of(transformer)
        if composed is None:
            return _given(transformer, self._codes)
        assert isinstance(transformer, GeneratedTransformer)
        places = {name: self._table.schema.names.index(name) for name in composed.sources}
        # A column that is derived from others has no codes. Its values are given when they are known.
        usable = {n: j for n, j in places.items() if n in self._known or j in self._codes}
        values = {name: self.column(j) for name, j in usable.items()}
        return replace(transformer, maker=composed.given(values))


def _given(transformer: Transformer, codes: CodesByColumn) -> Transformer:
    """Return a transformer for rows whose codes in other columns are known, such as the sex of a person."""
    if isinstance(transformer, GeneratedTransformer) and isinstance(
        transformer.maker, Personal | PlacedCodes
    ):
        return replace(transformer, maker=transformer.maker.given(codes))
    return transformer


def _check_given_columns(transformer: Transformer, columns: list[Transformer]) -> None:
    maker = transformer.maker if isinstance(transformer, GeneratedTransformer) else None
    if isinstance(maker, Personal):
        sex, country = maker.sex_column, maker.country_column
        tables = [(sex.place, len(sex.sexes))] if sex is not None else []
        tables += [(country.place, len(country.locale_of_code))] if country is not None else []
        tables += [(maker.region_column.place, maker.region_column.n_codes)] if maker.region_column else []
        for place, n_codes in tables:
            is_valid = place < len(columns) and columns[place].n_codes == n_codes
            require(is_valid, "the column of the sex or the place of a person does not exist")
    if isinstance(maker, PlacedCodes):
        for own in maker.places:
            is_valid = own.place < len(columns) and columns[own.place].n_codes == own.n_codes
            require(is_valid, "the column of the place of a postal code does not exist")


Loader = Callable[[Column, pa.DataType, ArrayReader], Transformer]
_LOADERS: dict[str, Loader] = {
    "numeric": NumericTransformer.from_arrays,
    "categorical": CategoricalTransformer.from_arrays,
    "boolean": BooleanTransformer.from_arrays,
    "generated": load_generated,
}


def load_transformer(column: Column, reader: ArrayReader) -> Transformer:
    """Load the transformer of a column from the output of its `to_arrays`."""
    load = _LOADERS[reader.choice("transformer", _LOADERS)]
    try:
        type_ = parse_arrow_type(column.arrow_type)
    except InvalidInput as error:
        raise refuse("a column's type is unknown") from error
    transformer = load(column, type_, reader)
    require(1 <= transformer.n_codes <= N_CODES_MAX, "a column has no codes or too many")
    return transformer


@dataclass(frozen=True)
class Execution:
    """Locale of generated values, number of threads and progress callback of a fit."""

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
        Subjects of single columns, instead of those that the schema declares.
    code_of : mapping of str to str
        For each column of labels, the column of the code to which it corresponds one to one.

    Raises
    ------
    InvalidInput
        If the table has no rows or does not conform to the schema, or if a column cannot be synthesized.
    """
    check_table(table, schema)
    report = execution.report
    report("encoding", 0.0)
    subjects = number_subjects(table.select(list(schema.subject))) if schema.subject else None

    def fit(column: Column, values: ArrowColumn) -> tuple[Transformer, Codes]:
        own, is_of_subject = subjects_of.get(column.name, subjects), column.name in schema.subject
        if column.name in {*code_of, *code_of.values()}:
            make_up = partial(make_up_levels, locale=execution.locale)
            return fit_categorical(column, values, own, make_up, is_code=True)
        return fit_column(column, values, own, locale=execution.locale, is_of_subject=is_of_subject)

    fitted: list[tuple[Any, Codes]] = []
    with ThreadPoolExecutor(execution.n_threads) as pool:
        for pair in pool.map(fit, schema.columns, table.columns):
            fitted.append(pair)
            report("encoding", len(fitted) / len(schema.columns))
    fitted = _with_labels(_order_large_categories(fitted), table, code_of, execution.locale)
    fitted = name_people(fitted, schema.names, table.columns)
    fitted = place_towns(fitted, schema.columns, table.columns)
    fitted = place_postal_codes(fitted, schema.columns, table.columns, subjects)
    fitted = compose_identifiers(fitted, schema.columns, table.columns)
    return TableTransformer(schema, tuple(t for t, _ in fitted)), [codes for _, codes in fitted]


def _with_labels(
    fitted: list[tuple[Any, Codes]], table: pa.Table, code_of: Mapping[str, str], locale: str
) -> list[tuple[Any, Codes]]:
    """Return the fitted columns with the labels of codes, which have the codes of another column."""
    labeled, names = list(fitted), table.column_names
    for name_of_code in dict.fromkeys(code_of.values()):
        place = names.index(name_of_code)
        places = [names.index(n) for n, own in code_of.items() if own == name_of_code]
        labels = {j: (table.column(j), fitted[j][0].levels.slice(0, fitted[j][0].n_kept)) for j in places}
        make_up = partial(make_up_levels, locale=locale)
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


def number_subjects(columns: pa.Table) -> Subjects:
    """Return the subject of each row, as a number for each distinct combination of values.

    Missing values count as equal, so all rows without a subject belong to one unknown subject.
    """
    numbers = np.zeros(columns.num_rows, np.int64)
    for column in columns.columns:
        # Any: the stubs lack the indices of a dictionary array.
        encoded: Any = _one_array(column).dictionary_encode(null_encoding="encode")
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        numbers = numbers * len(encoded.dictionary) + codes
        if columns.num_columns > 1:
            # Combinations are renumbered after each column, because the product of sizes may exceed 64 bits.
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
        Subject of each row. If given, levels and numbers need k subjects instead of k rows.
    is_of_subject : bool
        Whether the column is one of the subject columns.
    """
    recognition = recognize(column, values)
    if recognition is None and is_of_subject:
        recognition = recognize_subject(column, values, subjects)
    if recognition is not None:
        return fit_generated(column, values, recognition, locale)
    type_ = parse_arrow_type(column.arrow_type)
    is_number = is_exact(type_) or pa.types.is_floating(type_)
    is_category = column.kind is ColumnKind.category
    if pa.types.is_boolean(type_) and (is_category or column.kind is ColumnKind.boolean):
        return fit_boolean(_one_array(values))
    make_up = partial(make_up_levels, locale=locale)
    if is_category and (pa.types.is_string(type_) or pa.types.is_large_string(type_)):
        return fit_categorical(column, values, subjects, make_up)
    if is_category and _has_labels(column, values, subjects):
        return fit_categorical(column, values, subjects, make_up)
    if is_number:
        return fit_numeric(column, _one_array(values), subjects)
    raise InvalidInput(
        f"Column {column.name!r} is stored as {type_}, which does not suit kind {column.kind.value}. "
        "Change its kind.",
        code="unsupported_column",
    )


def _has_labels(column: Column, values: ArrowColumn, subjects: Subjects | None) -> bool:
    """Return whether integers of kind `category` are learned as labels.

    If no label is shared, they are learned as numbers, because integers have no placeholder like `_OTHER_`.
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
