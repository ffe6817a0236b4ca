"""Numbers of all kinds, encoded as missing values, shared values and quantile ranges.

Exact types, and floats with few decimals, are converted to whole ticks of the column's step. Other floats
remain floats.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import decoding
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.domain_checks import placeholder_value
from understudy.tables.schema import Column
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import (
    MIN_SUPPORT,
    N_CODES_MAX,
    Arrays,
    ArrowArray,
    Codes,
    Json,
    Mask,
    RowStream,
    Subjects,
)
from understudy.transformers.bins import N_SEGMENTS, Bins, Tail, fit_bins
from understudy.transformers.clock import Clock, fit_clock, mark_placed
from understudy.transformers.integer_units import (
    Ticks,
    array_of_integers,
    from_ticks,
    integers_of,
    is_exact,
)
from understudy.transformers.nulls import array_of_nulls
from understudy.transformers.scale import Floats, Scale, read_numbers
from understudy.transformers.support import count_subjects
from understudy.transformers.tails import add_tails, in_own_unit


@dataclass(frozen=True, eq=False, repr=False)
class NumericTransformer:
    """A fitted column of numbers. Code 0 represents missing values if there are any."""

    arrow_type: pa.DataType
    nullable: bool
    has_missing: bool
    is_placeholder: bool
    scale: Scale
    bins: Bins
    clock: Clock | None = None

    @property
    def n_codes(self) -> int:
        """The number of codes."""
        return self.bins.n_bins + self.has_missing

    @property
    def is_ordinal(self) -> bool:
        """Always true because codes are in the order of the values."""
        return True

    @property
    def is_exact(self) -> Mask:
        """A mask of the codes that each represent exactly one value of the table."""
        is_value = (self.bins.knot_row < 0) & (not self.is_placeholder)
        return np.concatenate((np.ones(int(self.has_missing), np.bool_), is_value))

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return a number within the bin of each code, on the grid of the column's step."""
        missing = codes == 0 if self.has_missing else None
        if not self.bins.n_bins:
            return _all_missing(len(codes), self.arrow_type, nullable=self.nullable)
        is_float = self.scale.writing == "float"
        # `Any` is needed because the numbers, like the bins, are ticks or floats.
        numbers: npt.NDArray[Any] = np.empty(len(codes), np.float64 if is_float else np.uint64)
        kernel: Any = decoding.decode_floats if is_float else decoding.decode_ticks
        bins = self.bins
        coded = decoding.CodedBins(
            int(self.has_missing),
            *(bins.starts, bins.knot_row, bins.knots),
            *(_coded_tail(tail) for tail in (bins.lower, bins.upper)),
        )
        kernel(codes, coded, stream.key(), numbers)
        if self.clock is not None:
            numbers = self._with_times_of_day(numbers, codes, stream)
        # Numbers of a fitted column stay within its range. Only numbers from a manipulated file can overflow.
        with np.errstate(over="ignore"):
            return self._write(numbers, missing)

    def _with_times_of_day(self, ticks: Ticks, codes: Codes, stream: RowStream) -> Ticks:
        assert self.clock is not None
        bin_of = np.maximum(codes.astype(np.int64) - self.has_missing, 0)
        own = np.flatnonzero(self.bins.knot_row[bin_of] >= 0)
        rows = replace(stream, rows=stream.rows[own])
        placed = ticks.copy()
        placed[own] = self.clock.place(ticks[own], bin_of[own], self.bins, self.scale, rows)
        return placed

    def spans(self) -> tuple[ArrowArray, ArrowArray]:
        """Return the lowest and highest number for each code, except for the code for missing values."""
        bins = self.bins
        numbers = [bins.starts.copy(), bins.starts.copy()]
        is_range = bins.knot_row >= 0
        for place, end in zip(numbers, (0, -1), strict=True):
            offsets = bins.knots[bins.knot_row[is_range], end]
            place[is_range] += self._distance(offsets)
        if bins.lower is not None:
            numbers[0][0] -= self._distance(bins.lower.offsets[-1])
        if bins.upper is not None:
            numbers[1][-1] += self._distance(bins.upper.offsets[-1])
        with np.errstate(over="ignore"):
            low, high = (self._write(place, None) for place in numbers)
        return low, high

    def _distance(self, offsets: Any) -> Any:  # `Any` is a number or an array.
        """Return offsets in the type of the bins' starts."""
        return offsets if self.scale.writing == "float" else np.rint(offsets).astype(np.uint64)

    def _write(self, numbers: npt.NDArray[Any], missing: Mask | None) -> ArrowArray:
        scale = self.scale
        if scale.writing == "exact":
            is_signed = not pa.types.is_uint64(self.arrow_type)
            integers = from_ticks(scale.origin, scale.step, numbers, is_signed=is_signed)
            return array_of_integers(integers, self.arrow_type, missing)
        if scale.writing == "decimal":
            integers = from_ticks(scale.origin, scale.step, numbers, is_signed=True)
            return _floats(integers / 10.0**scale.decimals, self.arrow_type, missing, nullable=self.nullable)
        return _floats(np.ldexp(numbers, scale.exponent), self.arrow_type, missing, nullable=self.nullable)

    def describe(self) -> Json:
        """Return counts for the model card, without any values from the table."""
        n_ranges = len(self.bins.knots)
        facts: Json = {
            "shared_values": 0 if self.is_placeholder else self.bins.n_bins - n_ranges,
            "ranges": n_ranges,
            "rows_merged": self.bins.n_rows_merged,
            "rows_drawn_in": self.bins.n_rows_drawn_in,
        }
        tails = [name for name in ("lower", "upper") if getattr(self.bins, name) is not None]
        facts |= {"tails": tails} if tails else {}
        return facts | ({"placeholder": True} if self.is_placeholder else {})

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the learned state as JSON and plain arrays."""
        scale = self.scale
        manifest: Json = {
            "transformer": "numeric",
            "has_missing": self.has_missing,
            "is_placeholder": self.is_placeholder,
            "n_rows_merged": self.bins.n_rows_merged,
            "n_rows_drawn_in": self.bins.n_rows_drawn_in,
            "writing": scale.writing,
            "origin": scale.origin,
            "step": scale.step,
            "decimals": scale.decimals,
            "exponent": scale.exponent,
        }
        bins = self.bins
        arrays = {"starts": bins.starts, "knot_row": bins.knot_row, "knots": bins.knots}
        for name, tail in (("lower", bins.lower), ("upper", bins.upper)):
            if tail is not None:
                manifest[f"fraction_{name}"] = tail.fraction
                arrays[f"tail_{name}"] = tail.offsets
        if self.clock is not None:
            manifest["has_clock"] = True
            arrays["clock"] = self.clock.below
        return manifest, arrays

    @classmethod
    def from_arrays(cls, column: Column, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a transformer from the output of `to_arrays`."""
        scale = Scale.from_arrays(type_, reader)
        is_placeholder = reader.truth("is_placeholder")
        n_merged, n_drawn_in = reader.whole("n_rows_merged"), reader.whole("n_rows_drawn_in")
        is_float = scale.writing == "float"
        starts = reader.array("starts", np.float64 if is_float else np.uint64, (None,))
        knots = reader.array("knots", np.float64, (None, N_SEGMENTS + 1))
        knot_row = reader.indices("knot_row", np.int32, (len(starts),), -1, len(knots))
        has_missing = reader.truth("has_missing")
        require(len(starts) + has_missing > 0, "a column has no codes")
        # In compiled code, casting an out-of-range float to an integer has undefined results.
        highest = np.finfo(np.float64).max if is_float else 2.0**64
        in_range = np.isfinite(starts).all() and ((knots >= 0) & (knots < highest)).all()
        require(bool(in_range), "quantiles are out of range")
        lower, upper = (_read_tail(reader, name) for name in ("lower", "upper"))
        bins = Bins(starts, knot_row, knots, n_merged, n_drawn_in, lower, upper)
        require(_fits_tails(bins, highest), "the tails do not fit the bins")
        clock = Clock.from_reader(type_, scale, reader)
        return cls(type_, column.nullable, has_missing, is_placeholder, scale, bins, clock)


