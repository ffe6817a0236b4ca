"""Trial that decides whether the check of unique rows can be used."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from understudy.errors import Conflict
from understudy.synthesizers.tree_chain.chain import Link
from understudy.synthesizers.tree_chain.proposals import Acceptance, draw_accepted
from understudy.synthesizers.tree_chain.rule_enforcement import N_ROWS_TRIED
from understudy.transformers.base import NumberedRows, consecutive_rows

# Number of attempts after which a trial row counts as impossible. At the minimum share of accepted rows, a
# row is accepted within this number of attempts with a probability of 0.999998.
N_ATTEMPTS_TRIED = 256
# Maximum number of code combinations for a trial. Above this number, the trial is omitted.
N_COMBINATIONS_MAX = 1_000_000


def is_samplable(links: Sequence[Link], acceptance: Acceptance, seed: int) -> bool:
    """Return whether every trial row has an acceptable proposal.

    All attempts of a row draw the same value within a code. If a tiny table has only a few codes, all
    proposals of a row may therefore equal unique rows.
    """
    if math.prod(len(link.coarse) for link in links) > N_COMBINATIONS_MAX:
        return True
    trial = replace(acceptance, n_attempts_max=N_ATTEMPTS_TRIED)
    try:
        draw_accepted(links, trial, seed, NumberedRows(consecutive_rows(0, N_ROWS_TRIED)))
    except Conflict:
        return False
    return True
