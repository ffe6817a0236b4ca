"""Rejection sampling: row k for a given seed is the first of its proposals that passes all checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from understudy.errors import Conflict
from understudy.kernels import hashing
from understudy.synthesizers.tree_chain.chain import Link, Redraws, draw_codes
from understudy.synthesizers.tree_chain.refinement import Refinement
from understudy.transformers.base import Codes, Mask, RowNumbers

N_ATTEMPTS_MAX = 10_000
# Stream of the seeds of further attempts.
ATTEMPTS = 1 << 35

# Function from codes and row numbers to a mask of accepted rows.
Check = Callable[[dict[int, Codes], RowNumbers], Mask]


@dataclass(frozen=True)
class Checks:
    """Check of whole rows, and redrawing of single columns."""

    passes: Check
    redrawing: Redraws | None = None


def attempt_seed(seed: int, attempt: int) -> int:
    """Return the seed of an attempt's proposals, which is `seed` itself for attempt 0."""
    return int(hashing.stream_key(np.uint64(seed), np.uint64(ATTEMPTS + attempt))) if attempt else seed


def draw_accepted(
    links: Sequence[Link],
    refinement: Refinement | None,
    checks: Checks,
    seed: int,
    numbers: RowNumbers,
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
        codes, rows = draw_codes(links, own_seed, numbers[pending], checks.redrawing)
        if refinement is None:
            stays = checks.passes(codes, numbers[pending])
        else:
            stays = refinement.accept(rows, own_seed, numbers[pending])
            left = np.flatnonzero(stays)
            some = {column: own[left] for column, own in codes.items()}
            stays[left] = checks.passes(some, numbers[pending][left])
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