def _coded_tail(tail: Tail | None) -> decoding.CodedTail:
    return decoding.NO_TAIL if tail is None else decoding.CodedTail(tail.fraction, tail.offsets)


def _read_tail(reader: ArrayReader, name: str) -> Tail | None:
    """Return a tail from the output of `NumericTransformer.to_arrays`.

    Model files from earlier versions of Understudy have no tails.
    """
    fraction = reader.manifest.get(f"fraction_{name}")
    if fraction is None:
        return None
    require(isinstance(fraction, float) and 0 < fraction < 1, f"fraction_{name} is not between 0 and 1")
    offsets = reader.array(f"tail_{name}", np.float64, (decoding.N_TAIL_LEVELS,))
    in_order = np.isfinite(offsets).all() and offsets[0] >= 0 and (np.diff(offsets) >= 0).all()
    require(bool(in_order), f"tail_{name} is not in ascending order")
    return Tail(fraction, offsets)


def _fits_tails(bins: Bins, highest: float) -> bool:
    """Return whether tails extend ranges at the ends and the bins' type can store the tails' numbers."""
    is_in_range = True
    if bins.lower is not None:
        is_in_range &= len(bins.starts) > 0 and bins.knot_row[0] >= 0
        is_in_range &= bins.starts.dtype != np.uint64 or float(bins.starts[0]) >= bins.lower.offsets[-1]
    if bins.upper is not None:
        is_in_range &= len(bins.starts) > 0 and bins.knot_row[-1] >= 0
        is_in_range &= float(bins.knots[bins.knot_row[-1], -1]) + bins.upper.offsets[-1] < highest
    fractions = sum(tail.fraction for tail in (bins.lower, bins.upper) if tail is not None)
    return bool(is_in_range) and (bins.n_bins > 1 or fractions < 1)


