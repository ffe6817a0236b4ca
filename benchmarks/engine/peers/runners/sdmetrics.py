"""Score two tables with SDMetrics, in a separate environment without this project.

The argument is a folder with real.parquet, synthetic.parquet and columns.json, which contains the names of
all columns and whether each column is a category. The script writes scores.json into the folder.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from itertools import combinations
from pathlib import Path

# This file would shadow the library of the same name, because its folder is first on the import path.
sys.path.pop(0)

import pandas as pd
from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity
from sdmetrics.reports.single_table import QualityReport
from sdmetrics.single_column import (
    BoundaryAdherence,
    CategoryAdherence,
    CategoryCoverage,
    KSComplement,
    MissingValueSimilarity,
    RangeCoverage,
    TVComplement,
)

warnings.simplefilter("ignore")
folder = Path(sys.argv[1])
real, synthetic = (pd.read_parquet(folder / f"{name}.parquet") for name in ("real", "synthetic"))
is_category = json.loads((folder / "columns.json").read_text())
scores = {}


def add(metric, key, compute):
    """Record a score, or NaN if SDMetrics cannot compute it."""
    try:
        value = float(compute())
    except Exception:
        value = math.nan
    scores.setdefault(metric, {})[key] = value


for name, labels in is_category.items():
    metrics = (
        (TVComplement, CategoryCoverage, CategoryAdherence)
        if labels
        else (
            KSComplement,
            RangeCoverage,
            BoundaryAdherence,
        )
    )
    for metric in (MissingValueSimilarity, *metrics):
        add(metric.__name__, name, lambda m=metric, n=name: m.compute(real[n], synthetic[n]))
for pair in combinations(is_category, 2):
    columns, numbers = list(pair), [name for name in pair if not is_category[name]]
    tables = real[columns].copy(), synthetic[columns].copy()
    key = "|".join(pair)
    if not numbers:
        add("ContingencySimilarity", key, lambda t=tables: ContingencySimilarity.compute(*t))
        continue
    if len(numbers) == 2:
        add("CorrelationSimilarity", key, lambda t=tables: CorrelationSimilarity.compute(*t))
    add(
        "ContingencySimilarity, numbers in bins",
        key,
        lambda t=tables, n=numbers: ContingencySimilarity.compute(*t, continuous_column_names=n),
    )
# For a pair of a number and a category, the report bins the number itself, with separate edges for each
# table.
report = QualityReport()
metadata = {
    "columns": {
        name: {"sdtype": "categorical" if labels else "numerical"} for name, labels in is_category.items()
    }
}
report.generate(real, synthetic, metadata, verbose=False)
for row in report.get_details("Column Pair Trends").to_dict("records"):
    pair = sorted((row["Column 1"], row["Column 2"]), key=list(is_category).index)
    if is_category[pair[0]] != is_category[pair[1]]:
        add("QualityReport, a number and a category", "|".join(pair), lambda r=row: r["Score"])
(folder / "scores.json").write_text(json.dumps(scores))
