"""Conversion of ratio columns to and from JSON and plain arrays. The content of files is untrusted."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from understudy.synthesizers.rules.ratios import Ratio
from understudy.synthesizers.tree_chain.difference_columns import (
    N_DIFFERENCES_MAX,
    learned_columns,
    load_measured,
    ratio_column,
    with_columns,
)
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import Json
from understudy.transformers.table import TableTransformer

N_BASES_MAX = 2


def ratios_to_arrays(
    ratios: tuple[Ratio, ...], table: TableTransformer
) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
    """Return the columns of ratios as JSON and arrays, under ``ratio_<i>.<name>``."""
    entries: list[Json] = []
    arrays: dict[str, npt.NDArray[Any]] = {}
    for i, own in enumerate(ratios):
        manifest, parts = table.columns[table.schema.names.index(own.name)].to_arrays()
        entries.append({"name": own.name, "target": own.target, "bases": list(own.bases), "column": manifest})
        arrays |= {f"ratio_{i}.{name}": array for name, array in parts.items()}
    return ({"ratios": entries} if entries else {}), arrays


def ratios_from_arrays(
    reader: ArrayReader, table: TableTransformer
) -> tuple[tuple[Ratio, ...], TableTransformer]:
    """Return the ratios that `ratios_to_arrays` converted, and the table with their columns.

    Model files from earlier versions do not contain ratio columns.

    Parameters
    ----------
    table : TableTransformer
        Table with the columns of its differences.

    Raises
    ------
    InvalidInput
        If a value is missing, has an unexpected type, or contradicts the table.
    """
    entries = reader.manifest.get("ratios", [])
    require(isinstance(entries, list) and len(entries) <= N_DIFFERENCES_MAX, "ratios are not a list")
    schema = learned_columns(table)
    names = set() if schema is None else set(schema.names)
    ratios = []
    transformers: dict[str, Any] = {}
    for i, entry in enumerate(entries):
        own = reader.part(entry, f"ratio_{i}.")
        name, target, bases = own.text("name"), own.text("target"), tuple(own.texts("bases"))
        is_new = 0 < len(name) <= 255 and name not in {*table.schema.names, *transformers}
        is_known = 0 < len(bases) <= N_BASES_MAX and {target, *bases} <= names
        require(is_new and is_known and len({target, *bases}) > len(bases), "a ratio has the wrong columns")
        transformers[name] = load_measured(own, ratio_column(name), target, table)
        ratios.append(Ratio(name, target, bases))
    return tuple(ratios), with_columns(table, transformers)
