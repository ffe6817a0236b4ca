"""Base class for single-table synthesizers: validation, reference tables, seeds and model files.

Reference tables are public lookup data. Models and samples contain reference tables unchanged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import pyarrow as pa

from understudy.errors import Conflict, InvalidInput
from understudy.parameters.constraints import SamplingConstraints
from understudy.parameters.synthesizers import SynthesizerParameters
from understudy.synthesizers import after_fit, json_cells
from understudy.synthesizers.base import (
    Json,
    ModelCard,
    ModelReader,
    ModelWriter,
    SupportsConstraints,
    unsupported_by_synthesizer,
)
from understudy.synthesizers.contexts import FitContext, LearnRun, SampleContext, SamplePlan
from understudy.synthesizers.entities.groups import NO_ENTITIES, Entities
from understudy.synthesizers.reference_tables import load_reference, save_reference
from understudy.tables.domain_checks import check_domains
from understudy.tables.schema import Column, ColumnKind, DatasetSchema, TableSchema
from understudy.tables.source import Dataset, read_source
from understudy.tables.validation import conform
from understudy.transformers.array_reader import ArrayReader
from understudy.transformers.table import TableTransformer

# Kinds whose generated values are unique in a sample, so that a column of this kind can be a key.
_UNIQUE_KINDS = frozenset({ColumnKind.identifier, ColumnKind.email})


@dataclass(frozen=True)
class RowRequest:
    """Rows ``offset … offset + n_rows - 1`` of the unlimited sequence of rows that the seed determines."""

    n_rows: int
    offset: int
    seed: int
    context: SampleContext


class SingleTableSynthesizer(ABC):
    """Base class for single-table synthesizers. Subclasses learn, sample, save and load the data table."""

    name: ClassVar[str]
    parameters_type: ClassVar[type[SynthesizerParameters]]

    def __init__(self, parameters: Any) -> None:  # Any: the type of the parameters differs by synthesizer
        self.parameters = parameters
        self.table_: TableTransformer | None = None
        self.entities_: Entities = NO_ENTITIES

    def fit(self, data: Dataset, schema: DatasetSchema, *, context: FitContext) -> Self:
        """Validate the data and the schema, and learn the data table."""
        name = only_data_table(schema, self.name)
        rows = _read_table(data, schema, name)
        check_domains(rows, schema.tables[name])
        self._schema, self._references = schema, _read_references(data, schema)
        self.seed_ = context.choose_seed()
        run = LearnRun(context, self.seed_, schema.locale, self._references)
        self.cells_, rows = json_cells.find_json_cells(rows, schema.tables[name])
        self.table_ = self._learn(rows, self.cells_.split_schema, run)
        self.n_rows_ = rows.num_rows
        return self

    @property
    def schema_(self) -> DatasetSchema:
        """Schema that the model was fitted with."""
        self._fitted()
        return self._schema

    def sample(self, plan: SamplePlan, *, context: SampleContext) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield the reference tables unchanged, then rows of the data table."""
        name, n_rows = self._rows_wanted(plan)
        request = RowRequest(n_rows, plan.offset, context.choose_seed(), context)
        sampler = self._numbered(plan.id_start)
        if plan.constraints is None:
            batches = sampler._draw(request)
        elif isinstance(self, SupportsConstraints):
            batches = sampler._draw_constrained(request, plan.constraints)
        else:
            raise unsupported_by_synthesizer(self.name)
        return self._named(name, self.cells_.join(batches))

    def _numbered(self, id_start: int | None) -> Self:
        """Return this synthesizer, or a shallow copy with identifiers that begin at a given number."""
        if id_start is None:
            return self
        numbered = copy(self)
        numbered.table_ = replace(self._fitted(), id_start=id_start)
        return numbered

    def card(self) -> ModelCard:
        """Return the model card."""
        return self._with_cells(after_fit.make_card(self.name, self._fitted(), self.n_rows_, self.entities_))

    def _with_cells(self, card: ModelCard) -> ModelCard:
        """Return the card with the table's number of columns, and the parts and warnings of split columns."""
        # If all strings have the same form, the form column is constant by design, so a warning about it is
        # omitted.
        forms = [f"Column {name!r} has at most one" for name in self.cells_.form_columns]
        others = [warning for warning in card["warnings"] if not warning.startswith(tuple(forms))]
        warnings = self.cells_.messages() + others
        inner = [
            {"name": column.name, "kind": str(column.kind), "arrow_type": column.arrow_type}
            for column in self.cells_.inner_columns
        ]
        n_columns = len(self.cells_.schema.columns)
        return card | {"n_columns": n_columns, "inner_columns": inner, "warnings": warnings}

    def condition_columns(self) -> Sequence[Column]:
        """Return the columns of the table, and the columns with the parts of split columns."""
        (table,) = (table for table in self.schema_.tables.values() if table.role == "data")
        return (*table.columns, *self.cells_.inner_columns)

    def save(self, writer: ModelWriter) -> None:
        """Write the fitted model as JSON and plain arrays."""
        columns, arrays = self._fitted().to_arrays()
        entities, own_arrays = after_fit.entities_to_arrays(self.entities_)
        for array_name, array in (arrays | own_arrays).items():
            writer.array(array_name, array)
        for reference, rows in self._references.items():
            save_reference(writer, reference, rows)
        shared: Json = {
            "parameters": self.parameters.model_dump(),
            "seed": self.seed_,
            "n_rows": self.n_rows_,
            "columns": columns,
        }
        writer.json("model", shared | entities | self.cells_.to_manifest() | self._save(writer))

    @classmethod
    def load(cls, reader: ModelReader) -> Self:
        """Return the fitted synthesizer that `save` wrote."""
        name = only_data_table(reader.schema, cls.name)
        own = ArrayReader(reader.json("model"), reader.arrays)
        loaded = cls(own.parameters(cls.parameters_type))
        loaded._schema = reader.schema
        loaded._references = {
            reference: load_reference(reader, reference, table)
            for reference, table in reader.schema.tables.items()
            if table.role == "reference"
        }
        loaded.seed_, loaded.n_rows_ = own.whole("seed"), own.whole("n_rows")
        loaded.cells_ = json_cells.json_cells_from_manifest(own.manifest, reader.schema.tables[name])
        table = TableTransformer.from_arrays(loaded.cells_.split_schema, own)
        loaded._load(own, table)
        loaded.table_ = table
        loaded.entities_ = after_fit.entities_from_arrays(own, loaded._drawn_table(table))
        return loaded

    @abstractmethod
    def _learn(self, rows: pa.Table, schema: TableSchema, run: LearnRun) -> TableTransformer:
        """Learn from rows that conform to the schema, and return the fitted transformers."""

    @abstractmethod
    def _draw(self, request: RowRequest) -> Iterator[pa.RecordBatch]:
        """Return rows of the data table."""

    def _draw_constrained(
        self, request: RowRequest, constraints: SamplingConstraints
    ) -> Iterator[pa.RecordBatch]:
        """Return rows of the data table under constraints, if the synthesizer supports them."""
        raise unsupported_by_synthesizer(self.name)

    @abstractmethod
    def _save(self, writer: ModelWriter) -> Json:
        """Write the arrays that are specific to this synthesizer, and return its JSON."""

    @abstractmethod
    def _load(self, reader: ArrayReader, table: TableTransformer) -> None:
        """Read the arrays and the JSON that `_save` wrote."""

    def _drawn_table(self, table: TableTransformer) -> TableTransformer:
        """Return the transformers of the drawn columns, given the transformers of the table."""
        return table

    def _fitted(self) -> TableTransformer:
        if self.table_ is None:
            raise Conflict("The synthesizer is not fitted. Call fit first.", code="not_ready")
        return self.table_

    def _rows_wanted(self, plan: SamplePlan) -> tuple[str, int]:
        """Return the name of the data table, and the number of its rows that a plan requests."""
        name = only_data_table(self.schema_, self.name)
        unknown = sorted(set(plan.n_rows) - {name})
        if unknown or name not in plan.n_rows:
            raise InvalidInput(
                f"The plan requests rows of {_listed(plan.n_rows)}, but the model has only table {name!r}. "
                f"Set n_rows only for table {name!r}.",
                code="unknown_table",
            )
        n_rows, offset = plan.n_rows[name], plan.offset
        if n_rows < 0 or offset < 0:
            raise InvalidInput(
                "n_rows or offset is negative. Use 0 or a positive integer.", code="invalid_parameters"
            )
        if not 0 <= (plan.id_start or 0) < 2**63 - n_rows - offset:
            raise InvalidInput(
                "id_start is negative, or n_rows, offset and id_start add up to 2**63 or more. Use smaller "
                "numbers that are not negative.",
                code="invalid_parameters",
            )
        return name, n_rows

    def _named(self, name: str, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        for reference, rows in self._references.items():
            for batch in rows.to_batches():
                yield reference, batch
        for batch in batches:
            yield name, batch


def only_data_table(schema: DatasetSchema, synthesizer: str) -> str:
    """Return the name of the only data table of a schema.

    Raises
    ------
    InvalidInput
        If the schema does not have exactly one data table, or has features that single-table synthesizers do
        not support.
    """
    names = [name for name, table in schema.tables.items() if table.role == "data"]
    if len(names) != 1:
        listed = f" ({_listed(names)})" if names else ""
        raise _unsupported(
            f"The synthesizer {synthesizer!r} supports one data table, but the schema has "
            f"{len(names)}{listed}. Fit one model for each table, or give public lookup tables "
            f"the role `reference`."
        )
    if schema.relationships:
        raise _unsupported(
            f"The synthesizer {synthesizer!r} does not support relationships between tables. Remove the "
            "relationships from the schema."
        )
    _check_roles(names[0], schema.tables[names[0]], synthesizer)
    return names[0]


def _check_roles(name: str, table: TableSchema, synthesizer: str) -> None:
    if table.order_by:
        raise _unsupported(
            f"Table {name!r} has order_by, but the synthesizer {synthesizer!r} does not learn the order of"
            " rows. Remove order_by from the schema."
        )
    kinds = {table.column(column).kind for column in table.primary_key}
    if kinds and not kinds & _UNIQUE_KINDS:
        raise _unsupported(
            f"The synthesizer {synthesizer!r} cannot keep the primary key of table {name!r} unique. Set the"
            " kind of a primary key column to identifier, or remove primary_key from the schema."
        )


def _unsupported(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="unsupported_schema")


def _read_table(data: Dataset, schema: DatasetSchema, name: str) -> pa.Table:
    if data.keys() != schema.tables.keys():
        raise InvalidInput(
            f"The dataset has the tables {_listed(data)}, but the schema has {_listed(schema.tables)}. "
            "Use the same tables in both.",
            code="schema_mismatch",
        )
    # The steps of a fit need each column as one array.
    return conform(read_source(data[name]), schema.tables[name]).combine_chunks()


def _read_references(data: Dataset, schema: DatasetSchema) -> Mapping[str, pa.Table]:
    return {
        name: conform(read_source(data[name]), table)
        for name, table in schema.tables.items()
        if table.role == "reference"
    }


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names) or "none"
