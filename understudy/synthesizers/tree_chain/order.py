"""Order of the columns in the chain: ascending by number of codes, or the best of several candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from understudy.kernels.trees import GrowthRules
from understudy.progress import no_progress
from understudy.synthesizers.contexts import LearnRun
from understudy.synthesizers.tree_chain.chain import Arranged, Encoded, fit_chain, log_likelihood
from understudy.synthesizers.tree_chain.presets import Preset

# Number of rows for comparing orders: four fifths for fitting, one fifth for evaluation.
N_ROWS_TRIED = 12_500
# Minimum gain in held-out log likelihood, in nats per row, that an order needs to replace an earlier
# candidate.
NATS_BETTER = 0.1
_TRIAL = Preset(GrowthRules(penalty=0.0, category_penalty=1.0, min_leaf=5, depth_max=24, smoothing=4.0))

ColumnOrder = list[int]
# Function that moves each looked-up column after the column that determines its value.
Arrange = Callable[[ColumnOrder], Arranged]


def ascending_order(encoded: Encoded) -> ColumnOrder:
    """Return the columns in ascending order of their number of codes."""
    return sorted(range(len(encoded.n_codes)), key=lambda j: (encoded.n_codes[j], j))


def choose_order(encoded: Encoded, arrange: Arrange, run: LearnRun) -> Arranged:
    """Return the order with the highest held-out likelihood, preferring the ascending order in near ties."""
    n = encoded.coarse.shape[1]
    rows = np.random.default_rng([run.seed, 1]).permutation(n)[:N_ROWS_TRIED]
    cut = len(rows) * 4 // 5
    if cut in (0, len(rows)):
        return arrange(ascending_order(encoded))
    fitted, judged = encoded.take(np.sort(rows[:cut])), encoded.take(np.sort(rows[cut:]))
    # Trial fits report no progress, but they can be cancelled like the fit itself.
    quiet = replace(run, context=replace(run.context, progress=no_progress))
    scores: list[float] = []
    tried = _unique(arrange(order) for order in _candidates(encoded))
    for i, arranged in enumerate(tried):
        run.context.report("ordering columns", i / len(tried))
        links = fit_chain(fitted, arranged, _TRIAL, quiet)
        scores.append(log_likelihood(links, judged))
    best = 0
    for i, score in enumerate(scores):
        if score > scores[best] + NATS_BETTER:
            best = i
    return tried[best]


def _candidates(encoded: Encoded) -> list[ColumnOrder]:
    up = ascending_order(encoded)
    down = up[::-1]
    ordinal = [j for j in down if encoded.is_ordinal[j]]
    nominal = [j for j in up if not encoded.is_ordinal[j]]
    as_given = list(range(len(up)))
    return [up, as_given[::-1], ordinal + nominal, nominal + ordinal, as_given]


def _unique(tried: Iterable[Arranged]) -> list[Arranged]:
    return list({tuple(arranged.order): arranged for arranged in reversed(list(tried))}.values())[::-1]
