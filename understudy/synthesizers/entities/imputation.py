"""Imputation of entity columns. All rows of an entity get the same values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.entities.detection import Int64s, first_rows_of
from understudy.synthesizers.entities.groups import ROWS, Entities
from understudy.synthesizers.rules import Rules
from understudy.tables.schema import TableSchema
from understudy.transformers.base import ArrowColumn, Mask, RowNumbers
from understudy.transformers.table_fitting import number_subjects

# Function that takes incomplete rows and their numbers, and returns the rows with imputed values.
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

    @property
    def has_positions(self) -> bool:
        """Whether the values of any column are distinct within an entity."""
        return bool(self.entities.positions)

    def fill_known(self, rows: pa.Table) -> pa.Table:
        """Return rows with the missing values in entity columns filled in from other rows of the entity."""
        for g in reversed(self.entities.draw_order()):
            # A finer key also determines the columns of coarser entities. For example, a patient's number
            # determines the patient's name.
            names = [name for other in self.entities.coarser(g) for name in self._columns(other)]
            if names and self.entities.groups[g].keys:
                rows = _copied(rows, self._number(rows, g), names)
        for entity, names in self._groups(rows):
            rows = _copied(rows, entity, names)
        return rows

    def fill_drawn(self, rows: pa.Table, complete: Complete) -> pa.Table:
        """Return rows with the missing values in entity columns sampled once for each entity."""
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
        for g in self.entities.draw_order():
            # The columns of a coarser entity are sampled once for each of its finer entities.
            names = [name for own in (g, *self.entities.coarser(g)) for name in self._columns(own)]
            if self.entities.groups[g].keys and len(names) > 1:
                yield self._number(rows, g), names

    def _columns(self, g: int) -> list[str]:
        names, group = self.schema.names, self.entities.groups[g]
        return [names[j] for j in (*group.columns, *group.labels) if j < len(names)]

    def _number(self, rows: pa.Table, g: int) -> Int64s:
        """Return the entity of each row.

        Rows with a missing key are grouped by the key of the next finer entity. Without a finer key, each row
        is a separate entity.
        """
        group = self.entities.groups[g]
        keys = [self.schema.names[j] for j in group.keys[: group.n_parts]]
        subject = self.schema.subject
        is_of_subject = len(subject) > 1 and set(keys) <= set(subject)
        numbers = number_subjects(rows.select(list(subject) if is_of_subject else keys))
        is_unknown = np.any([is_missing(rows.column(key)) for key in keys], axis=0)
        has_finer = group.source != ROWS and self.entities.groups[group.source].keys
        finer = self._number(rows, group.source) if has_finer else np.arange(len(rows))
        own = numbers.max(initial=0) + 1 + finer
        return np.unique(np.where(is_unknown, own, numbers), return_inverse=True)[1].astype(np.int64)

    def find_repeats(self, rows: pa.Table, given: pa.Table) -> Int64s:
        """Return the rows in which a filled value repeats a value that must be distinct within the entity.

        Parameters
        ----------
        rows : pyarrow.Table
            Completed rows.
        given : pyarrow.Table
            The same rows before completion.
        """
        repeats = np.zeros(len(rows), np.bool_)
        for position in self.entities.positions:
            keys = self.entities.groups[position.group].keys
            names = [self.schema.names[j] for j in position.columns]
            is_filled = np.any([is_missing(given.column(name)) for name in names], axis=0)
            if keys and is_filled.any():
                entity = self._number(rows, position.group)
                cell = np.stack([entity, number_subjects(rows.select(names))], axis=1)
                # Given values come first, so that only filled values count as repeats.
                order = np.argsort(is_filled, kind="stable")
                first = order[np.unique(cell[order], axis=0, return_index=True)[1]]
                is_first = np.zeros(len(rows), np.bool_)
                is_first[first] = True
                repeats |= is_filled & ~is_first
        return np.flatnonzero(repeats)


def fill_determined(rows: pa.Table, rules: Rules) -> pa.Table:
    """Return rows with missing values filled in from rows with the same value in a determining column.

    A value is copied only if no row with the same determining value has a different value. Missing labels of
    rare codes can thus be filled in, although the model contains neither these codes nor their labels.
    """
    for rule in rules.functional_dependencies:
        if rule.dependent not in rows.column_names or rule.determinant not in rows.column_names:
            continue
        own, values = rows.column(rule.determinant), rows.column(rule.dependent)
        if not is_missing(values).any():
            continue
        entity = number_subjects(rows.select([rule.determinant]))
        n_values = _n_distinct(entity, number_subjects(rows.select([rule.dependent])), ~is_missing(values))
        is_clear = pa.array((n_values == 1)[entity] & ~is_missing(own))
        copied: Any = values.take(_index(_first_known(values, entity)[entity])).combine_chunks()
        rows = _fill(rows, rule.dependent, pc.if_else(is_clear, copied, pa.scalar(None, copied.type)))
    return rows


def fill_columns(rows: pa.Table, columns: Mapping[str, Any]) -> pa.Table:
    """Return rows with their missing values filled in from the given columns."""
    for name, values in columns.items():
        if name in rows.column_names and is_missing(rows.column(name)).any():
            rows = _fill(rows, name, values)
    return rows


def _n_distinct(entity: Int64s, values: Int64s, is_known: Mask) -> Int64s:
    """Return the number of distinct known values for each entity."""
    pairs = np.unique(np.stack([entity[is_known], values[is_known]], axis=1), axis=0)
    return np.bincount(pairs[:, 0], minlength=int(entity.max(initial=-1)) + 1).astype(np.int64)


def is_missing(values: ArrowColumn) -> Mask:
    """Return a mask of the missing values, including NaN."""
    return np.asarray(values.is_null(nan_is_null=True).to_numpy(), dtype=np.bool_)


def _first_known(values: ArrowColumn, entity: Int64s) -> Int64s:
    """Return one row of each entity: a row with a value if possible, otherwise any row."""
    order = np.lexsort((is_missing(values), entity))
    return order[first_rows_of(entity[order])]


def _copied(rows: pa.Table, entity: Int64s, names: list[str]) -> pa.Table:
    for name in names:
        values = rows.column(name)
        rows = _fill(rows, name, values.take(_index(_first_known(values, entity)[entity])))
    return rows


def _fill(rows: pa.Table, name: str, values: Any) -> pa.Table:
    own = rows.column(name)
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    filled = pc.if_else(pa.array(is_missing(own)), whole, own.combine_chunks())
    return rows.set_column(rows.column_names.index(name), rows.schema.field(name), filled)


def _index(places: Int64s) -> pa.Int64Array:
    return pa.array(places, pa.int64())
