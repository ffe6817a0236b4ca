"""Tests for encoding and decoding numbers. Shared values stay exact. Values of single rows are not stored."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.errors import InvalidInput
from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.array_reader import ArrayReader
from understudy.transformers.base import MIN_SUPPORT, Codes, RowStream, consecutive_rows
from understudy.transformers.bins import fit_bins
from understudy.transformers.integer_units import from_ticks, to_ticks
from understudy.transformers.numeric import NumericTransformer, fit_numeric
from understudy.transformers.support import sort_rows


def stream_of(codes: Codes) -> RowStream:
    """Return the random stream for consecutive rows, starting at row 0."""
    return RowStream(seed=1, stream=2, rows=consecutive_rows(0, len(codes)))


# The tests have no deadline, because the first call can compile kernels.
no_deadline = settings(deadline=None)


def fit(values: Any, *, nullable: bool = False) -> tuple[NumericTransformer, npt.NDArray[np.uint16]]:
    kind = ColumnKind.float if pa.types.is_floating(values.type) else ColumnKind.integer
    column = Column(name="x", kind=kind, arrow_type=str(values.type), nullable=nullable)
    return fit_numeric(column, values)


def round_trip(values: Any, *, nullable: bool = False) -> Any:
    transformer, codes = fit(values, nullable=nullable)
    decoded = transformer.decode(codes, stream_of(codes))
    assert decoded.type == values.type
    decoded.validate(full=True)
    return decoded


@pytest.mark.parametrize(
    "values",
    [
        pa.array([-(2**63), 2**63 - 1, 0, 2**53 + 1]),
        pa.array([0, 2**64 - 1, 2**63], pa.uint64()),
        pa.array([-128, 127], pa.int8()),
        pa.array([0.1, 0.25, -3.125, 1e6]),
        pa.array([1e300, -1e300, 1e-300, 1.5]),
        pa.array([1 / 3, 2 / 3, np.pi]),
        pa.array([0.1, 3.3], pa.float32()),
        pa.array([0.5, 0.1], pa.float16()),
        pa.array([Decimal("0.01"), Decimal("-9999999.99")], pa.decimal128(38, 2)),
        pa.array([date(1, 1, 1), date(9999, 12, 31)], pa.date32()),
        pa.array([date(1970, 1, 1), date(2024, 2, 29)], pa.date64()),
        pa.array([0, 86399], pa.time32("s")),
        pa.array([0, 86_399_999_999_999], pa.time64("ns")),
        pa.array([-(2**63) + 1, 2**63 - 1, 1_700_000_000_123_456_789], pa.timestamp("ns")),
        pa.array([datetime(2024, 1, 1, 12)], pa.timestamp("s", tz="Europe/Vienna")),  # noqa: DTZ001
        pa.array([-(2**63) + 1, 5], pa.duration("us")),
    ],
    ids=lambda values: str(values.type),
)
def test_shared_values_are_restored_exactly(values: Any) -> None:
    repeated = pa.concat_arrays([values] * MIN_SUPPORT)
    assert round_trip(repeated).equals(repeated)


@no_deadline
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_ticks_represent_integers_exactly(integers: list[int]) -> None:
    array = np.array(integers, np.int64)
    origin, step, ticks = to_ticks(array)
    assert from_ticks(origin, step, ticks, is_signed=True).tolist() == integers


@no_deadline
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=5, max_size=60))
def test_integers_decode_within_their_range_and_grid(integers: list[int]) -> None:
    decoded = round_trip(pa.array(integers)).to_pylist()
    step = math.gcd(*(value - min(integers) for value in integers))
    assert min(integers) <= min(decoded)
    assert max(decoded) <= max(integers)
    assert all((value - min(integers)) % max(step, 1) == 0 for value in decoded)


@no_deadline
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=5, max_size=60))
def test_floats_decode_within_their_range(floats: list[float]) -> None:
    decoded = round_trip(pa.array(floats)).to_pylist()
    # Means and interpolated values are exact except for the last bits.
    slack = 1e-9 * max(abs(value) for value in floats)
    assert min(floats) - slack <= min(decoded)
    assert max(decoded) <= max(floats) + slack


@no_deadline
@given(st.integers(0, 2**32 - 1), st.sampled_from([5, 20, 50, 3000]), st.sampled_from([16, 300]))
def test_every_bin_has_enough_rows(seed: int, n_distinct: int, n_bins_max: int) -> None:
    rng = np.random.default_rng(seed)
    values = (rng.exponential(n_distinct / 5, 2000) // 1).astype(np.uint64)
    values[:1000] = rng.integers(0, n_distinct, 1000)
    bins, codes = fit_bins(values, n_bins_max)
    assert bins.n_bins <= n_bins_max
    assert np.bincount(codes, minlength=bins.n_bins).min() >= MIN_SUPPORT
    shared = bins.starts[bins.knot_row < 0]
    assert all((values == value).sum() >= MIN_SUPPORT for value in shared)
    assert (np.diff(bins.knots, axis=1) >= 0).all()


def test_codes_have_the_same_order_as_the_values() -> None:
    values = np.random.default_rng(0).lognormal(size=5000)
    _, codes = fit_bins(values, 100)
    assert (np.diff(codes[np.argsort(values)].astype(int)) >= 0).all()


def test_ends_of_a_range_are_means_of_neighboring_values() -> None:
    values = np.arange(18, dtype=np.uint64) ** np.uint64(2)
    bins, _ = fit_bins(values, 100)
    # Without the four rows at each end, one range of ten rows remains. The ends of this range are means of
    # five rows.
    low, high = np.mean([16, 25, 36, 49, 64]), np.mean([81, 100, 121, 144, 169])
    assert bins.starts[0] + bins.knots[0, 0] == low
    assert bins.starts[0] + bins.knots[0, -1] == high


def test_few_rows_between_two_shared_values_are_assigned_to_the_nearer_value() -> None:
    values = np.repeat(np.array([10, 13, 17, 20], np.uint64), [5, 1, 2, 5])
    bins, codes = fit_bins(values, 100)
    assert bins.starts.tolist() == [10, 20]
    assert codes.tolist() == [0] * 6 + [1] * 7


def test_distribution_of_numbers_is_preserved() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=20_000)
    decoded = np.sort(round_trip(pa.array(values)).to_numpy())
    # The codes come from the fit, so only the position within bins of about 10 rows is random.
    assert np.abs(decoded - np.sort(values)).mean() < 0.002


@pytest.mark.parametrize("tiny", [2.6e-92, 1e-7, 3.3e-300])
def test_tiny_floats_do_not_become_zero(tiny: float) -> None:
    decoded = round_trip(pa.array([tiny, 2 * tiny] * 5)).to_pylist()
    assert set(decoded) == {tiny, 2 * tiny}


def test_the_number_of_decimals_is_kept() -> None:
    values = np.round(np.random.default_rng(0).normal(size=5000), 2)
    decoded = round_trip(pa.array(values)).to_numpy()
    assert (np.round(decoded, 2) == decoded).all()


def test_the_step_between_integers_is_kept() -> None:
    values = pa.array(np.random.default_rng(0).integers(0, 10**6, 3000) * 25 + 7)
    assert {value % 25 for value in round_trip(values).to_pylist()} == {7}


def test_missing_values_keep_their_positions() -> None:
    values = pa.array([1, None, 2] * 10)
    assert round_trip(values, nullable=True).equals(values)


def test_nan_is_missing_and_restored_as_null_in_a_nullable_column() -> None:
    values = pa.array([1.5, float("nan"), None] * 10)
    assert round_trip(values, nullable=True).to_pylist() == [1.5, None, None] * 10


def test_nan_is_restored_as_nan_in_a_column_that_is_not_nullable() -> None:
    decoded = round_trip(pa.array([1.5, float("nan")] * 10))
    assert decoded.null_count == 0
    assert np.isnan(decoded.to_numpy()).tolist() == [False, True] * 10


@pytest.mark.parametrize(
    "values", [pa.array([812]), pa.array([8.5, 9.25, 1.0, 2.0]), pa.array([date(1990, 5, 17)])]
)
def test_too_few_values_are_replaced_by_zero(values: Any) -> None:
    decoded = round_trip(values)
    assert decoded.cast(pa.int32()).to_pylist() == [0] * len(values)
    assert fit(values)[0].describe()["placeholder"]


def test_stored_arrays_contain_no_value_of_a_single_row() -> None:
    values = pa.array(np.random.default_rng(0).integers(0, 10**12, 1000))
    transformer, _ = fit(values)
    scale, bins = transformer.scale, transformer.bins
    kept = {scale.origin} | {scale.origin + scale.step * int(start) for start in bins.starts}
    assert not kept & set(values.to_pylist())


def test_sliced_arrays_are_read_with_their_offset() -> None:
    for type_ in (pa.int64(), pa.decimal128(12, 1), pa.date32()):
        values = pa.array([100] * 10 + list(range(6)) * 5).cast(pa.int32()).cast(type_).slice(10)
        assert round_trip(values).equals(values)


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_infinite_values_are_refused(value: float) -> None:
    with pytest.raises(InvalidInput, match="'x' contains infinite values"):
        fit(pa.array([1.0, value]))


def test_decimals_beyond_64_bits_are_refused() -> None:
    values = pa.array([Decimal(10) ** 30] * 9, pa.decimal128(38, 0))
    with pytest.raises(InvalidInput, match="more than 18 digits"):
        fit(values)


def test_whole_numbers_and_floats_are_sorted_in_the_same_order() -> None:
    rng = np.random.default_rng(5)
    values, subjects = rng.integers(0, 40, 3000).astype(np.uint64), rng.integers(0, 300, 3000)
    whole, floats = sort_rows(values, subjects), sort_rows(values.astype(np.float64), subjects)
    assert whole.subjects is not None
    assert floats.subjects is not None
    np.testing.assert_array_equal(whole.values, floats.values)
    np.testing.assert_array_equal(whole.subjects, floats.subjects)
    np.testing.assert_array_equal(whole.first_row, floats.first_row)
    assert whole.n_rows_beyond == floats.n_rows_beyond


@pytest.mark.parametrize(("unit", "minutes"), [("s", 1), ("us", 15), ("ns", 1)])
def test_hours_of_few_timestamps_in_a_year_are_kept(unit: Any, minutes: int) -> None:
    rng = np.random.default_rng(1)
    times = np.clip(rng.normal(12.5, 2.0, 500), 8, 18) * (60 // minutes)
    minute = rng.integers(0, 365, 500) * 1440 + times.astype(np.int64) * minutes
    values = pa.array(minute.astype("datetime64[m]").astype(f"datetime64[{unit}]"))
    transformer, codes = fit(values)
    decoded = transformer.decode(codes, stream_of(codes))
    manifest, arrays = transformer.to_arrays()
    column = Column(name="x", kind=ColumnKind.date, arrow_type=str(values.type), nullable=False)
    loaded = NumericTransformer.from_arrays(column, values.type, ArrayReader(manifest, arrays))
    assert loaded.decode(codes, stream_of(codes)).equals(decoded)
    drawn = decoded.to_numpy().astype("datetime64[m]").astype(np.int64)
    assert not (drawn % minutes).any()
    real, made = (np.bincount(own % 1440 // 60, minlength=24) / 500 for own in (minute, drawn))
    # The total variation of two samples of 500 rows with eleven hours is below 0.12.
    assert np.abs(real - made).sum() / 2 < 0.12
    # Rows stay in their ranges.
    low, high = (own.to_numpy()[codes] for own in transformer.spans())
    assert ((decoded.to_numpy() >= low) & (decoded.to_numpy() <= high)).all()


def hours_of(minute: npt.NDArray[np.int64]) -> npt.NDArray[np.float64] | None:
    """Return the learned distribution of the hours of timestamps, or None if there is none."""
    transformer, _ = fit(pa.array(minute.astype("datetime64[m]").astype("datetime64[s]")))
    return transformer.to_arrays()[1].get("clock")


def test_even_hours_of_few_rows_are_not_learned() -> None:
    rngs = [np.random.default_rng(seed) for seed in range(20)]
    for n in (20, 60, 100, 150):
        learned = [hours_of(rng.integers(0, 365 * 1440, n)) is not None for rng in rngs]
        assert sum(learned) <= 1


def test_hours_below_k_rows_are_distributed_without_revealing_them() -> None:
    rng = np.random.default_rng(4)
    minutes, days = rng.integers(0, 60, 200), rng.integers(0, 365, 200) * 1440
    office = np.repeat(np.arange(9, 18), 20)

    def learn(*rare: int) -> npt.NDArray[np.float64] | None:
        hours = np.append(office, rare)
        return hours_of(days[: len(hours)] + hours * 60 + minutes[: len(hours)])

    few, early, late = learn(0, 1, 2, 3), learn(0, 1, 2, 3, 4), learn(20, 20, 20, 21, 22)
    assert few is not None
    assert early is not None
    np.testing.assert_array_equal(early, late)
    shares = np.diff(early)
    assert shares[9:18].sum() == pytest.approx(180 / 185)
    assert (shares > 0).all()
    np.testing.assert_allclose(np.diff(few)[9:18], 1 / 9)


def test_hours_are_learned_from_long_ranges_only() -> None:
    rng = np.random.default_rng(3)
    shared = np.repeat(np.arange(50) * 7 * 1440, 20)
    # Four rows do not share a value.
    dense = 400 * 1440 + np.repeat(np.arange(40), 4)
    office = rng.integers(0, 365, 1000) * 1440 + rng.integers(8 * 60, 18 * 60, 1000)
    below = hours_of(np.concatenate((shared, dense, office)))
    assert below is not None
    # Only the range that ends in the dense minutes, with about ten rows, is longer than an hour.
    assert below[1] < 0.02


def test_even_hours_and_invalid_times_of_day_are_not_used() -> None:
    minute = np.random.default_rng(2).integers(0, 365 * 1440, 500)
    even = pa.array(minute.astype("datetime64[m]").astype("datetime64[s]"))
    assert "has_clock" not in fit(even)[0].to_arrays()[0]
    transformer, _ = fit(
        pa.array((minute // 1440 * 1440 + minute % 60).astype("datetime64[m]").astype("datetime64[s]"))
    )
    manifest, arrays = transformer.to_arrays()
    column = Column(name="x", kind=ColumnKind.date, arrow_type="timestamp[s]", nullable=False)
    damaged = ArrayReader(manifest, {**arrays, "clock": arrays["clock"][::-1]})
    with pytest.raises(InvalidInput):
        NumericTransformer.from_arrays(column, pa.timestamp("s"), damaged)
