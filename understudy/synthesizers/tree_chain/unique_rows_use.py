"""Decision whether the check of unique rows is used, based on the drawn rows that it would reject."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from understudy.errors import Conflict
from understudy.synthesizers.tree_chain.chain import Link
from understudy.synthesizers.tree_chain.proposals import Acceptance, draw_accepted
from understudy.synthesizers.tree_chain.rule_enforcement import N_ROWS_TRIED, is_often
from understudy.synthesizers.tree_chain.unique_rows import UniqueRows
from understudy.transformers.base import Mask, NumberedRows, consecutive_rows

# Minimum share of drawn rows that equal a unique row for their rejection to matter, and maximum share
# relative to the share of new real rows.
SHARE_COPIED_MIN, SHARE_COPIED_MAX = 0.05, 1.5
# Number of attempts after which a trial row counts as impossible. With the minimum share of accepted rows, it
# is accepted before with a probability of 0.999999.
N_ATTEMPTS_TRIED = 256
# Number of combinations of codes above which the trial is omitted.
N_COMBINATIONS_MAX = 1_000_000


def is_samplable(links: Sequence[Link], acceptance: Acceptance, seed: int) -> bool:
    """Return whether every trial row has an acceptable proposal.

    All attempts of a row draw the same value within a code. If a tiny table has only few codes, all proposals
    of a row can therefore equal unique rows.
    """
    if math.prod(len(link.coarse) for link in links) > N_COMBINATIONS_MAX:
        return True
    trial = replace(acceptance, n_attempts_max=N_ATTEMPTS_TRIED)
    try:
        draw_accepted(links, trial, seed, NumberedRows(consecutive_rows(0, N_ROWS_TRIED)))
    except Conflict:
        return False
    return True


def usable_unique_rows(
    unique_rows: UniqueRows, copied: Mask, kept: Mask, *, has_entities: bool
) -> UniqueRows | None:
    """Return the unique rows, or None if their check would reject too many rows or distort the distribution.

    If many drawn rows equal a unique row, but not more than new real rows would, an equal row is not evidence
    of copying. Their rejection would distort the distribution, because rare combinations of values
    are unique more often than common ones.

    Parameters
    ----------
    copied : array of shape (n_drawn,)
        Drawn rows that equal a unique row.
    kept : array of shape (n_drawn,)
        Drawn rows that satisfy the rules.
    has_entities : bool
        Whether the table has entities. Equal rows of an entity are not equal by chance.
    """
    share = float(copied[kept].mean()) if kept.any() else 0.0
    is_by_chance = SHARE_COPIED_MIN <= share <= SHARE_COPIED_MAX * unique_rows.share_by_chance
    if (is_by_chance and not has_entities) or not is_often(kept & ~copied):
        return None
    return unique_rows
