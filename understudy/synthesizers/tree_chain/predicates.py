"""Which codes a condition allows a column, and what is left to be checked of its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.errors import InvalidInput
from understudy.parameters.constraints import ColumnConstraint, Value
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.casting import cast
from understudy.tables.schema import Column
from understudy.transformers.base import ArrowArray, Mask, Transformer
from understudy.transformers.boolean import BooleanTransformer
from understudy.transformers.categorical import CategoricalTransformer
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.numeric import NumericTransformer


@dataclass(frozen=True)
class Predicate:
    """What a condition asks of one column.

    Parameters
    ----------
    column : Column
    allowed : Allowed
    """

    column: Column
    allowed: ColumnConstraint

    def holds(self, values: ArrowArray) -> Mask:
        """Return which values fulfil the condition."""
        if self.allowed.is_missing is not None:
            missing = _as_mask(values.is_null(nan_is_null=True))
            return missing if self.allowed.is_missing else ~missing
        return _as_mask(pc.fill_null(self._compare(values, values), False))

    def codes(self, transformer: Transformer) -> tuple[Mask, bool]:
        """Return which codes may fulfil the condition, and whether all values of each do.

        Raises
        ------
        InvalidInput
            If the column is generated, or if no code does.
        """
        has_missing = bool(getattr(transformer, "has_missing", False))
        may = np.zeros(transformer.n_codes, np.bool_)
        if self.allowed.is_missing is not None:
            may[:] = not self.allowed.is_missing
            may[: int(has_missing)] = self.allowed.is_missing
            is_whole = True
        elif isinstance(transformer, GeneratedTransformer):
            raise InvalidInput(
                f"Column {self.column.name!r} is generated; a condition can only ask whether it is missing.",
                code="invalid_parameters",
            )
        else:
            may[int(has_missing) :], is_whole = self._codes_of_values(transformer, has_missing)
        if not may.any():
            raise impossible(f"The model knows no such value of column {self.column.name!r}")
        return may, is_whole

    @property
    def is_one_value(self) -> bool:
        """Whether the condition names the value."""
        return self.allowed.equals is not None

    def constant(self, n: int) -> ArrowArray:
        """Return the one value, n times."""
        assert self.allowed.equals is not None
        value: ArrowArray = pa.concat_arrays([self._typed(self.allowed.equals)] * n)
        return value

    def _codes_of_values(self, transformer: Transformer, has_missing: bool) -> tuple[Mask, bool]:
        if isinstance(transformer, NumericTransformer):
            low, high = transformer.spans()
            may = _as_mask(pc.fill_null(self._compare(low, high), False))
            exact = transformer.is_exact[int(has_missing) :]
            if not may.any() and len(low):
                may = self._between_ranges(low, exact)
            return may, bool(exact[may].all())
        n_values = transformer.n_codes - has_missing
        if isinstance(transformer, BooleanTransformer):
            truths = pa.array(transformer.truths, pa.bool_())
            return _as_mask(pc.fill_null(self._compare(truths, truths), False)), True
        assert isinstance(transformer, CategoricalTransformer)
        fits = _as_mask(pc.fill_null(self._compare(transformer.levels, transformer.levels), False))
        may = np.zeros(n_values, np.bool_)
        n_groups = len(transformer.first_level)
        if n_groups:
            may[:n_groups] = np.logical_or.reduceat(fits, transformer.first_level)
        return may, bool(transformer.is_exact[int(has_missing) :][may].all())

    def _between_ranges(self, low: ArrowArray, exact: Mask) -> Mask:
        """Return the range beside a gap between two codes in which the condition lies, if there is one.

        Ranges keep means of rows, not their ends: there are small gaps between them.
        """
        may = np.zeros(len(low), np.bool_)
        value = self.allowed.equals if self.allowed.equals is not None else self.allowed.minimum
        if value is None:
            return may
        above = int(_as_mask(pc.less_equal(low, self._typed(value)[0])).sum())
        # The code below the gap and the one above it; the ends of the column have but one.
        beside = [code for code in (above - 1, above) if 0 < above < len(low) and not exact[code]]
        may[beside[:1]] = True
        return may

    def _compare(self, low: ArrowArray, high: ArrowArray) -> Any:
        """Return which ranges from low to high meet the condition."""
        asked = self.allowed
        if asked.one_of:
            values = pa.concat_arrays([self._typed(value) for value in asked.one_of])
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
            meets = pc.and_(meets, pc.greater_equal(high, self._typed(minimum)[0]))
        if maximum is not None:
            meets = pc.and_(meets, pc.less_equal(low, self._typed(maximum)[0]))
        return meets

    def _typed(self, value: Value) -> ArrowArray:
        """Return a value in the column's type, as an array of one."""
        type_ = parse_arrow_type(self.column.arrow_type)
        try:
            if pa.types.is_decimal(type_) and isinstance(value, float):
                value = repr(value)
            return cast(pa.array([value]), type_)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, OverflowError):
            raise InvalidInput(
                f"A condition's value does not fit column {self.column.name!r}, which is {type_}.",
                code="invalid_parameters",
            ) from None


def impossible(what: str) -> InvalidInput:
    """Return the error for what no row can be."""
    return InvalidInput(
        f"{what}; ask for values that enough rows of the table have.", code="impossible_condition"
    )


def _as_mask(values: Any) -> Mask:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)
