"""Imputation of the columns of entities, so that all rows of an entity get the same values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.entities.detection import Int64s, first_rows_of
from understudy.synthesizers.entities.groups import Entities
from understudy.tables.schema import TableSchema
from understudy.transformers.base import ArrowColumn, Mask, RowNumbers
from understudy.transformers.table_fitting import number_subjects

# Function from incomplete rows and their numbers to rows with imputed values.
Complete = Callable[[pa.Table, RowNumbers], pa.Table]


@dataclass(frozen=True)
class EntityFiller:
    """Imputation of missing values in incomplete rows of a model's table.

    Parameters
    ----------
    entities : Entities
        Entities of the model.
    schema : TableSchema
        Schema of the rows.
    """

    entities: Entities
    schema: TableSchema

    def fill_known(self, rows: pa.Table) -> pa.Table:
        """Return rows in which missing values of an entity's columns are copied from its other rows."""
        for entity, names in self._groups(rows):
            for name in names:
                values = rows.column(name)
                rows = _fill(rows, name, values.take(_index(_first_known(values, entity)[entity])))
        return rows

    def fill_drawn(self, rows: pa.Table, complete: Complete) -> pa.Table:
        """Return the rows of `fill_known`, with the remaining missing values drawn once for each entity."""
        for entity, names in self._groups(rows):
            first = first_rows_of(entity)
            some = rows.take(_index(first))
            if any(is_missing(some.column(name)).any() for name in names):
                drawn = complete(some, first.astype(np.uint64))
                for name in names:
                    rows = _fill(rows, name, drawn.column(name).take(_index(entity)))
        return rows

    def _groups(self, rows: pa.Table) -> Iterator[tuple[Int64s, list[str]]]:
        """Yield the entity of each row and the columns of the entity, for each group, the coarsest first."""
        names = self.schema.names
        for g in self.entities.draw_order():
            group = self.entities.groups[g]
            columns = [names[j] for j in (*group.columns, *group.labels) if j < len(names)]
            if group.keys and len(columns) > 1:
                yield self._number(rows, [names[j] for j in group.keys[: group.n_parts]]), columns

    def _number(self, rows: pa.Table, keys: list[str]) -> Int64s:
        """Return the entity of each row. A row without a key is an entity of its own."""
        subject = self.schema.subject
        is_of_subject = len(subject) > 1 and set(keys) <= set(subject)
        numbers = number_subjects(rows.select(list(subject) if is_of_subject else keys))
        is_unknown = np.any([is_missing(rows.column(key)) for key in keys], axis=0)
        own = numbers.max(initial=0) + 1 + np.arange(len(rows))
        return np.unique(np.where(is_unknown, own, numbers), return_inverse=True)[1].astype(np.int64)


def is_missing(values: ArrowColumn) -> Mask:
    """Return a mask of the missing values, including NaN."""
    return np.asarray(values.is_null(nan_is_null=True).to_numpy(), dtype=np.bool_)


def _first_known(values: ArrowColumn, entity: Int64s) -> Int64s:
    """Return one row of each entity: a row with a value if there is one, otherwise any row."""
    order = np.lexsort((is_missing(values), entity))
    return order[first_rows_of(entity[order])]


def _fill(rows: pa.Table, name: str, values: ArrowColumn) -> pa.Table:
    own = rows.column(name)
    filled = pc.if_else(pa.array(is_missing(own)), values.combine_chunks(), own.combine_chunks())
    return rows.set_column(rows.column_names.index(name), rows.schema.field(name), filled)


def _index(places: Int64s) -> pa.Int64Array:
    return pa.array(places, pa.int64())
