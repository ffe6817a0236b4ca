"""Rejection sampling: row k for a given seed is the first of its proposals that passes all checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.errors import Conflict
from understudy.kernels import hashing
from understudy.synthesizers.tree_chain.chain import Link
from understudy.synthesizers.tree_chain.refinement import Refinement
from understudy.synthesizers.tree_chain.sampling import NOTHING_GIVEN, Drawing, Redraws, draw_codes
from understudy.transformers.base import Codes, CodesByColumn, Mask, NumberedRows

N_ATTEMPTS_MAX = 10_000
# Number of rejected proposals after which drawn codes replace the given codes of optional columns.
N_ATTEMPTS_OPTIONAL = 64
# First hash stream for deriving the seeds of repeated attempts.
ATTEMPTS = 1 << 35

# Function from codes and row numbers to a mask of accepted rows.
Check = Callable[[dict[int, Codes], NumberedRows], Mask]


@dataclass(frozen=True)
class Acceptance:
    """Conditions for accepting a proposal: a refinement, and a check of the rules.

    Single columns that break a rule are redrawn before whole rows are checked. If the proposals of a row are
    rejected many times, drawn codes replace the given codes of `optional` columns, because the rules may
    exclude the given codes.
    """

    refinement: Refinement | None
    check: Check
    redrawing: Redraws | None = None
    optional: Set[int] = frozenset()
    n_attempts_max: int = N_ATTEMPTS_MAX

    def accept(
        self, proposals: tuple[dict[int, Codes], npt.NDArray[np.uint8]], seed: int, numbers: NumberedRows
    ) -> Mask:
        """Return a mask of the accepted proposals, given their codes and coarse codes."""
        codes, rows = proposals
        if self.refinement is None:
            return self.check(codes, numbers)
        stays = self.refinement.accept(rows, seed, numbers.rows)
        left = np.flatnonzero(stays)
        some = {column: own[left] for column, own in codes.items()}
        stays[left] = self.check(some, numbers.take(left))
        return stays


def attempt_seed(seed: int, attempt: int) -> int:
    """Return the seed of an attempt's proposals, which is `seed` itself for attempt 0."""
    return int(hashing.stream_key(np.uint64(seed), np.uint64(ATTEMPTS + attempt))) if attempt else seed


def draw_accepted(
    links: Sequence[Link],
    acceptance: Acceptance,
    seed: int,
    numbers: NumberedRows,
    given: CodesByColumn = NOTHING_GIVEN,
) -> tuple[dict[int, Codes], Mask]:
    """Draw the rows with the given numbers, and return their codes by index of the column in the table.

    The second value is a mask of the rows where drawn codes replace the given codes of optional columns.

    Parameters
    ----------
    links : sequence of Link
        Conditional distributions of the columns.
    acceptance : Acceptance
        Conditions for accepting a proposal.
    seed : int
        Seed of the sample.
    numbers : NumberedRows
        Numbers of the rows.
    given : mapping of int to array of shape (n,)
        Codes of columns that are not drawn.

    Raises
    ------
    Conflict
        If all proposals of a row are rejected, which the trial at the end of a fit makes very unlikely.
    """
    accepted: dict[int, Codes] = {}
    is_released = np.zeros(len(numbers), np.bool_)
    pending = np.arange(len(numbers))
    for attempt in range(acceptance.n_attempts_max):
        own_seed = attempt_seed(seed, attempt)
        own_numbers = numbers.take(pending)
        released = acceptance.optional if attempt >= N_ATTEMPTS_OPTIONAL else frozenset()
        if released:
            is_released[pending] = True
            own_numbers = own_numbers.decoding(np.ones(len(pending), np.bool_), released)
        own_given = {column: own[pending] for column, own in given.items() if column not in released}
        draws = Drawing(own_seed, own_numbers, value_seed=seed)
        codes, rows = draw_codes(links, draws, own_given, acceptance.redrawing)
        stays = acceptance.accept((codes, rows), own_seed, own_numbers)
        if not attempt:
            accepted = codes
        else:
            for column, own in codes.items():
                accepted[column][pending[stays]] = own[stays]
        pending = pending[~stays]
        if not len(pending):
            return accepted, is_released
    raise Conflict(
        "The model rejects almost every candidate row. Retrain it with fewer rules or more data.",
        code="not_ready",
    )
