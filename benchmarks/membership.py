"""Membership inference on model files: ``python -m benchmarks.membership --data FOLDER``.

One model is fitted to the first third of a table and another, with the same preset, to the last third. The
score of a row is its log probability under the first model minus its log probability under the other model (a
calibrated likelihood attack: Watson et al. 2022, "On the importance of difficulty calibration in membership
inference attacks"). The output is the ROC AUC of the score for separating the first third (members) from
the second third (non-members), and the share of members found at a false positive rate of 1%.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.metrics import roc_auc_score, roc_curve

from benchmarks.engine.contestants import PRESETS
from benchmarks.engine.options import names_of
from benchmarks.engine.tables import read_source
from understudy.kernels import drawing, hierarchy
from understudy.kernels.compilation import compile_kernels
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.contexts import FitContext
from understudy.synthesizers.datasets import fit_table
from understudy.synthesizers.tree_chain.encoding import UNKNOWN, encode_values
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.schema import TableSchema

TABLES = ("adult", "housing")


def log_probability(chain: TreeChain, table: pa.Table) -> npt.NDArray[np.float64]:
    """Return the log probability of every row. Values that the model has not learned contribute nothing."""
    assert chain.table_ is not None
    n, transformers = len(table), chain.table_.columns
    rows, total = np.zeros((n, len(chain.links_)), np.uint8), np.zeros(n)
    for position, link in enumerate(chain.links_):
        name = table.column_names[link.column]
        codes = encode_values(name, table[name].combine_chunks(), transformers[link.column])
        known = np.where(codes == UNKNOWN, 0, codes).astype(np.uint16)
        if link.source < 0 and len(link.child):
            column = np.zeros(n)
            paths = hierarchy.find_paths(link.child, transformers[link.column].n_codes)
            drawing.add_log_probability(rows, position, link.conditional, paths, known, column)
            total += np.where(codes == UNKNOWN, 0.0, column)
        rows[:, position] = link.coarse[known]
    return total


def attack(table: pa.Table, schema: TableSchema, preset: str, seed: int) -> tuple[float, float]:
    """Return the AUC of the attack, and the share of members found at a false positive rate of 1%."""
    order = np.random.default_rng(seed).permutation(len(table))
    thirds = [table.take(pa.array(np.sort(part))) for part in np.array_split(order, 3)]
    parameters = TreeChainParameters(name="tree_chain", preset=preset)  # type: ignore[arg-type]
    attacked, reference = (
        fit_table(parameters, part, schema, context=FitContext(seed=seed)) for part in thirds[::2]
    )
    assert isinstance(attacked, TreeChain)
    assert isinstance(reference, TreeChain)
    scores = [log_probability(attacked, part) - log_probability(reference, part) for part in thirds[:2]]
    labels = np.repeat([1, 0], [len(score) for score in scores])
    false, true, _ = roc_curve(labels, np.concatenate(scores))
    return float(roc_auc_score(labels, np.concatenate(scores))), float(np.interp(0.01, false, true))


def main() -> None:
    """Attack every preset on both tables and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.membership", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with adult.csv, housing.csv")
    parser.add_argument("--presets", type=names_of(PRESETS), default=list(PRESETS))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    compile_kernels()
    for name in TABLES:
        source = read_source(name, options.data)
        for preset in options.presets:
            results = np.array([attack(*source, preset, seed) for seed in range(options.seeds)])
            auc, share = np.median(results, axis=0)
            print(f"{name:10} {preset:10} AUC {auc:.3f}  found at 1% {share:.3f}", flush=True)


if __name__ == "__main__":
    main()
