"""Encode all columns of a table as codes, and decode them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

import numpy.typing as npt
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.domain_checks import keep_to_domain
from understudy.tables.schema import Column, TableSchema
from understudy.transformers import generated
from understudy.transformers.array_reader import ArrayReader, refuse, require
from understudy.transformers.base import (
    DECODING,
    N_CODES_MAX,
    ArrowArray,
    CodesByColumn,
    Json,
    NumberedRows,
    RowNumbers,
    RowStream,
    Transformer,
)
from understudy.transformers.boolean import BooleanTransformer
from understudy.transformers.categorical import (
    CategoricalTransformer,
)
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.labels import LabelTransformer, load_label
from understudy.transformers.level_sources import LevelSource
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.numeric_integers import replace_values


@dataclass(frozen=True)
class Drawn:
    """Rows as codes, with the seed and the row numbers that are needed to decode them."""

    codes: CodesByColumn
    seed: int
    rows: NumberedRows


@dataclass(frozen=True, eq=False, repr=False)
class TableTransformer:
    """The fitted transformers of all columns, in order.

    Parameters
    ----------
    schema : TableSchema
        Schema of the table.
    columns : tuple of Transformer
        Transformer of each column.
    id_start : int, optional
        Number of the identifier in row 0. If given, identifiers do not depend on the seed.
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

    def decode_generated(self, codes: CodesByColumn, seed: int, rows: NumberedRows) -> dict[str, ArrowArray]:
        """Return the generated columns by name, except for those that other columns determine."""
        places = sorted((codes.keys() & self.generated) - self.composed - self.numbered_by.keys())
        return self.decode_columns(places, codes, seed, rows)

    @cached_property
    def generated(self) -> frozenset[int]:
        """Positions of the generated columns."""
        return frozenset(j for j, own in enumerate(self.columns) if isinstance(own, GeneratedTransformer))

    @cached_property
    def composed(self) -> frozenset[int]:
        """Positions of identifier columns that contain values from other columns."""
        return frozenset(j for j in self.generated if generated.composed_of(self.columns[j]) is not None)

    def compose(self, columns: Mapping[str, ArrowArray], drawn: Drawn) -> dict[str, ArrowArray]:
        """Return the identifiers that contain the values of other columns, for rows with these values.

        Parameters
        ----------
        columns : mapping of column name to pyarrow.Array
            Final values of all other columns.
        drawn : Drawn
            Codes of the rows, with the seed and the row numbers that are needed to decode them.
        """
        own = {self.schema.columns[j].name: j for j in sorted(self.composed) if j in drawn.codes}
        known = {name: values for name, values in columns.items() if name not in own}
        decoding = _Decoding(self, drawn, known)
        return {name: decoding.column(j) for name, j in own.items()}

    def level_source(self, j: int) -> LevelSource:
        """Return a category column as a source of levels that determine other columns."""
        transformer = self.columns[j]
        assert isinstance(transformer, CategoricalTransformer)
        return LevelSource(j, transformer, self.numbered_by.get(j))

    def numbers_of_values(self, j: int, drawn: Drawn) -> RowNumbers:
        """Return the row numbers that select the random numbers for decoding a column's codes."""
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
        if any(isinstance(column, GeneratedTransformer) for column in columns):
            generated.check_sources(schema, columns)
        return cls(schema, tuple(columns))


class _Decoding:
    """Decoder for the columns of a block of rows, which decodes each column at most once."""

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
        decoded = self._transformer(place).decode(drawn.codes[place], stream)
        if place not in drawn.rows.integers:
            return decoded
        transformer = self._table.columns[place]
        assert isinstance(transformer, NumericTransformer)
        return replace_values(decoded, drawn.rows.integers[place], transformer)

    def _transformer(self, place: int) -> Transformer:
        transformer = self._table.columns[place]
        if not isinstance(transformer, GeneratedTransformer):
            return transformer
        composed = generated.composed_of(transformer)
        if composed is None:
            return _given(transformer, self._codes)
        places = {name: self._table.schema.names.index(name) for name in composed.sources}
        # A column that is derived from other columns has no codes. Its values are inserted when they are
        # known.
        usable = {n: j for n, j in places.items() if n in self._known or j in self._codes}
        values = {name: self.column(j) for name, j in usable.items()}
        return replace(transformer, generator=composed.given(values))


def _given(transformer: GeneratedTransformer, codes: CodesByColumn) -> Transformer:
    """Return a transformer for rows with known codes in other columns, such as a person's sex."""
    if isinstance(transformer.generator, generated.Personal | generated.PlacedCodes):
        return replace(transformer, generator=transformer.generator.given(codes))
    return transformer


def _check_given_columns(transformer: Transformer, columns: list[Transformer]) -> None:
    if not isinstance(transformer, GeneratedTransformer):
        return
    generator = transformer.generator
    if isinstance(generator, generated.Personal):
        sex, country = generator.sex_column, generator.country_column
        tables = [(sex.place, len(sex.sexes))] if sex is not None else []
        tables += [(country.place, len(country.locale_of_code))] if country is not None else []
        region = generator.region_column
        tables += [(region.place, region.n_codes)] if region is not None else []
        for place, n_codes in tables:
            is_valid = place < len(columns) and columns[place].n_codes == n_codes
            require(is_valid, "the column with a person's sex or place does not exist")
    if isinstance(generator, generated.PlacedCodes):
        for own in generator.places:
            is_valid = own.place < len(columns) and columns[own.place].n_codes == own.n_codes
            require(is_valid, "the place column for a postal code does not exist")


def _load_generated(column: Column, type_: pa.DataType, reader: ArrayReader) -> Transformer:
    return generated.load_generated(column, type_, reader)


Loader = Callable[[Column, pa.DataType, ArrayReader], Transformer]
_LOADERS: dict[str, Loader] = {
    "numeric": NumericTransformer.from_arrays,
    "categorical": CategoricalTransformer.from_arrays,
    "boolean": BooleanTransformer.from_arrays,
    "generated": _load_generated,
}


def load_transformer(column: Column, reader: ArrayReader) -> Transformer:
    """Load a column's transformer from the output of the transformer's `to_arrays`."""
    load = _LOADERS[reader.choice("transformer", _LOADERS)]
    try:
        type_ = parse_arrow_type(column.arrow_type)
    except InvalidInput as error:
        raise refuse("a column's type is unknown") from error
    transformer = load(column, type_, reader)
    require(1 <= transformer.n_codes <= N_CODES_MAX, "a column has no codes or too many")
    return transformer
