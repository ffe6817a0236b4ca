"""Compare the tails of sampled columns with the tails of a second real table of the same size.

    python -m benchmarks.tails [--tables 300] [--rows 5000]

For three skewed distributions, a column is fitted and sampled. The relative errors of the sample's mean,
standard deviation and 99.9% quantile are compared with a baseline: the errors of a second real column from
the same distribution. The median absolute error of the sample should be at most 1.2 times the baseline, and
the median signed error of the mean should be at most 5%.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.base import MIN_SUPPORT, RowStream, consecutive_rows
from understudy.transformers.numeric import fit_numeric

Floats = npt.NDArray[np.float64]

COLUMN = Column(name="x", kind=ColumnKind.float, arrow_type="double", nullable=False)
# Share of rows with zero cost.
ZERO_SHARE = 0.6


def lognormal(rng: np.random.Generator, n: int) -> Floats:
    """Return lognormal numbers with a sigma of 2."""
    return rng.lognormal(0, 2, n)


def pareto(rng: np.random.Generator, n: int) -> Floats:
    """Return Pareto numbers with an alpha of 2.5 and a minimum of 1."""
    return rng.pareto(2.5, n) + 1


def costs(rng: np.random.Generator, n: int) -> Floats:
    """Return costs with two decimals. Most of the costs are zero."""
    return np.where(rng.random(n) < ZERO_SHARE, 0, np.round(rng.lognormal(6, 1.5, n), 2))


DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "lognormal, sigma 2": lognormal,
    "Pareto, alpha 2.5": pareto,
    "costs, 60% zero": costs,
}


def statistics(values: Floats) -> Floats:
    """Return the mean, the standard deviation and the 99.9% quantile."""
    return np.array([values.mean(), values.std(), np.quantile(values, 0.999)])


def sample(real: Floats, seed: int) -> Floats:
    """Fit a column, and sample the same number of values."""
    transformer, codes = fit_numeric(COLUMN, pa.array(real))
    drawn = np.random.default_rng(seed).choice(codes, len(codes))
    numbers = transformer.decode(drawn, RowStream(seed, 0, consecutive_rows(0, len(drawn))))
    return np.asarray(numbers.to_numpy(zero_copy_only=False), np.float64)


def main() -> None:
    """Print ratios, signed errors, and how many of the largest real values occur in the samples."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=300, help="number of tables of each distribution")
    parser.add_argument("--rows", type=int, default=5000, help="number of rows of each table")
    options = parser.parse_args()
    print(
        f"{'distribution':20} {'mean':>6} {'sd':>6} {'q99.9':>6}  {'signed error of the mean':>24}  extremes"
    )
    for name, generate in DISTRIBUTIONS.items():
        errors, baseline = np.empty((2, options.tables, 3))
        n_emitted = 0
        for seed in range(options.tables):
            rng = np.random.default_rng(seed)
            real, other = generate(rng, options.rows), generate(rng, options.rows)
            synthetic = sample(real, seed)
            errors[seed] = statistics(synthetic) / statistics(real) - 1
            baseline[seed] = statistics(other) / statistics(real) - 1
            n_emitted += len(np.intersect1d(synthetic, np.sort(real)[1 - MIN_SUPPORT :]))
        ratios = np.median(abs(errors), axis=0) / np.median(abs(baseline), axis=0)
        shown = " ".join(f"{ratio:6.2f}" for ratio in ratios)
        print(f"{name:20} {shown}  {np.median(errors[:, 0]):24.1%}  {n_emitted:8}")


if __name__ == "__main__":
    main()
