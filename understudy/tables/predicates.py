"""Find the values of a column that satisfy a constraint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.errors import InvalidInput
from understudy.parameters.constraints import ColumnConstraint, Value
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.schema import Column
from understudy.tables.written_values import read_value, write_example

ArrowArray: TypeAlias = "pa.Array[Any]"
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Predicate:
    """A constraint on the values of one column."""

    column: Column
    constraint: ColumnConstraint

    def holds(self, values: ArrowArray) -> Mask:
        """Return a mask of the values that satisfy the constraint."""
        if self.constraint.is_missing is not None:
            missing = as_mask(values.is_null(nan_is_null=True))
            return missing if self.constraint.is_missing else ~missing
        return self.overlaps(values, values)

    def overlaps(self, low: ArrowArray, high: ArrowArray) -> Mask:
        """Return a mask of the ranges from low to high that contain a value that satisfies the constraint."""
        return as_mask(pc.fill_null(self._compare(low, high), False))

    def _compare(self, low: ArrowArray, high: ArrowArray) -> Any:
        constraint = self.constraint
        if constraint.one_of:
            values = pa.concat_arrays([self.typed(value) for value in constraint.one_of])
            is_met = pc.is_in(low, value_set=values)
            # A range also satisfies the constraint if the range contains one of the values.
            for value in constraint.one_of if not low.equals(high) else ():
                is_met = pc.or_(is_met, self._between(low, high, value, value))
            return is_met
        if constraint.equals is not None:
            return self._between(low, high, constraint.equals, constraint.equals)
        return self._between(low, high, constraint.minimum, constraint.maximum)

    def _between(
        self, low: ArrowArray, high: ArrowArray, minimum: Value | None, maximum: Value | None
    ) -> Any:
        is_met: Any = pa.array(np.ones(len(low), np.bool_))
        if minimum is not None:
            is_met = pc.and_(is_met, pc.greater_equal(high, self.typed(minimum)[0]))
        if maximum is not None:
            is_met = pc.and_(is_met, pc.less_equal(low, self.typed(maximum, is_upper=True)[0]))
        return is_met

    def typed(self, value: Value, *, is_upper: bool = False) -> ArrowArray:
        """Return an array of the column's type that contains only this value.

        Parameters
        ----------
        is_upper : bool
            Whether the value is an upper bound (see `read_value`).

        Raises
        ------
        InvalidInput
            If the value does not fit the type.
        """
        try:
            return read_value(self.column, value, is_upper=is_upper)
        except ValueError:
            type_ = parse_arrow_type(self.column.arrow_type)
            raise InvalidInput(
                f"The value of a condition does not fit column {self.column.name!r} of type {type_}. "
                f"Write it in the column's notation, for example {write_example(self.column)}.",
                code="invalid_parameters",
            ) from None


def as_mask(values: Any) -> Mask:  # Any: required by the stubs of pyarrow.compute.
    """Return an Arrow array of booleans as a NumPy array."""
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)
