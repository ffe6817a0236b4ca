"""Functions that all runners share, for options, measurements and output files.

This module runs in environments without this project. The command line of a runner is
``RUNNER TRAIN_PARQUET FOLDER --rows N --seed S --minutes M``. A runner writes ``synthetic.parquet`` and
``figures.json`` into the folder.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Request:
    """The training rows, the kind of each column, and the limits."""

    train: pd.DataFrame
    kinds: dict[str, str]
    seed: int
    minutes_max: float


def run(fit: Callable[[Request], Any], sample: Callable[[Any, int], pd.DataFrame]) -> None:
    """Fit and sample with the command line's options, and write the sample and the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    options = parser.parse_args()
    table = pq.read_table(options.train)
    kinds = {field.name: kind(field.type) for field in table.schema}
    request = Request(table.to_pandas(), kinds, options.seed, options.minutes)
    cpu, wall = cpu_seconds(), time.perf_counter()
    model = fit(request)
    figures = {"fit_cpu_s": cpu_seconds() - cpu, "fit_wall_s": time.perf_counter() - wall}
    cpu, wall = cpu_seconds(), time.perf_counter()
    frame = sample(model, options.rows)
    figures["rows_per_cpu_s"] = options.rows / (cpu_seconds() - cpu)
    figures["rows_per_wall_s"] = options.rows / (time.perf_counter() - wall)
    figures["peak_mb"] = peak_mb()
    pq.write_table(to_arrow(frame, table.schema), options.folder / "synthetic.parquet")
    (options.folder / "figures.json").write_text(json.dumps(figures))


def kind(type_: pa.DataType) -> str:
    """Return the kind of a type: integer, float, boolean, timestamp or word."""
    if pa.types.is_integer(type_):
        return "integer"
    if pa.types.is_floating(type_):
        return "float"
    if pa.types.is_boolean(type_):
        return "boolean"
    return "timestamp" if pa.types.is_timestamp(type_) else "word"


def to_arrow(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Return a DataFrame as a table with the types of the training rows.

    Values of other types become missing.
    """
    columns = [pa.array(_values(frame[field.name], kind(field.type)), from_pandas=True) for field in schema]
    return pa.table(columns, names=schema.names).cast(schema)


def _values(column: pd.Series, kind: str) -> pd.Series:
    if kind == "integer":
        return pd.to_numeric(column, errors="coerce").astype("float64").round().astype("Int64")
    if kind == "float":
        return pd.to_numeric(column, errors="coerce").astype("float64")
    if kind == "timestamp":
        return pd.to_datetime(column, errors="coerce", utc=True)
    words = column.astype(object)
    known = words.notna()
    if kind == "boolean":
        return words.where(~known, words.astype(str).str.lower() == "true")
    return words.where(~known, words.astype(str)).where(known, None)


def cpu_seconds() -> float:
    """Return the CPU time of this process and its terminated child processes, in seconds."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def peak_mb() -> float:
    """Return the peak memory of this process in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # KiB on Linux, bytes on macOS.
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
