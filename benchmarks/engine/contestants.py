"""The contestants: Understudy's presets, and the baselines for every figure."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import numpy as np
import pyarrow as pa

from benchmarks.engine.tables import Split, draw, halves
from understudy.kernels.compilation import compile_kernels
from understudy.parameters.synthesizers import AnySynthesizer
from understudy.synthesizers import IndependentParameters, TreeChainParameters
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.contexts import FitContext, SampleContext, plan_rows
from understudy.synthesizers.datasets import fit_table, sample_table
from understudy.synthesizers.files import save_model

Figures = dict[str, float | None]
# All presets that the parameters accept, so that a new preset is measured without a change here.
PRESETS: tuple[str, ...] = get_args(TreeChainParameters.model_fields["preset"].annotation)


@dataclass(frozen=True)
class Entry:
    """A contestant's sample, the real rows for the comparison, and the figures from the fit.

    Parameters
    ----------
    synthetic : pyarrow.Table
        Judged rows: a sample, or the real rows of a baseline.
    holdout : pyarrow.Table
        Real rows for comparison with the judged rows.
    figures : dict
        Measured time, memory and size. Empty for baselines without a fit.
    """

    synthetic: pa.Table
    holdout: pa.Table
    figures: Figures


def enter_preset(name: str, split: Split, seed: int, n_rows_sample: int) -> Entry:
    """Return a sample from a preset of `tree_chain`."""
    parameters = TreeChainParameters(name="tree_chain", preset=name)  # type: ignore[arg-type]
    return _enter_synthesizer(parameters, split, seed, n_rows_sample)


def enter_independent(split: Split, seed: int, n_rows_sample: int) -> Entry:
    """Return a sample with independent columns."""
    return _enter_synthesizer(IndependentParameters(name="independent"), split, seed, n_rows_sample)


def enter_train_copy(split: Split, seed: int, n_rows_sample: int) -> Entry:
    """Return training rows sampled with replacement, as a baseline for copying."""
    rows = np.random.default_rng(seed).integers(0, len(split.train), split.n_rows_judged)
    return Entry(split.train.take(pa.array(rows)), split.judged_holdout, {})


def enter_real(split: Split, seed: int, n_rows_sample: int) -> Entry:
    """Return half of the holdout, as a baseline of real rows that is judged against the other half."""
    one, other = halves(split.holdout, seed=seed)
    n = min(len(one), split.n_rows_judged)
    return Entry(draw(one, n, seed=1), draw(other, n, seed=1), {})


BASELINES: dict[str, Callable[[Split, int, int], Entry]] = {
    "independent": enter_independent,
    "train_copy": enter_train_copy,
    "real": enter_real,
}


def enter(name: str, split: Split, *, seed: int, n_rows_sample: int) -> Entry:
    """Return the sample of a preset or baseline. If `n_rows_sample` is 0, sampling is not timed."""
    if name in BASELINES:
        return BASELINES[name](split, seed, n_rows_sample)
    return enter_preset(name, split, seed, n_rows_sample)


def _enter_synthesizer(parameters: AnySynthesizer, split: Split, seed: int, n_rows_sample: int) -> Entry:
    compile_kernels()
    cpu, wall = time.process_time(), time.perf_counter()
    synthesizer = fit_table(parameters, split.train, split.schema, context=FitContext(seed=seed))
    figures: Figures = {
        "fit_cpu_s": time.process_time() - cpu,
        "fit_wall_s": time.perf_counter() - wall,
    }
    if n_rows_sample:
        figures |= measure_sampling(synthesizer, n_rows_sample)
    figures["peak_mb"] = peak_mb()
    figures["model_mb"] = model_mb(synthesizer)
    plan = plan_rows(synthesizer.schema_, split.n_rows_judged)
    batches = sample_table(synthesizer, plan, context=SampleContext(seed=seed + 1))
    return Entry(pa.Table.from_batches(batches), split.judged_holdout, figures)


def measure_sampling(synthesizer: Synthesizer, n_rows: int) -> Figures:
    """Return the number of sampled rows per second, as Arrow record batches."""
    cpu, wall = time.process_time(), time.perf_counter()
    plan = plan_rows(synthesizer.schema_, n_rows)
    for _ in sample_table(synthesizer, plan, context=SampleContext(seed=7)):
        pass
    return {
        "rows_per_cpu_s": n_rows / (time.process_time() - cpu),
        "rows_per_wall_s": n_rows / (time.perf_counter() - wall),
    }


def peak_mb() -> float:
    """Return the peak memory of this process in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # KiB on Linux, bytes on macOS.
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def model_mb(synthesizer: Synthesizer) -> float:
    """Return the size of the model file in megabytes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        save_model(synthesizer, path)
        return path.stat().st_size / 1e6
