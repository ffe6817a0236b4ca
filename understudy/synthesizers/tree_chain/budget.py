"""Choice of a preset for a time budget, based on a trial fit on some of the rows.

The choice depends on the machine and its load. The model card contains the chosen preset. To reproduce the
model, set that preset instead of the time budget.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from understudy.progress import no_progress
from understudy.synthesizers.contexts import LearnRun
from understudy.synthesizers.tree_chain.chain import Arranged, Encoded, fit_chain
from understudy.synthesizers.tree_chain.presets import PRESETS

N_ROWS_TRIED = 4000
# Fit time of each preset relative to `fast`; upper estimates from `python -m benchmarks.engine`.
FACTORS = {"best": 32.0, "balanced": 8.0, "fast": 1.0}


def choose_preset(encoded: Encoded, arranged: Arranged, seconds: float, run: LearnRun) -> tuple[str, bool]:
    """Return the best preset that is likely to finish within the given number of seconds, and True.

    Return `fast` and False if no preset is likely to finish in time.
    """
    n_rows = encoded.coarse.shape[1]
    rows = np.sort(np.random.default_rng([run.seed, 3]).permutation(n_rows)[:N_ROWS_TRIED])
    began = time.monotonic()
    quiet = replace(run, context=replace(run.context, progress=no_progress))
    fit_chain(encoded.take(rows), arranged, PRESETS["fast"], quiet)
    spent = time.monotonic() - began
    # This is an upper estimate, because the time grows slightly more slowly than the number of rows.
    expected = spent * n_rows / len(rows)
    for name, factor in FACTORS.items():
        if spent + expected * factor <= seconds:
            return name, True
    return "fast", False
