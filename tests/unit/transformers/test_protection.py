"""Tests that models neither store nor emit extreme values or values of a single row or subject."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.base import MIN_SUPPORT, RowStream, Subjects, consecutive_rows
from understudy.transformers.bins import fit_bins
from understudy.transformers.integer_units import array_of_integers, integers_of
from understudy.transformers.numeric import NumericTransformer, fit_numeric

# The tests have no deadline, because the first call can compile kernels.
no_deadline = settings(deadline=None)
SEED = st.integers(0, 2**32 - 1)
# With at least this number of rows, k central values are between the k-th values from both ends.
N_ROWS_MIN = 3 * MIN_SUPPORT - 2


def fit(values: Any, subjects: Subjects | None = None) -> NumericTransformer:
    column = Column(name="x", kind=ColumnKind.float, arrow_type=str(values.type), nullable=False)
    return fit_numeric(column, values, subjects)[0]


def draw(transformer: NumericTransformer, n_each: int = 200) -> Any:
    """Decode every code `n_each` times, and return the numbers."""
    codes = np.repeat(np.arange(transformer.n_codes, dtype=np.uint16), n_each)
    rows = consecutive_rows(0, len(codes))
    return transformer.decode(codes, RowStream(seed=1, stream=2, rows=rows))


def many_floats(rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
    """Return floats of a random shape, such as heavy tails, ties, clusters, or huge and tiny numbers."""
    shapes = [
        rng.normal(size=n),
        rng.standard_cauchy(n),
        np.where(rng.random(n) < 0.5, 0.0, rng.lognormal(0, 3, n)),
        rng.integers(0, 20, n) / 7,
        np.exp(rng.uniform(-600, 600, n)) * rng.choice([-1, 1], n),
        np.where(rng.random(n) < 0.01, 1e9 * rng.random(n), np.round(rng.random(n), 1)),
    ]
    chosen: npt.NDArray[np.float64] = shapes[rng.integers(len(shapes))]
    return chosen


TYPES = [
    pa.float64(),
    pa.float32(),
    pa.int64(),
    pa.int32(),
    pa.decimal128(18, 2),
    pa.timestamp("us"),
    pa.date32(),
    pa.duration("ms"),
]


def as_type(floats: npt.NDArray[np.float64], type_: pa.DataType) -> Any:
    """Return floats as values of a type, multiplied by 1,000 for exact types."""
    if pa.types.is_floating(type_):
        return pa.array(np.clip(floats, -1e38, 1e38).astype(type_.to_pandas_dtype()))
    limit = 2**31 - 1 if type_.bit_width == 32 else 2.0**59
    return array_of_integers(np.clip(floats * 1000, -limit, limit).astype(np.int64), type_, None)


def as_numbers(values: Any) -> npt.NDArray[Any]:
    """Return the numbers that an array stores."""
    return values.to_numpy() if pa.types.is_floating(values.type) else integers_of("x", values)


@pytest.mark.parametrize("type_", TYPES, ids=str)
@no_deadline
@given(SEED, st.sampled_from([N_ROWS_MIN, 20, 60, 700]))
def test_sampled_values_are_between_the_kth_values_from_both_ends_except_in_tails(
    type_: pa.DataType, seed: int, n: int
) -> None:
    values = as_type(many_floats(np.random.default_rng(seed), n), type_)
    transformer, ordered = fit(values), np.sort(as_numbers(values))
    drawn = as_numbers(draw(transformer))
    assert transformer.bins.lower or ordered[MIN_SUPPORT - 1] <= drawn.min()
    assert transformer.bins.upper or drawn.max() <= ordered[-MIN_SUPPORT]


@no_deadline
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=N_ROWS_MIN, max_size=40))
def test_extreme_values_are_clipped_even_if_they_span_the_whole_integer_range(integers: list[int]) -> None:
    drawn = draw(fit(pa.array(integers))).to_pylist()
    ordered = sorted(integers)
    assert ordered[MIN_SUPPORT - 1] <= min(drawn)
    assert max(drawn) <= ordered[-MIN_SUPPORT]


def test_a_column_of_few_numbers_is_replaced_by_the_mean_of_the_central_numbers() -> None:
    values = pa.array([-1e6, 1.5, 2.5, 3.5, 4.5, 5.5, 1e6, 1 / 3])
    transformer = fit(values)
    # The placeholder is the mean of the central five of the sorted numbers: 1/3, 1.5, 2.5, 3.5 and 4.5.
    assert draw(transformer).to_pylist() == pytest.approx([(1 / 3 + 12) / 5] * 200)
    assert transformer.describe()["rows_merged"] == 8


@no_deadline
@given(SEED)
def test_no_float_of_a_single_row_is_stored_or_sampled(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0, 2, 3000)
    values[::3] = np.repeat(rng.random(200), 5)
    distinct, counts = np.unique(values, return_counts=True)
    single = set(distinct[counts < MIN_SUPPORT].tolist())
    transformer = fit(pa.array(values))
    bins = transformer.bins
    kept = {*bins.starts.tolist(), *bins.knots.ravel().tolist()}
    kept |= set((bins.starts[bins.knot_row >= 0, None] + bins.knots).ravel().tolist())
    assert not kept & single
    assert not set(draw(transformer, 100).to_pylist()) & single


@no_deadline
@given(SEED, st.sampled_from([pa.int64(), pa.timestamp("us"), pa.decimal128(18, 2)]))
def test_no_stored_start_or_origin_is_the_number_of_a_single_row(seed: int, type_: pa.DataType) -> None:
    rng = np.random.default_rng(seed)
    whole = rng.integers(0, 10**15, 2000)
    transformer = fit(array_of_integers(whole, type_, None))
    scale, starts = transformer.scale, transformer.bins.starts
    kept = {scale.origin} | {scale.origin + scale.step * int(start) for start in starts}
    # A mean of five numbers below 10**15 equals one of the values with a probability of about 10**-9.
    assert not kept & set(whole.tolist())


def test_the_distance_of_a_single_outlier_is_not_stored_as_the_step() -> None:
    for common in ([7] * 50, [7] * 50 + [10] * 50):
        scale = fit(pa.array([*common, 7 + 3 * 123_457])).scale
        assert (scale.origin, scale.step) in ((7, 1), (7, 3))


def test_merged_and_clipped_rows_are_counted() -> None:
    # Three values below 10 and two values above 20 are clipped. The three values between 10 and 20 are
    # merged.
    values = pa.array([1, 2, 3, *[10] * 5, 13, 14, 17, *[20] * 5, 31, 32])
    facts = fit(values).describe()
    assert (facts["rows_drawn_in"], facts["rows_merged"]) == (5, 3)


def subjects_of(rng: np.random.Generator, n: int) -> Subjects:
    """Return the subjects of n rows. A few subjects have many rows, and most subjects have few rows."""
    return np.unique((rng.pareto(1, n) * 5).astype(np.int64) % 60, return_inverse=True)[1].astype(np.int64)


@no_deadline
@given(SEED, st.sampled_from([60, 300, 2000]), st.sampled_from([12, 300]))
def test_every_bin_has_enough_subjects(seed: int, n: int, n_bins_max: int) -> None:
    rng = np.random.default_rng(seed)
    subjects = subjects_of(rng, n)
    # The numbers identify their subject, and some numbers are repeated by only one subject.
    values = np.round(subjects * 3 + rng.exponential(size=n), int(rng.integers(1, 9)))
    if len(np.unique(subjects)) < MIN_SUPPORT:
        return
    bins, codes = fit_bins(values, n_bins_max, subjects)
    for code in range(bins.n_bins):
        assert len(np.unique(subjects[codes == code])) >= MIN_SUPPORT
    for value in bins.starts[bins.knot_row < 0]:
        assert len(np.unique(subjects[values == value])) >= MIN_SUPPORT


@no_deadline
@given(SEED, st.sampled_from([60, 700]))
def test_sampled_values_are_between_the_values_of_the_kth_subjects_except_in_tails(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    values, subjects = many_floats(rng, n), subjects_of(rng, n)
    owners = np.unique(subjects)
    lowest = np.sort([values[subjects == s].min() for s in owners])
    highest = np.sort([values[subjects == s].max() for s in owners])
    if len(owners) < N_ROWS_MIN or lowest[4] >= highest[-5]:
        return
    transformer = fit(pa.array(values), subjects)
    if transformer.n_codes > 1:
        drawn = draw(transformer).to_numpy()
        assert transformer.bins.lower or lowest[MIN_SUPPORT - 1] <= drawn.min()
        assert transformer.bins.upper or drawn.max() <= highest[-MIN_SUPPORT]


def test_rows_of_one_subject_do_not_make_a_number_shared() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate((rng.normal(size=500), np.full(300, 0.123_456_789)))
    subjects = np.concatenate((np.arange(500), np.full(300, 7)))
    assert fit(pa.array(values)).describe()["shared_values"] == 1
    transformer = fit(pa.array(values), subjects)
    assert transformer.describe()["shared_values"] == 0
    assert 0.123_456_789 not in draw(transformer).to_pylist()


def test_one_subject_per_row_leads_to_the_same_result_as_no_subjects() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=20_000)
    by_row = np.sort(draw(fit(pa.array(values)), 20).to_numpy())
    by_subject = np.sort(draw(fit(pa.array(values), np.arange(20_000)), 20).to_numpy())
    quantiles = np.linspace(0.01, 0.99, 50)
    assert np.quantile(by_row, quantiles) == pytest.approx(np.quantile(by_subject, quantiles), rel=0.02)


def test_numbers_of_too_few_subjects_are_replaced_by_zero() -> None:
    transformer = fit(pa.array(np.arange(100) + 0.5), np.arange(100) % 4)
    assert set(draw(transformer).to_pylist()) == {0.0}
    assert transformer.describe()["placeholder"]
