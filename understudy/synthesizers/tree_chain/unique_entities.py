"""Rejection of synthetic entities that equal a unique real entity in all columns.

A synthetic customer with the birth date, town and segment of a real customer would be a copy, even if the
orders differ.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.entities import steps
from understudy.synthesizers.entities.groups import N_GROUPS_MAX
from understudy.synthesizers.tree_chain.difference_columns import DrawnTable
from understudy.synthesizers.tree_chain.rule_enforcement import is_often
from understudy.synthesizers.tree_chain.unique_rows import UniqueRows, find_unique_rows
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import CodesByColumn, Json, Mask, NumberedRows
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.table import TableTransformer

if TYPE_CHECKING:
    from understudy.synthesizers.entities.detection import FoundGroup

# Minimum number of columns of an entity. A single value that k entities share does not copy any one entity.
N_COLUMNS_MIN = 2


@dataclass(frozen=True)
class UniqueEntities:
    """Fingerprints of unique real entities, and the columns that are compared.

    Parameters
    ----------
    rows : mapping of int to UniqueRows
        Fingerprints by group.
    columns : mapping of int to tuple of int
        Learned columns by group, in ascending order.
    """

    rows: Mapping[int, UniqueRows] = field(default_factory=dict)
    columns: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def is_new(
        self,
        wanted: Collection[int],
        table: TableTransformer,
        codes: CodesByColumn,
        seed: int,
        numbers: NumberedRows,
    ) -> Mask:
        """Return a mask of entities that do not occur in the table, given the columns of their group."""
        new = np.ones(len(numbers), np.bool_)
        for g, columns in self.columns.items():
            if set(columns) <= set(wanted):
                new &= ~self.rows[g].is_copy(table, {j: codes[j] for j in columns}, seed, numbers)
        return new

    @property
    def n_entities(self) -> int:
        """Number of entities that are never sampled."""
        return sum(len(own.values) for own in self.rows.values())


def find_unique_entities(drawn: DrawnTable, found: list[FoundGroup]) -> UniqueEntities:
    """Return the unique entities of each group with at least two learned columns."""
    table, left_out = drawn.transformer, {*drawn.rules.derived, *drawn.sizes}
    rows: dict[int, UniqueRows] = {}
    columns: dict[int, tuple[int, ...]] = {}
    for g, (group, own) in enumerate(zip(drawn.entities.groups, found, strict=True)):
        learned = tuple(
            j
            for j in sorted(group.columns)
            if not isinstance(table.columns[j], GeneratedTransformer)
            and table.schema.names[j] not in left_out
        )
        if len(learned) < N_COLUMNS_MIN:
            continue
        first = steps.first_rows_of(own.entities)
        some = drawn.rows.take(pa.array(first, pa.int64()))
        unique = find_unique_rows(some, table, {j: drawn.codes[j][first] for j in learned})
        if unique is not None:
            rows[g], columns[g] = unique, learned
    return UniqueEntities(rows, columns)


def keep_if_often(
    entities: UniqueEntities, table: TableTransformer, codes: CodesByColumn, seed: int, numbers: NumberedRows
) -> UniqueEntities:
    """Return the fingerprints of each group in which enough trial entities are new."""
    kept = {
        g: columns
        for g, columns in entities.columns.items()
        if is_often(entities.is_new(columns, table, codes, seed, numbers))
    }
    return UniqueEntities({g: entities.rows[g] for g in kept}, kept)


def unique_entities_to_arrays(entities: UniqueEntities) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
    """Return fingerprints of entities as JSON and arrays, under ``single_entities_<g>.<name>``."""
    if not entities.rows:
        return {}, {}
    arrays: dict[str, npt.NDArray[Any]] = {}
    for g, own in entities.rows.items():
        arrays |= {f"single_entities_{g}.codes": own.codes, f"single_entities_{g}.values": own.values}
    entries = [{"group": g, "columns": list(columns)} for g, columns in entities.columns.items()]
    return {"single_entities": entries}, arrays


def unique_entities_from_arrays(reader: ArrayReader, table: TableTransformer) -> UniqueEntities:
    """Return the fingerprints that `unique_entities_to_arrays` converted.

    Raises
    ------
    InvalidInput
        If a value is missing, has an unexpected type, or contradicts the table.
    """
    entries = reader.manifest.get("single_entities", [])
    require(isinstance(entries, list), "the fingerprints of entities are not a list")
    rows: dict[int, UniqueRows] = {}
    columns: dict[int, tuple[int, ...]] = {}
    for entry in entries:
        own = reader.part(entry, "")
        g = own.whole("group", 0, N_GROUPS_MAX - 1)
        places = own.manifest.get("columns")
        n = len(table.columns)
        is_valid = isinstance(places, list) and all(type(j) is int and 0 <= j < n for j in places)
        require(is_valid and g not in rows, "the columns of an entity are not valid")
        assert isinstance(places, list)
        require(len(places) >= N_COLUMNS_MIN, "fingerprints of entities have too few columns")
        codes, values = (
            reader.array(f"single_entities_{g}.{name}", np.uint32, (None,)) for name in ("codes", "values")
        )
        for array in (codes, values):
            require(bool((array[1:] > array[:-1]).all()), "fingerprints are not in ascending order")
        rows[g], columns[g] = UniqueRows(codes, values), tuple(places)
    return UniqueEntities(rows, columns)
