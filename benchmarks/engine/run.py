"""One step of a run.

Each step is a separate process: ``python -m benchmarks.engine.run enter|judge FOLDER …``.

The folder of each run, including the runs of peers, contains ``synthetic.parquet``, ``holdout.parquet`` and
``figures.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.engine.contestants import Entry, enter
from benchmarks.engine.judges import Case, Figures, judge
from benchmarks.engine.tables import SOURCES, Split, with_schema
from understudy.tables.inference import is_generated_column

TRAIN, HOLDOUT, SYNTHETIC, FIGURES = "train.parquet", "holdout.parquet", "synthetic.parquet", "figures.json"


@dataclass(frozen=True)
class Run:
    """A contestant, a table and a seed, with the folders for the split and the contestant's sample."""

    table: str
    contestant: str
    seed: int
    split_folder: Path
    folder: Path


def write_split(parts: Split, folder: Path) -> None:
    """Write both halves into a folder that all runs of a table share."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(parts.train, folder / TRAIN)
    pq.write_table(parts.holdout, folder / HOLDOUT)


def read_split(folder: Path) -> Split:
    """Read the training half and the holdout half from a folder."""
    train, schema = with_schema(pq.read_table(folder / TRAIN))
    return Split(schema, train, pq.read_table(folder / HOLDOUT).cast(schema.to_arrow()))


def write_entry(entry: Entry, folder: Path) -> None:
    """Write a sample and its figures."""
    pq.write_table(entry.synthetic, folder / SYNTHETIC)
    pq.write_table(entry.holdout, folder / HOLDOUT)
    (folder / FIGURES).write_text(json.dumps(entry.figures))


def in_own_process(run: Run, step: str, *, n_cores: int, arguments: Sequence[str]) -> Figures:
    """Execute one step of a run in a new process on `n_cores` processors, and return its figures."""
    command = [sys.executable, "-m", "benchmarks.engine.run", step, str(run.split_folder), str(run.folder)]
    command += [run.table, run.contestant, str(run.seed), "--cores", str(n_cores), *arguments]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), str(n_cores))
    environment = os.environ | threads
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603
    figures: Figures = json.loads(done.stdout)
    return figures


def restrict(n_cores: int) -> None:
    """Restrict this process and its children to `n_cores` processors."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n_cores])


def _judge(run: Run, names: Sequence[str]) -> Figures:
    """Return the figures of a sample. Generated columns, such as identifiers, have only new values.

    They are left out, because they would distinguish every sample from the holdout.
    """
    parts = read_split(run.split_folder)
    schema = parts.schema
    left_out = [c.name for c in schema.columns if is_generated_column(c, parts.train[c.name].type)]
    kept = schema.model_copy(update={"columns": tuple(c for c in schema.columns if c.name not in left_out)})
    synthetic, holdout = (
        pq.read_table(run.folder / name).cast(schema.to_arrow()).drop_columns(left_out)
        for name in (SYNTHETIC, HOLDOUT)
    )
    return judge(
        Case(
            Split(kept, parts.train.drop_columns(left_out), parts.holdout.drop_columns(left_out)),
            synthetic,
            holdout,
            target=SOURCES[run.table].target,
            seed=run.seed,
            is_whole_holdout=run.contestant != "real",
        ),
        names,
    )


def _enter(run: Run, n_rows_sample: int) -> Figures:
    entry = enter(run.contestant, read_split(run.split_folder), seed=run.seed, n_rows_sample=n_rows_sample)
    write_entry(entry, run.folder)
    return entry.figures


def main() -> None:
    """Run the step that the command line specifies. `in_own_process` starts this command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("enter", "judge"))
    parser.add_argument("split_folder", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("table")
    parser.add_argument("contestant")
    parser.add_argument("seed", type=int)
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--sample-rows", type=int, default=0)
    parser.add_argument("--metrics", nargs="*", default=[])
    options = parser.parse_args()
    restrict(options.cores)
    run = Run(options.table, options.contestant, options.seed, options.split_folder, options.folder)
    if options.step == "enter":
        print(json.dumps(_enter(run, options.sample_rows)))
    else:
        print(json.dumps(_judge(run, options.metrics)))


if __name__ == "__main__":
    main()
