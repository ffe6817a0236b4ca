"""The scale of a numeric column: the conversion between stored numbers and numbers in bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import ArrowArray
from understudy.transformers.integer_units import integers_of, is_exact, to_ticks

# Maximum number of decimals in floats that are converted to ticks.
N_DECIMALS_MAX = 6
# Maximum binary exponent of floats. Larger floats are scaled down.
EXPONENT_MAX = 1000


Floats = npt.NDArray[np.float64]
# How numbers are stored: as integers, as integer multiples of 10**-decimals, or as floats times 2**-exponent.
Writing = Literal["exact", "decimal", "float"]


@dataclass(frozen=True)
class Scale:
    """The conversion between stored numbers and numbers in bins."""

    writing: Writing
    origin: int = 0
    step: int = 1
    decimals: int = 0
    exponent: int = 0

    @classmethod
    def from_arrays(cls, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a scale from the output of `NumericTransformer.to_arrays`."""
        writing = reader.manifest.get("writing")
        require(writing in get_args(Writing), "the representation of numbers is unknown")
        require(
            (writing == "exact") == is_exact(type_), "the representation of numbers does not suit their type"
        )
        require(is_exact(type_) or pa.types.is_floating(type_), "the type of a numeric column is not numeric")
        return cls(
            writing,  # type: ignore[arg-type]  # checked above
            reader.whole("origin", -(2**63), 2**64 - 1),
            reader.whole("step", 1, 2**64 - 1),
            reader.whole("decimals", 0, N_DECIMALS_MAX),
            reader.whole("exponent", 0, 1024 - EXPONENT_MAX),
        )


def read_numbers(name: str, values: ArrowArray) -> tuple[Scale, npt.NDArray[Any]]:
    if not len(values):
        return Scale("decimal"), np.zeros(0, np.uint64)
    if is_exact(values.type):
        origin, step, ticks = to_ticks(integers_of(name, values))
        return Scale("exact", origin, step), ticks
    floats = np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    if not np.isfinite(floats).all():
        raise InvalidInput(
            f"Column {name!r} contains infinite values. Replace them with finite numbers or missing values.",
            code="unsupported_column",
        )
    return _read_floats(floats, values.type)


def _read_floats(floats: Floats, type_: pa.DataType) -> tuple[Scale, npt.NDArray[Any]]:
    decimals = count_decimals(floats, type_.to_pandas_dtype())
    if decimals is not None:
        origin, step, ticks = to_ticks(np.rint(floats * 10.0**decimals).astype(np.int64))
        return Scale("decimal", origin, step, decimals), ticks
    # Large floats are scaled by a power of two so that differences and means do not overflow.
    exponent = max(int(np.frexp(np.abs(floats).max())[1]) - EXPONENT_MAX, 0)
    return Scale("float", exponent=exponent), np.ldexp(floats, -exponent)


def count_decimals(floats: Floats, dtype: Any) -> int | None:  # NumPy's stubs use `Any` for dtypes.
    """Return the number of decimals that all floats need, or None if it is more than `N_DECIMALS_MAX`."""
    largest = float(np.abs(floats).max())
    for decimals in range(N_DECIMALS_MAX + 1):
        if largest * 10.0**decimals >= 2.0**53:
            return None
        # Rounding errors are ignored so that 0.1 + 0.2 counts as 0.3, and tiny remainders of large numbers
        # count as 0.
        slack = min(1e-6 * 10.0**-decimals, 1e-12 * largest)
        # The first rows are checked first because this check is cheap and excludes most columns.
        if all(_has_decimals(part, decimals, slack, dtype) for part in (floats[:1000], floats)):
            return decimals
    return None


def _has_decimals(floats: Floats, decimals: int, slack: float, dtype: Any) -> bool:
    written = np.rint(floats * 10.0**decimals) / 10.0**decimals
    is_near = np.abs(written - floats) <= slack
    # A float32 matches if no other float32 is closer to the rounded number.
    return bool((is_near | (written.astype(dtype) == floats.astype(dtype))).all())
