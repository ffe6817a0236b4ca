"""Check tables against the domains that a schema declares, and keep sampled values within them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from understudy.errors import InvalidInput
from understudy.parameters.constraints import Value
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.casting import typed_value
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnDomain, ColumnKind, TableSchema

# Any: the stubs of these functions do not support types that are known only at run time.
pc: Any = pyarrow.compute

_KINDS_OF_LEVELS = frozenset({ColumnKind.category, ColumnKind.boolean})
_KINDS_WITH_STEP = frozenset({ColumnKind.integer, ColumnKind.float, ColumnKind.decimal})
# Maximum number of rows listed in an error message.
_N_ROWS_SHOWN = 10
# Relative tolerance for the check that a float is a multiple of the step. Sums such as 0.1 + 0.2 are not
# exact.
_STEP_TOLERANCE = 1e-9


def check_domains(rows: pa.Table, schema: TableSchema) -> None:
    """Check that each domain is valid for its column and that the column's values are within the domain.

    Parameters
    ----------
    rows : pyarrow.Table
        A table that conforms to the schema.

    Raises
    ------
    InvalidInput
        If a domain is not valid for its column, or if values are outside the domain. The message names each
        such column, the number of values outside the domain, and the first rows that contain them, counted
        from 1.
    """
    domains = [(column, column.domain) for column in schema.columns if column.domain is not None]
    faults = [fault for column, domain in domains if (fault := _fault(rows[column.name], column, domain))]
    if faults:
        raise InvalidInput(
            f"{' '.join(faults)} Correct the values, or change the column's domain.", code="schema_mismatch"
        )


# Any: the column can have any type, and Arrow's classes accept no type arguments at run time.
def _fault(values: Any, column: Column, domain: ColumnDomain) -> str | None:
    _check_suits(column, domain)
    is_outside = _find_outside(values, column, domain)
    places = np.flatnonzero(is_outside)
    if not len(places):
        return None
    shown = ", ".join(f"{place + 1:,}" for place in places[:_N_ROWS_SHOWN].tolist())
    more = ", …" if len(places) > _N_ROWS_SHOWN else ""
    plural = "" if len(places) == 1 else "s"
    return (
        f"Column {column.name!r} has {len(places):,} value{plural} outside its domain"
        f" (row{plural} {shown}{more})."
    )


def _check_suits(column: Column, domain: ColumnDomain) -> None:
    """Raise `InvalidInput` if the column's kind does not support this form of domain."""
    kind = column.kind
    reason = None
    if kind in GENERATED_KINDS:
        reason = f"its values are generated as kind {kind.value}, not learned"
    elif bool(domain.levels) != (kind in _KINDS_OF_LEVELS):
        supported = "levels" if kind in _KINDS_OF_LEVELS else "bounds and a step"
        reason = f"the kind {kind.value} supports only {supported}"
    elif domain.step is not None and kind not in _KINDS_WITH_STEP:
        reason = f"the kind {kind.value} does not support a step"
    if reason is not None:
        raise InvalidInput(
            f"Column {column.name!r} cannot have this domain: {reason}. Change the domain, or remove it.",
            code="unsupported_schema",
        )


def _find_outside(values: Any, column: Column, domain: ColumnDomain) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if domain.levels:
        levels = pa.concat_arrays([_typed(level, column) for level in domain.levels])
        outside = pc.invert(pc.is_in(values, value_set=levels))
    else:
        outside = pa.chunked_array([pa.array(np.zeros(len(values), np.bool_))])
        if domain.minimum is not None:
            outside = pc.or_(outside, pc.less(values, _typed(domain.minimum, column)[0]))
        if domain.maximum is not None:
            outside = pc.or_(outside, pc.greater(values, _typed(domain.maximum, column)[0]))
        if domain.step is not None:
            outside = pc.or_(outside, _find_off_step(values, column, domain))
    is_outside = pc.and_(outside, pc.is_valid(values))
    return np.asarray(pc.fill_null(is_outside, False).to_numpy(), dtype=np.bool_)


def _find_off_step(values: Any, column: Column, domain: ColumnDomain) -> Any:
    """Return a mask of the values that are not a whole number of steps from the minimum (default 0)."""
    assert domain.step is not None
    origin = 0 if domain.minimum is None else _typed(domain.minimum, column)[0].as_py()
    if pa.types.is_integer(values.type) and isinstance(domain.step, int):
        step = domain.step
        off = [value is not None and (value - origin) % step != 0 for value in values.to_pylist()]
        return pa.chunked_array([pa.array(off, pa.bool_())])
    steps = (np.asarray(values.cast(pa.float64()).to_numpy(), np.float64) - float(origin)) / float(
        domain.step
    )
    with np.errstate(invalid="ignore"):
        off_step = np.abs(steps - np.rint(steps)) > _STEP_TOLERANCE * np.maximum(np.abs(steps), 1)
    return pa.chunked_array([pa.array(off_step)])


def keep_to_domain(values: Any, column: Column) -> Any:  # Any: an Arrow array of any type
    """Clip sampled numbers or times to the domain's bounds, and round floats to the domain's step."""
    domain = column.domain
    if domain is None or domain.levels:
        return values
    low, high = domain_bounds(column)
    if domain.step is not None and pa.types.is_floating(values.type):
        origin = 0.0 if low is None else float(low.as_py())
        steps = pc.round(pc.divide(pc.subtract(values, origin), float(domain.step)))
        values = pc.add(pc.multiply(steps, float(domain.step)), origin).cast(values.type)
    # An element-wise maximum would replace NaN with the bound.
    if low is not None:
        values = pc.if_else(pc.less(values, low), low, values)
    if high is not None:
        values = pc.if_else(pc.greater(values, high), high, values)
    return values


def placeholder_value(column: Column) -> Any:  # Any: an Arrow scalar of any type, or None
    """Return the bound that is nearest to zero, or None if zero is within the bounds."""
    low, high = domain_bounds(column)
    if low is not None and _as_number(low) > 0:
        return low
    return high if high is not None and _as_number(high) < 0 else None


def domain_bounds(column: Column) -> tuple[Any, Any]:  # Any: Arrow scalars of any type, or None
    """Return the bounds of a column's domain as scalars of the column's type. A missing bound is None."""
    if column.domain is None:
        return None, None
    low, high = (
        None if value is None else _typed(value, column)[0]
        for value in (column.domain.minimum, column.domain.maximum)
    )
    return low, high


def _as_number(scalar: Any) -> float:
    """Return a scalar as a float. A date or time is converted from the integer that Arrow stores."""
    type_ = scalar.type
    is_number = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
    width = pa.int32() if type_.bit_width == 32 else pa.int64()
    stored = scalar if is_number else pa.array([scalar.as_py()], type_).view(width)[0]
    return float(stored.as_py())


def _typed(value: Value, column: Column) -> Any:
    """Return an array of the column's type that contains only this value."""
    try:
        return typed_value(value, parse_arrow_type(column.arrow_type))
    except ValueError as error:
        raise InvalidInput(
            f"A value in the domain of column {column.name!r} is not of type {column.arrow_type}. "
            "Use only values of this type.",
            code="unsupported_schema",
        ) from error
