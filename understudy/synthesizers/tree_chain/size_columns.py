"""Columns with the sizes of entities. Other columns depend on the sizes, but samples do not contain them.

Without these columns, the properties of a customer would not depend on the number of the customer's orders.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.entities.arrangement import sizes_of
from understudy.synthesizers.entities.detection import FoundGroup
from understudy.synthesizers.tree_chain.difference_columns import (
    DrawnTable,
    difference_column,
    with_columns,
)
from understudy.synthesizers.tree_chain.encoding import encode_values
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import Json
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.table import TableTransformer, load_transformer
from understudy.transformers.table_fitting import fit_column

# Maximum number of size columns that a file may contain.
N_SIZES_MAX = 256


def add_size_columns(drawn: DrawnTable, found: list[FoundGroup]) -> DrawnTable:
    """For each kind of entity with varying sizes, add a column with the size of the entity.

    The size of every entity is known before other columns are drawn.
    """
    table, codes = drawn.transformer, list(drawn.codes)
    groups, names = list(drawn.entities.groups), []
    for g, (group, own) in enumerate(zip(drawn.entities.groups, found, strict=True)):
        sizes = sizes_of(own, found)
        if not group.keys or len(np.unique(sizes)) < 2:
            continue
        names.append(_new_name(g, table))
        rows = pa.chunked_array([pa.array(sizes[own.entities], pa.int64())])
        transformer, own_codes = fit_column(difference_column(names[-1]), rows, own.entities)
        place = len(table.columns)
        table = with_columns(table, {names[-1]: transformer})
        codes.append(own_codes)
        known = encode_values(names[-1], pa.array(group.grouping.sizes, pa.int64()), transformer)
        groups[g] = replace(
            group,
            columns=(*group.columns, place),
            known_codes={**group.known_codes, place: known.astype(np.uint16)},
        )
    entities = replace(drawn.entities, groups=tuple(groups))
    return replace(drawn, transformer=table, codes=codes, entities=entities, sizes=tuple(names))


def _new_name(group: int, table: TableTransformer) -> str:
    name = f"size of entity {group}"
    while name in table.schema.names:
        name += "_"
    return name


def sizes_to_arrays(
    sizes: tuple[str, ...], table: TableTransformer
) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
    """Return the columns of sizes as JSON and arrays, under ``size_<i>.<name>``."""
    entries: list[Json] = []
    arrays: dict[str, npt.NDArray[Any]] = {}
    for i, name in enumerate(sizes):
        manifest, parts = table.columns[table.schema.names.index(name)].to_arrays()
        entries.append({"name": name, "column": manifest})
        arrays |= {f"size_{i}.{part}": array for part, array in parts.items()}
    return ({"sizes": entries} if entries else {}), arrays


def sizes_from_arrays(
    reader: ArrayReader, table: TableTransformer
) -> tuple[tuple[str, ...], TableTransformer]:
    """Return the names of the columns that `sizes_to_arrays` converted, and the table with these columns.

    Model files from earlier versions do not contain size columns.

    Raises
    ------
    InvalidInput
        If a value is missing, has an unexpected type, or contradicts the table.
    """
    entries = reader.manifest.get("sizes", [])
    require(isinstance(entries, list) and len(entries) <= N_SIZES_MAX, "sizes of entities are not a list")
    transformers: dict[str, Any] = {}
    for i, entry in enumerate(entries):
        own = reader.part(entry, f"size_{i}.")
        name = own.text("name")
        is_new = 0 < len(name) <= 255 and name not in {*table.schema.names, *transformers}
        require(is_new, "a column of sizes has the name of another column")
        transformer = load_transformer(
            difference_column(name), own.part(own.manifest.get("column"), own.prefix)
        )
        require(isinstance(transformer, NumericTransformer), "a column of sizes is not numeric")
        transformers[name] = transformer
    return tuple(transformers), with_columns(table, transformers)
