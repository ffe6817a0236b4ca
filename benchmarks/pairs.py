"""Compare differences, products and ratios of columns with those of real rows.

    python -m benchmarks.pairs [--data FOLDER] [--presets fast,balanced] [--seeds 10]

For each pair of columns, the median and the 99% quantile of the difference are compared with those of the
table that was fitted: both should be within 15%. For each product, the sums of the product and of its result
are compared: their error should be at most 2 points above the error of a second real table of the same size.
`FOLDER` may contain `taxis.csv` of the seaborn data. Its rows are halved, because there is no second table.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple  # `Any` is an Arrow array of any type.

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

import understudy
from understudy.tables.formats import read_table

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator

QUANTILE_ERROR_MAX = 0.15
SUM_ERROR_MAX = 0.02
N_ROWS = 5000
_SECONDS_2024 = 1_704_067_200
_DAY = 86_400


class Case(NamedTuple):
    """A table, its pairs of columns, and its formulas with the columns that they compute.

    Parameters
    ----------
    draw : callable
        Return the table of a seed. Different seeds return different rows of the same distribution.
    differences : tuple of (start, end)
    formulas : tuple of (result, function of the columns)
    """

    draw: Callable[[int], pa.Table]
    differences: tuple[tuple[str, str], ...] = ()
    formulas: tuple[tuple[str, Callable[[dict[str, Floats]], Floats]], ...] = ()


def meters(seed: int) -> pa.Table:
    """Return yearly readings of electricity meters. One reading in 30 is equal to the previous reading."""
    rng = np.random.default_rng([seed, 1])
    previous = rng.integers(100, 90_000, N_ROWS)
    used = np.where(rng.random(N_ROWS) < 1 / 30, 0, np.rint(rng.lognormal(7.8, 0.7, N_ROWS)))
    return pa.table(
        {
            "tariff": rng.choice(["day", "night", "flat"], N_ROWS),
            "previous_reading": previous,
            "reading": previous + used.astype(np.int64),
            "persons": rng.integers(1, 6, N_ROWS),
        }
    )


def visits(seed: int) -> pa.Table:
    """Return stays in a hospital: minutes in the emergency room, and days on a ward, by urgency."""
    rng = np.random.default_rng([seed, 2])
    urgency = rng.integers(1, 6, N_ROWS)
    arrival = _SECONDS_2024 + rng.integers(0, 366 * _DAY, N_ROWS)
    minutes = 5 + np.rint(rng.gamma(2, 25 * urgency))
    admitted = (arrival // _DAY).astype(np.int32)
    days = rng.geometric(0.35, N_ROWS) - 1 + np.where(urgency == 1, 3, 0)
    return pa.table(
        {
            "urgency": urgency,
            "arrival": pa.array(arrival).cast(pa.timestamp("s")),
            "departure": pa.array(arrival + 60 * minutes.astype(np.int64)).cast(pa.timestamp("s")),
            "admitted": pa.array(admitted).cast(pa.date32()),
            "discharged": pa.array((admitted + days).astype(np.int32)).cast(pa.date32()),
        }
    )


def orders(seed: int) -> pa.Table:
    """Return order lines, whose amounts are products, and people with their body mass index."""
    rng = np.random.default_rng([seed, 3])
    quantity = rng.geometric(0.3, N_ROWS)
    price = np.round(rng.lognormal(3, 1, N_ROWS), 2)
    discount = rng.choice([0, 0.05, 0.1, 0.25], N_ROWS, p=[0.6, 0.2, 0.1, 0.1])
    weight, height = np.round(rng.normal(76, 13, N_ROWS), 1), np.round(rng.normal(1.72, 0.09, N_ROWS), 2)
    return pa.table(
        {
            "quantity": quantity,
            "price": price,
            "discount": discount,
            "amount": np.round(quantity * price, 2),
            "paid": np.round(quantity * price * (1 - discount), 2),
            "weight": weight,
            "height": height,
            "bmi": np.round(weight / height**2, 1),
        }
    )


def taxis(table: pa.Table, seed: int) -> pa.Table:
    """Return half of the real trips. Seeds 2i and 2i + 1 have no trip in common."""
    order = np.random.default_rng(seed // 2).permutation(table.num_rows)
    return table.take(np.sort(order[seed % 2 :: 2]))


CASES = {
    "meters": Case(meters, (("previous_reading", "reading"),)),
    "visits": Case(visits, (("arrival", "departure"), ("admitted", "discharged"))),
    "orders": Case(
        orders,
        (),
        (
            ("amount", lambda t: t["quantity"] * t["price"]),
            ("paid", lambda t: t["quantity"] * t["price"] * (1 - t["discount"])),
            ("bmi", lambda t: t["weight"] / t["height"] ** 2),
        ),
    ),
}


def quantile_errors(start: str, end: str, real: pa.Table, other: pa.Table) -> Floats:
    """Return the relative errors of the median and of the 99% quantile of a difference."""
    quantiles = [np.nanquantile(_numbers(t[end]) - _numbers(t[start]), (0.5, 0.99)) for t in (real, other)]
    errors: Floats = quantiles[1] / quantiles[0] - 1
    return errors


def sum_errors(
    result: str, compute: Callable[[dict[str, Floats]], Floats], real: pa.Table, other: pa.Table
) -> Floats:
    """Return the relative errors of the sum of the formula and of the sum of its result."""
    sums = [
        np.array([np.nansum(compute(_columns(table))), np.nansum(_numbers(table[result]))])
        for table in (real, other)
    ]
    return np.asarray(sums[1] / sums[0] - 1)


def _columns(table: pa.Table) -> dict[str, Floats]:
    is_number = {
        field.name: pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        for field in table.schema
    }
    return {name: _numbers(table[name]) for name in table.column_names if is_number[name]}


def _numbers(column: Any) -> Floats:
    """Return numbers, or times in seconds since 1970. Missing values are NaN."""
    if pa.types.is_date32(column.type):
        column = pc.multiply(column.cast(pa.int32()).cast(pa.int64()), _DAY)
    elif pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
        return np.asarray(pc.divide(column.cast(pa.float64()), 1e6).to_numpy(zero_copy_only=False))
    numbers = pc.fill_null(column.cast(pa.float64()), np.nan)
    return np.asarray(numbers.to_numpy(zero_copy_only=False), np.float64)


def compare(name: str, case: Case, preset: str, n_seeds: int) -> Iterator[tuple[str, bool]]:
    """Yield a line for each pair and formula, and whether its errors are within the limits."""
    errors: dict[str, list[tuple[Floats, Floats]]] = {}
    for seed in range(n_seeds):
        real, second = case.draw(2 * seed), case.draw(2 * seed + 1)
        model = understudy.fit(real, synthesizer=preset, seed=seed)
        sample: Any = model.sample(len(real), seed=seed)
        for start, end in case.differences:
            pair = [quantile_errors(start, end, real, other) for other in (sample, second)]
            errors.setdefault(f"{end} - {start}", []).append((pair[0], pair[1]))
        for result, compute in case.formulas:
            pair = [sum_errors(result, compute, real, other) for other in (sample, second)]
            errors.setdefault(f"sums of {result}", []).append((pair[0], pair[1]))
    for label, pairs in errors.items():
        ours, baseline = (np.median([abs(pair[i]) for pair in pairs], axis=0) for i in (0, 1))
        is_sum = label.startswith("sums of")
        is_met = bool(np.all(ours <= (SUM_ERROR_MAX + baseline if is_sum else QUANTILE_ERROR_MAX)))
        cells = [f"{one:6.1%} ({two:.1%})" for one, two in zip(ours, baseline, strict=True)]
        yield (
            f"{name:8} {preset:9} {label:28} {cells[0]:16} {cells[1]:16} {'' if is_met else 'missed'}",
            is_met,
        )


def main() -> None:
    """Print the errors of samples, and in parentheses those of second real tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with taxis.csv")
    parser.add_argument("--presets", default="fast,balanced")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    cases = dict(CASES)
    if options.data and (options.data / "taxis.csv").exists():
        trips = read_table(options.data / "taxis.csv")
        total = ("total", lambda t: t["fare"] + t["tip"] + t["tolls"])
        cases["taxis"] = Case(lambda seed: taxis(trips, seed), (("pickup", "dropoff"),), (total,))
    print("Median absolute errors of the median and the 99% quantile of differences, and of sums")
    is_met = True
    for name, case in cases.items():
        for preset in options.presets.split(","):
            for line, is_within in compare(name, case, preset, options.seeds):
                print(line, flush=True)
                is_met &= is_within
    sys.exit(0 if is_met else 1)


if __name__ == "__main__":
    main()
