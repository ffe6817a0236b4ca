"""Replace JSON columns with columns of their values, and rebuild the JSON text in samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables import notations
from understudy.tables.schema import Column, TableSchema
from understudy.tables.validation import conform
from understudy.transformers.base import ArrowArray, Json

if TYPE_CHECKING:
    from understudy.synthesizers.json_cells.columns import CellColumn


@dataclass(frozen=True)
class JsonCells:
    """The columns of a table that are split: JSON text, and text with numbers and units.

    Parameters
    ----------
    schema : TableSchema
        Schema of the table.
    columns : mapping of str to CellColumn
        Columns that are split, by name.
    """

    schema: TableSchema
    columns: Mapping[str, CellColumn]

    @property
    def split_schema(self) -> TableSchema:
        """Schema of the table, with columns of values instead of JSON columns."""
        columns: list[Column] = []
        for column in self.schema.columns:
            own = self.columns.get(column.name)
            columns += [column] if own is None else own.columns
        return self.schema.model_copy(update={"columns": tuple(columns)})

    def split(self, rows: pa.Table) -> pa.Table:
        """Return rows in which the columns of values replace the JSON text.

        If a text is missing or is not JSON, its values are missing.
        """
        if not self.columns:
            return rows
        arrays: dict[str, Any] = {
            name: rows.column(name) for name in rows.column_names if name not in self.columns
        }
        for name, own in self.columns.items():
            arrays |= dict(own.split(rows.column(name)))
        names = self.split_schema.names
        return conform(pa.table([arrays[name] for name in names], names=names), self.split_schema)

    def join(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield batches in which JSON text replaces its values."""
        return (self._joined(batch) for batch in batches) if self.columns else iter(batches)

    def _joined(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        fields = {field.name: field for field in self.split_schema.to_arrow()}
        own_columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        arrays = [
            own_columns[column.name]
            if column.name not in self.columns
            else _texts(self.columns[column.name], own_columns, fields, batch.num_rows)
            for column in self.schema.columns
        ]
        schema = self.schema.to_arrow()
        is_nullable = {
            field.name: field.nullable or a.null_count > 0 for field, a in zip(schema, arrays, strict=True)
        }
        schema = pa.schema([field.with_nullable(is_nullable[field.name]) for field in schema])
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def restore(self, batches: Iterable[pa.RecordBatch], rows: pa.Table) -> Iterator[pa.RecordBatch]:
        """Yield batches in which JSON text replaces its values. JSON text from `rows` is preserved.

        The batches contain all rows once per draw.
        """
        begin = 0
        for batch in self.join(batches):
            columns = []
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                if name in self.columns:
                    given = rows.column(name).slice(begin, len(batch)).combine_chunks()
                    column = pc.if_else(given.is_valid(), given, column)
                columns.append(column)
            begin = (begin + len(batch)) % max(rows.num_rows, 1)
            yield pa.RecordBatch.from_arrays(columns, schema=batch.schema)

    @property
    def inner_columns(self) -> list[Column]:
        """The columns that replace the split columns. Constraints can name these columns."""
        return [column for own in self.columns.values() for column in own.columns]

    @property
    def form_columns(self) -> list[str]:
        """The names of the form columns, which replace text with numbers and units."""
        return [name for own in self.columns.values() for name in own.form_names]

    def messages(self) -> list[str]:
        """Return a sentence for the model card about each column."""
        return [column.message() for column in self.columns.values()]

    def to_manifest(self) -> Json:
        """Return the structure of the columns as JSON."""
        entries: Json = {}
        for column in self.columns.values():
            entries.setdefault(column.manifest_key, []).append(column.model_dump(mode="json"))
        return entries


def _texts(
    own: CellColumn, columns: Mapping[str, ArrowArray], fields: Mapping[str, Any], n_rows: int
) -> ArrowArray:
    written: dict[str, ArrowArray] = {}
    for column in own.columns:
        values = pa.chunked_array([columns[column.name]])
        written[column.name] = notations.written_column(values, fields[column.name]).combine_chunks()
    return own.texts(written, n_rows)
