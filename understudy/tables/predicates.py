"""Which values of a column satisfy a constraint."""

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
from understudy.tables.casting import typed_value
from understudy.tables.schema import Column

ArrowArray: TypeAlias = "pa.Array[Any]"
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Predicate:
    """A constraint on the values of one column."""

    column: Column
    constraint: ColumnConstraint

    def holds(self, values: ArrowArray) -> Mask:
        """Return which values satisfy the constraint."""
        if self.constraint.is_missing is not None:
            missing = as_mask(values.is_null(nan_is_null=True))
            return missing if self.constraint.is_missing else ~missing
        return self.overlaps(values, values)

    def overlaps(self, low: ArrowArray, high: ArrowArray) -> Mask:
        """Return which ranges, from low to high, contain a value that satisfies the constraint."""
        return as_mask(pc.fill_null(self._compare(low, high), False))

    def _compare(self, low: ArrowArray, high: ArrowArray) -> Any:
        asked = self.constraint
        if asked.one_of:
            values = pa.concat_arrays([self.typed(value) for value in asked.one_of])
            meets = pc.is_in(low, value_set=values)
            # Of ranges, those in which one of the values lies.
            for value in asked.one_of if not low.equals(high) else ():
                meets = pc.or_(meets, self._between(low, high, value, value))
            return meets
        if asked.equals is not None:
            return self._between(low, high, asked.equals, asked.equals)
        return self._between(low, high, asked.minimum, asked.maximum)

    def _between(
        self, low: ArrowArray, high: ArrowArray, minimum: Value | None, maximum: Value | None
    ) -> Any:
        meets: Any = pa.array(np.ones(len(low), np.bool_))
        if minimum is not None:
            meets = pc.and_(meets, pc.greater_equal(high, self.typed(minimum)[0]))
        if maximum is not None:
            meets = pc.and_(meets, pc.less_equal(low, self.typed(maximum)[0]))
        return meets

    def typed(self, value: Value) -> ArrowArray:
        """Return a value in the column's type, as an array of one, or raise `InvalidInput`."""
        type_ = parse_arrow_type(self.column.arrow_type)
        try:
            return typed_value(value, type_)
        except ValueError:
            raise InvalidInput(
                f"A condition's value does not fit column {self.column.name!r}, which is {type_}.",
                code="invalid_parameters",
            ) from None


def as_mask(values: Any) -> Mask:  # Any: what pyarrow.compute returns
    """Return an Arrow array of booleans as NumPy has them."""
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)
