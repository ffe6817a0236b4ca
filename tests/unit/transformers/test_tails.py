"""Tests that skewed columns keep means and extreme quantiles, and that no extreme value influences a tail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.array_reader import ArrayReader
from understudy.transformers.base import MIN_SUPPORT, Codes, RowStream, Subjects
from understudy.transformers.numeric import NumericTransformer, fit_numeric

Floats = npt.NDArray[np.float64]
Generate = Callable[[np.random.Generator, int], Floats]


def pareto(rng: np.random.Generator, n: int) -> Floats:
    """Return numbers from a Pareto distribution with shape 2.5 and minimum 1."""
    return rng.pareto(2.5, n) + 1


def costs(rng: np.random.Generator, n: int) -> Floats:
    """Return costs in cents that are zero in most rows."""
    return np.where(rng.random(n) < 0.6, 0, np.round(rng.lognormal(6, 1.5, n), 2))


SKEWED: dict[str, Generate] = {
    "lognormal": lambda rng, n: rng.lognormal(0, 2, n),
    "pareto": pareto,
    "costs": costs,
}


def fit(values: Any, subjects: Subjects | None = None) -> tuple[NumericTransformer, Codes]:
    """Fit a column with the data type of the values."""
    array = pa.array(values)
    kind = ColumnKind.integer if pa.types.is_integer(array.type) else ColumnKind.float
    column = Column(name="x", kind=kind, arrow_type=str(array.type), nullable=False)
    return fit_numeric(column, array, subjects)


def sample(transformer: NumericTransformer, codes: Codes, seed: int = 0) -> npt.NDArray[Any]:
    """Resample the fitted codes with replacement, and return the decoded numbers."""
    drawn = np.random.default_rng(seed).choice(codes, len(codes))
    return transformer.decode(drawn, RowStream(seed, 5, np.arange(len(drawn), dtype=np.uint64))).to_numpy()


def statistics(values: Floats) -> Floats:
    """Return the mean, the standard deviation and the 99.9% quantile."""
    return np.array([values.mean(), values.std(), np.quantile(values, 0.999)])


@pytest.mark.parametrize("name", SKEWED)
def test_skewed_columns_keep_mean_sd_and_extreme_quantile(name: str) -> None:
    errors, baseline = np.empty((2, 60, 3))
    for seed in range(60):
        rng = np.random.default_rng(seed)
        real, other = SKEWED[name](rng, 5000), SKEWED[name](rng, 5000)
        synthetic = sample(*fit(real), seed)
        errors[seed] = statistics(synthetic) / statistics(real) - 1
        baseline[seed] = statistics(other) / statistics(real) - 1
    assert abs(np.median(errors[:, 0])) <= 0.05
    # The medians of 60 absolute errors have a relative standard error of about 0.15 each.
    ratio = np.median(abs(errors), axis=0) / np.median(abs(baseline), axis=0)
    assert (ratio <= 1.2 + 0.4).all()


@pytest.mark.parametrize("name", SKEWED)
def test_extreme_values_do_not_influence_the_model(name: str) -> None:
    values = np.sort(SKEWED[name](np.random.default_rng(3), 2000))
    changed = values.copy()
    changed[-MIN_SUPPORT + 1 :] = 1e9
    models = [fit(numbers)[0].to_arrays() for numbers in (values, changed)]
    assert models[0][0] == models[1][0]
    assert "tail_upper" in models[0][1]
    for key, array in models[0][1].items():
        assert np.array_equal(array, models[1][1][key])


def test_rows_of_extreme_subjects_do_not_influence_the_model() -> None:
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(600), 4)
    values = rng.lognormal(0, 1.5, 600)[subjects] * rng.uniform(0.5, 1, len(subjects))
    highest = np.argsort([-values[subjects == subject].max() for subject in range(600)])
    changed = values.copy()
    is_extreme = np.isin(subjects, highest[: MIN_SUPPORT - 1])
    start = fit(values, subjects)[0].spans()[0][-1].as_py()
    # Only rows of these subjects that are already in the tail are changed.
    changed[is_extreme & (values > start * 2)] = 1e9
    first, second = (fit(numbers, subjects)[0].bins.upper for numbers in (values, changed))
    assert first is not None
    assert second is not None
    assert np.allclose(first.offsets, second.offsets)


def test_no_extreme_value_is_sampled() -> None:
    for seed in range(20):
        real = np.random.default_rng(seed).lognormal(0, 2, 5000)
        assert not set(sample(*fit(real), seed).tolist()) & set(np.sort(real)[-MIN_SUPPORT:].tolist())


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(100, 5, 5000),
        np.random.default_rng(0).random(5000),
        np.random.default_rng(0).integers(0, 12, 5000),
    ],
    ids=["normal", "uniform", "integers"],
)
def test_no_tails_are_fitted_to_columns_without_long_tails(values: npt.NDArray[Any]) -> None:
    assert "tails" not in fit(values)[0].describe()


def test_points_in_time_have_no_tails() -> None:
    seconds = np.random.default_rng(0).lognormal(10, 2, 3000).astype(np.int64)
    column = Column(name="x", kind=ColumnKind.timestamp, arrow_type="timestamp[s]", nullable=False)
    transformer, _ = fit_numeric(column, pa.array(seconds, pa.timestamp("s")))
    assert "tails" not in transformer.describe()
    assert "tails" in fit(seconds)[0].describe()


def test_tails_on_both_sides_are_sampled() -> None:
    real = np.random.default_rng(0).standard_t(3, 5000)
    transformer, codes = fit(real)
    assert transformer.describe()["tails"] == ["lower", "upper"]
    synthetic = sample(transformer, np.tile(codes, 20))
    assert statistics(synthetic)[1] == pytest.approx(real.std(), rel=0.1)
    ordered = np.sort(real)
    assert synthetic.min() < ordered[MIN_SUPPORT - 1]
    assert synthetic.max() > ordered[-MIN_SUPPORT]
    low, high = transformer.spans()
    assert low[0].as_py() <= synthetic.min()
    assert synthetic.max() <= high[-1].as_py()


def test_nonnegative_columns_have_no_negative_samples() -> None:
    real = np.random.default_rng(0).gamma(0.5, size=300)
    assert sample(*fit(np.tile(real, 1)), 1).min() >= 0


def test_percentages_do_not_exceed_100() -> None:
    real = np.minimum(np.random.default_rng(0).exponential(12, 2000), 99.9)
    transformer, codes = fit(real)
    assert transformer.describe()["tails"] == ["upper"]
    assert sample(transformer, np.tile(codes, 50)).max() <= 100


def test_integers_stay_in_the_range_of_their_type() -> None:
    amounts = np.random.default_rng(0).lognormal(7, 1.2, 4000)
    real = amounts[amounts < 32_000].astype(np.int16)
    transformer, codes = fit(real)
    synthetic = sample(transformer, np.tile(codes, 50))
    assert transformer.describe()["tails"] == ["upper"]
    # An overflow would make numbers negative.
    assert synthetic.min() >= 0
    assert synthetic.max() > 32_000


def test_lower_tails_of_integers_are_sampled() -> None:
    real = -np.random.default_rng(0).lognormal(7, 1.5, 4000).astype(np.int64)
    transformer, codes = fit(real)
    synthetic = sample(transformer, np.tile(codes, 20))
    assert transformer.describe()["tails"] == ["lower"]
    assert synthetic.max() <= 0
    assert synthetic.min() < np.sort(real)[MIN_SUPPORT - 1]
    assert synthetic.mean() == pytest.approx(real.mean(), rel=0.05)


@pytest.mark.parametrize(
    "values",
    [np.random.default_rng(0).lognormal(0, 2, 1000), np.random.default_rng(0).normal(size=1000)],
    ids=["upper", "both"],
)
def test_tails_are_saved_and_loaded(values: Floats) -> None:
    transformer, codes = fit(values)
    manifest, arrays = transformer.to_arrays()
    column = Column(name="x", kind=ColumnKind.float, arrow_type="double", nullable=False)
    loaded = NumericTransformer.from_arrays(column, pa.float64(), ArrayReader(manifest, arrays))
    assert sample(loaded, codes).tolist() == sample(transformer, codes).tolist()


@pytest.mark.parametrize(
    ("fraction", "offset"), [(0.0, 0.0), (1.5, 0.0), (0.5, np.nan), (0.5, np.inf), (0.5, -1.0), ("a", 0.0)]
)
def test_invalid_tails_are_refused(fraction: Any, offset: float) -> None:
    manifest, arrays = fit(np.random.default_rng(0).lognormal(0, 2, 1000))[0].to_arrays()
    offsets = arrays["tail_upper"].copy()
    offsets[-1] += offset
    column = Column(name="x", kind=ColumnKind.float, arrow_type="double", nullable=False)
    if offset == -1.0:
        offsets = -offsets
    reader = ArrayReader(manifest | {"fraction_upper": fraction}, {**arrays, "tail_upper": offsets})
    with pytest.raises(InvalidInput, match="not a valid model file"):
        NumericTransformer.from_arrays(column, pa.float64(), reader)


@pytest.mark.parametrize("scale", [1e-300, 1e150, 1e290])
def test_extremely_large_and_small_numbers_have_tails(scale: float) -> None:
    numbers = np.random.default_rng(0).lognormal(0, 2, 2000)
    plain, _ = fit(numbers)
    scaled, _ = fit(numbers * scale)
    assert (scaled.bins.upper is None) == (plain.bins.upper is None)
    assert scaled.bins.upper is not None


@pytest.mark.parametrize("step", [1, 10**12])
def test_tails_stay_in_the_range_of_the_type(step: int) -> None:
    skewed = np.random.default_rng(0).lognormal(0, 2, 3000)
    numbers = np.floor(-skewed / skewed.max() * 2.0**62.9 / step).astype(np.int64) * step
    transformer, codes = fit(numbers)
    assert transformer.bins.lower is not None
    column = Column(name="x", kind=ColumnKind.integer, arrow_type="int64", nullable=False)
    manifest, arrays = transformer.to_arrays()
    loaded = NumericTransformer.from_arrays(column, pa.int64(), ArrayReader(manifest, arrays))
    assert sample(loaded, codes).max() <= 0


def test_tails_of_stepwise_numbers_keep_their_sign() -> None:
    skewed = np.random.default_rng(0).lognormal(0, 2, 3000)
    numbers = 500 + 1000 * np.round(1000 * (1 - skewed / skewed.max())).astype(np.int64)
    transformer, codes = fit(numbers)
    assert transformer.bins.lower is not None
    assert transformer.spans()[0][0].as_py() >= 0
    assert sample(transformer, codes).min() >= 0