def fit_numeric(
    column: Column, values: ArrowArray, subjects: Subjects | None = None
) -> tuple[NumericTransformer, Codes]:
    """Fit a column of numbers and return its transformer and its codes.

    Parameters
    ----------
    subjects : array of shape (n,), optional
        Subject of each row. If given, subjects are counted instead of rows.

    Raises
    ------
    InvalidInput
        If a float is infinite, or a decimal has more than 18 digits.
    """
    type_ = parse_arrow_type(column.arrow_type)
    missing = _find_missing(values)
    has_missing = bool(missing.any())
    present = values.filter(pa.array(~missing)) if has_missing else values
    owners = subjects if subjects is None or not has_missing else subjects[~missing]
    scale, numbers = read_numbers(column.name, present)
    is_placeholder = count_subjects(len(numbers), owners) < MIN_SUPPORT
    clock = None
    if is_placeholder:
        scale, bins, bin_codes = _placeholder(column, type_, len(numbers))
    else:
        bins, bin_codes = fit_bins(numbers, N_CODES_MAX - 1, owners)
        is_placed = mark_placed(type_, scale, bins)[bin_codes]
        clock = fit_clock(type_, scale, numbers[is_placed], None if owners is None else owners[is_placed])
        if not _is_temporal(type_):
            bins = add_tails(bins, bin_codes, in_own_unit(type_, scale, numbers, owners))
        scale, bins = _rebase(scale, bins)
    codes = np.zeros(len(values), np.uint16)
    codes[~missing] = bin_codes + np.uint16(has_missing)
    is_placeholder &= len(numbers) > 0
    transformer = NumericTransformer(type_, column.nullable, has_missing, is_placeholder, scale, bins, clock)
    return transformer, codes


def _find_missing(values: ArrowArray) -> Mask:
    mask = values.is_null(nan_is_null=True)
    return np.asarray(mask.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _placeholder(column: Column, type_: pa.DataType, n_values: int) -> tuple[Scale, Bins, Codes]:
    """Return a bin with a single placeholder, for columns where too few rows or subjects have a value.

    The placeholder is zero, or the bound nearest to zero if a declared domain excludes zero.
    """
    value = placeholder_value(column)
    starts: npt.NDArray[Any] = np.zeros(min(n_values, 1), np.uint64)
    if is_exact(type_):
        origin = 0 if value is None else int(integers_of(column.name, pa.array([value.as_py()], type_))[0])
        scale = Scale("exact", origin)
    elif value is None:
        scale = Scale("decimal")
    else:
        scale, starts = Scale("float"), np.full(len(starts), value.as_py(), np.float64)
    knot_row = np.full(len(starts), -1, np.int32)
    bins = Bins(starts, knot_row, np.zeros((0, N_SEGMENTS + 1)), n_rows_merged=n_values)
    return scale, bins, np.zeros(n_values, np.uint16)


def _rebase(scale: Scale, bins: Bins) -> tuple[Scale, Bins]:
    """Move the origin from the lowest value, which belongs to one person, to the start of the lowest bin.

    If all bins are shared values, the step is computed from these values only, because a single value that is
    not shared may have determined the step.
    """
    if scale.writing == "float":
        return scale, bins
    # Ticks cannot be negative, so the origin is at the end of the lower tail if there is one.
    below = 0 if bins.lower is None else int(np.ceil(bins.lower.offsets[-1]))
    first = bins.starts[0]
    distances = bins.starts - first + np.uint64(below)
    factor = np.uint64(1)
    step = scale.step
    if not len(bins.knots):
        factor = max(np.gcd.reduce(distances), factor)
        step = step * int(factor) if len(distances) > 1 else 1
    moved = replace(scale, origin=scale.origin + scale.step * (int(first) - below), step=step)
    return moved, replace(bins, starts=distances // factor)


def _is_temporal(type_: pa.DataType) -> bool:
    """Return whether a type represents points in time, which have no tails."""
    return bool(pa.types.is_temporal(type_)) and not pa.types.is_duration(type_)


def _floats(values: Floats, type_: pa.DataType, missing: Mask | None, *, nullable: bool) -> ArrowArray:
    typed = values.astype(type_.to_pandas_dtype())
    if missing is not None and not nullable:
        typed[missing] = np.nan
        return pa.array(typed, type=type_)
    return pa.array(typed, type=type_, mask=missing)


def _all_missing(n: int, type_: pa.DataType, *, nullable: bool) -> ArrowArray:
    if nullable:
        return array_of_nulls(n, type_)
    array: ArrowArray = pa.array(np.full(n, np.nan, type_.to_pandas_dtype()), type=type_)
    return array
