"""Benchmark the fidelity of conditional samples: ``python -m benchmarks.conditional --data FOLDER``.

Two columns of adult are fixed to one value each. The other columns of the sample are compared with the same
columns of the real rows that have both values. The result is the mean total variation distance over these
columns (numbers in ten quantile bins), divided by the same distance between two halves of the real rows. The
sample is half as large as the set of real rows, and the model is fitted on half of the table.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.engine.contestants import PRESETS
from benchmarks.engine.options import names_of
from benchmarks.engine.tables import read_source, split
from understudy.kernels.compilation import compile_kernels
from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.contexts import FitContext, SampleContext, plan_rows
from understudy.synthesizers.datasets import fit_table, sample_table

N_PAIRS = 20
N_ROWS_MIN = 400
N_HALVES = 5
N_BINS = 10


def distance(one: pa.Table, other: pa.Table) -> float:
    """Return the mean total variation distance between the columns of two tables."""
    return float(np.mean([_distance(one[name], other[name]) for name in one.column_names]))


def _distance(one: pa.ChunkedArray, other: pa.ChunkedArray) -> float:
    codes = _number(one, other)
    n = int(max(c.max(initial=0) for c in codes)) + 1
    shares = [np.bincount(c, minlength=n) / len(c) for c in codes]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _number(one: pa.ChunkedArray, other: pa.ChunkedArray) -> list[npt.NDArray[np.int64]]:
    if pa.types.is_string(one.type):
        levels = pc.unique(pa.chunked_array([*one.chunks, *other.chunks]))
        return [pc.index_in(column, levels).to_numpy() for column in (one, other)]
    numbers = [np.asarray(column.to_numpy(), dtype=np.float64) for column in (one, other)]
    edges = np.unique(np.quantile(np.concatenate(numbers), np.linspace(0, 1, N_BINS + 1)[1:-1]))
    return [np.searchsorted(edges, column) for column in numbers]


def choose_pairs(table: pa.Table, rng: np.random.Generator) -> list[dict[str, object]]:
    """Return random pairs of columns with values that occur together in enough rows."""
    pairs: list[dict[str, object]] = []
    while len(pairs) < N_PAIRS:
        names = sorted(rng.choice(table.column_names, 2, replace=False).tolist())
        row = table.slice(int(rng.integers(len(table))), 1).to_pylist()[0]
        pair = {name: row[name] for name in names}
        is_new = names not in [sorted(other) for other in pairs]
        if None not in pair.values() and is_new and len(rows_with(table, pair)) >= N_ROWS_MIN:
            pairs.append(pair)
    return pairs


def rows_with(table: pa.Table, pair: dict[str, object]) -> pa.Table:
    """Return the rows that have both values of a pair."""
    for name, value in pair.items():
        table = table.filter(pc.equal(table[name], pa.scalar(value, table[name].type)))
    return table


def main() -> None:
    """Print the ratio for every pair of columns, and the number of ratios that are at most 1.5."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conditional", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with adult.csv")
    parser.add_argument("--presets", type=names_of(PRESETS), default=["fast", "balanced", "best"])
    options = parser.parse_args()
    compile_kernels()
    parts = split(*read_source("adult", options.data))
    whole = pa.concat_tables([parts.train, parts.holdout])
    pairs = choose_pairs(whole, np.random.default_rng(0))
    for preset in options.presets:
        parameters = TreeChainParameters(name="tree_chain", preset=preset)
        chain = fit_table(parameters, parts.train, parts.schema, context=FitContext(seed=0))
        ratios = [_ratio(chain, whole, pair) for pair in pairs]
        print(
            f"{preset}: median ratio {np.median(ratios):.2f}, "
            f"{sum(ratio <= 1.5 for ratio in ratios)} of {len(ratios)} pairs within 1.5",
            flush=True,
        )


def _ratio(chain: Synthesizer, whole: pa.Table, pair: dict[str, object]) -> float:
    rows = rows_with(whole, pair)
    others = [name for name in whole.column_names if name not in pair]
    n, rng = len(rows) // 2, np.random.default_rng(1)
    where = {name: {"equals": value} for name, value in pair.items()}
    constraints = SamplingConstraints.model_validate({"conditions": [{"where": where, "n_rows": n}]})
    cpu = time.process_time()
    plan = plan_rows(chain.schema_, n, constraints=constraints)
    batches = sample_table(chain, plan, context=SampleContext(seed=1))
    sample = pa.Table.from_batches(batches).select(others)
    seconds = time.process_time() - cpu
    to_sample, between_halves = [], []
    for _ in range(N_HALVES):
        order = pa.array(rng.permutation(len(rows)))
        one, other = (rows.take(order.slice(start, n)).select(others) for start in (0, n))
        to_sample.append(distance(one, sample))
        between_halves.append(distance(one, other))
    ratio = float(np.mean(to_sample) / np.mean(between_halves))
    names = " and ".join(pair)
    print(
        f"  {names:36} rows {len(rows):6}  sample {np.mean(to_sample):.4f}"
        f"  real halves {np.mean(between_halves):.4f}"
        f"  ratio {ratio:.2f}  rows/CPU s {n / seconds:,.0f}",
        flush=True,
    )
    return ratio


if __name__ == "__main__":
    main()
