"""A block of rows that caches the values of its columns in the forms that rules require."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from understudy.synthesizers.rules.values import Values, read_values
from understudy.transformers.base import ArrowArray

if TYPE_CHECKING:
    from understudy.synthesizers.rules.rules import Rules


class Block:
    """A block of rows that caches the values of its columns."""

    def __init__(self, rules: Rules, arrays: dict[str, ArrowArray]) -> None:
        self.rules, self.arrays = rules, arrays
        self._values: dict[str, Values] = {}
        self._levels: dict[str, npt.NDArray[np.int32]] = {}
        self._value_levels: dict[str, npt.NDArray[np.int32]] = {}

    def add(self, name: str, array: ArrowArray) -> None:
        """Add or replace a column."""
        self.arrays[name] = array
        for cache in (self._values, self._levels, self._value_levels):
            cache.pop(name, None)

    def values(self, name: str) -> Values:
        """Return the values of a column."""
        if name not in self._values:
            self._values[name] = read_values(name, self.arrays[name], self.rules.decimals.get(name))
        return self._values[name]

    def levels(self, name: str) -> npt.NDArray[np.int32]:
        """Return the levels of a column's values."""
        if name not in self._levels:
            self._levels[name] = self.rules.levels[name].find(self.values(name))
        return self._levels[name]

    def value_levels(self, name: str) -> npt.NDArray[np.int32]:
        """Return the levels of a column's values in the value-level rules."""
        if name not in self._value_levels:
            self._value_levels[name] = self.rules.value_rules.levels[name].find(self.values(name))
        return self._value_levels[name]

    def stored(self, name: str) -> Values:
        """Return the stored values of a column, without unit conversion."""
        return read_values(name, self.arrays[name], None)
