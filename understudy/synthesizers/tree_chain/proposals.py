"""Rejection sampling: row k for a given seed is the first of its proposals that passes all checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from understudy.errors import Conflict
from understudy.kernels import hashing
from understudy.synthesizers.tree_chain.chain import Link, draw_codes
from understudy.synthesizers.tree_chain.refinement import Refinement
from understudy.transformers.base import Codes, Mask, NumberedRows

N_ATTEMPTS_MAX = 10_000
# First hash stream from which the seeds of repeated attempts are derived.
ATTEMPTS = 1 << 35

# Function from codes and row numbers to a mask of accepted rows.
Check = Callable[[dict[int, Codes], NumberedRows], Mask]


def attempt_seed(seed: int, attempt: int) -> int:
    """Return the seed of an attempt's proposals, which is `seed` itself for attempt 0."""
    return int(hashing.stream_key(np.uint64(seed), np.uint64(ATTEMPTS + attempt))) if attempt else seed


def draw_accepted(
    links: Sequence[Link],
    refinement: Refinement | None,
    check: Check,
    seed: int,
    numbers: NumberedRows,
) -> dict[int, Codes]:
    """Draw the rows with the given numbers, and return their codes by index of the column in the table.

    Raises
    ------
    Conflict
        If all proposals of a row are rejected, which the trial at the end of a fit makes very unlikely.
    """
    accepted: dict[int, Codes] = {}
    pending = np.arange(len(numbers))
    for attempt in range(N_ATTEMPTS_MAX):
        own_seed = attempt_seed(seed, attempt)
        own_numbers = numbers.take(pending)
        codes, rows = draw_codes(links, own_seed, own_numbers)
        if refinement is None:
            stays = check(codes, own_numbers)
        else:
            stays = refinement.accept(rows, own_seed, own_numbers.rows)
            left = np.flatnonzero(stays)
            some = {column: own[left] for column, own in codes.items()}
            stays[left] = check(some, own_numbers.take(left))
        if not attempt:
            accepted = codes
        else:
            for column, own in codes.items():
                accepted[column][pending[stays]] = own[stays]
        pending = pending[~stays]
        if not len(pending):
            return accepted
    raise Conflict(
        "The model rejects almost every candidate row. Retrain it with fewer rules or more data.",
        code="not_ready",
    )
