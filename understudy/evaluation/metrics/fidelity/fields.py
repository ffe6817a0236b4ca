"""Columns of a comparison, including columns with unscored values, such as identifiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, Values, is_missing
from understudy.evaluation.statistics.entities import Codes, Mask
from understudy.tables.schema import ColumnKind

AnyValues: TypeAlias = NDArray[np.generic]


@dataclass(frozen=True)
class Field:
    """A column of a comparison, with scored or unscored values."""

    name: str
    kind: ColumnKind
    position: int
    is_key: bool

    def values(self, table: EncodedTable) -> AnyValues:
        """Return the values or codes of the column."""
        return table.key(self.position) if self.is_key else table.columns[self.position]

    def known(self, values: AnyValues) -> Mask:
        """Return a mask of the known values."""
        return cast(Codes, values) >= 0 if self.is_key else ~is_missing(cast(Values, values))

    def codes(self, *tables: EncodedTable) -> list[Codes]:
        """Return codes that represent the same values in all given tables, with -1 for missing values."""
        parts = [self.values(table) for table in tables]
        if parts[0].dtype != np.float64:
            return [part.astype(np.int64) for part in parts]
        joined = np.concatenate(parts).astype(np.float64)
        numbers = np.unique(joined, return_inverse=True)[1].astype(np.int64)
        numbers[np.isnan(joined)] = -1
        return np.split(numbers, np.cumsum([len(part) for part in parts])[:-1])


def fields_of(comparison: Comparison) -> list[Field]:
    """Return the columns of a comparison. Columns with unscored values come first."""
    keys = [Field(key.column.name, key.column.kind, i, True) for i, key in enumerate(comparison.key_columns)]
    return keys + [Field(column.name, column.kind, i, False) for i, column in enumerate(comparison.columns)]
