"""Which preset a time budget allows, judged by a fit to some of the rows.

What is chosen depends on the machine and its load. The card names it; asked for by name it is reproducible.
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
# How many times as long as `fast` the others take, on the high side (`python -m benchmarks.engine`).
FACTORS = {"best": 32.0, "balanced": 8.0, "fast": 1.0}


def choose_preset(encoded: Encoded, arranged: Arranged, seconds: float, run: LearnRun) -> tuple[str, bool]:
    """Return the best preset that is likely to be done in so many seconds, and whether it is.

    If none is, that is `fast`.
    """
    n_rows = encoded.coarse.shape[1]
    rows = np.sort(np.random.default_rng([run.seed, 3]).permutation(n_rows)[:N_ROWS_TRIED])
    began = time.monotonic()
    quiet = replace(run, context=replace(run.context, progress=no_progress))
    fit_chain(encoded.take(rows), arranged, PRESETS["fast"], quiet)
    spent = time.monotonic() - began
    # Time grows a little slower than the rows do.
    expected = spent * n_rows / len(rows)
    for name, factor in FACTORS.items():
        if spent + expected * factor <= seconds:
            return name, True
    return "fast", False
