"""Rejection sampling: row k for a given seed is the first of its proposals that passes all checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from understudy.errors import Conflict
from understudy.kernels import hashing
from understudy.synthesizers.tree_chain.chain import Link
from understudy.synthesizers.tree_chain.refinement import Refinement
from understudy.synthesizers.tree_chain.sampling import NOTHING_GIVEN, Drawing, Redraws, draw_codes
from understudy.transformers.base import Codes, CodesByColumn, Mask, NumberedRows

N_ATTEMPTS_MAX = 10_000
# Number of rejected proposals of a row after which each attempt draws other levels, and number after which
# drawn codes replace the given codes of optional columns.
N_ATTEMPTS_BY_LEVEL, N_ATTEMPTS_OPTIONAL = 4, 64
# Offset between the numbers that select a level in successive attempts. Row numbers are lower.
_LEVEL_NUMBERS = np.uint64(1 << 44)
# First hash stream for deriving the seeds of repeated attempts.
ATTEMPTS = 1 << 35

# Function that returns a mask of the accepted rows, given codes and row numbers.
Check = Callable[[dict[int, Codes], NumberedRows], Mask]


@dataclass(frozen=True)
class Acceptance:
    """Conditions for accepting a proposal: a refinement, and a check of the rules.

    Single columns that break a rule are redrawn before whole rows are checked. If the proposals of a row are
    rejected several times, the row is released: each attempt draws other levels of the columns `by_level`,
    and later, drawn codes replace the given codes of `optional` columns. This is necessary because the rules
    may exclude the drawn level of a code, or the given codes.
    """

    refinement: Refinement | None
    check: Check
    redrawing: Redraws | None = None
    optional: Set[int] = frozenset()
    by_level: Set[int] = frozenset()
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

    def release(self, numbers: NumberedRows, attempts: npt.NDArray[np.uint64]) -> NumberedRows:
        """Return the row numbers for decoding the proposals of the given attempts.

        Rows with attempt 0 are not released.
        """
        if not attempts.any():
            return numbers
        labels = {
            column: numbers.of_values(column) + attempts * _LEVEL_NUMBERS
            for column in self.by_level
            if column not in numbers.of_columns
        }
        released = numbers.decoding(attempts >= N_ATTEMPTS_OPTIONAL, self.optional)
        return replace(released, of_labels={**numbers.of_labels, **labels})


def attempt_seed(seed: int, attempt: int) -> int:
    """Return the seed of an attempt's proposals, which is `seed` itself for attempt 0."""
    return int(hashing.stream_key(np.uint64(seed), np.uint64(ATTEMPTS + attempt))) if attempt else seed


def draw_accepted(
    links: Sequence[Link],
    acceptance: Acceptance,
    seed: int,
    numbers: NumberedRows,
    given: CodesByColumn = NOTHING_GIVEN,
) -> tuple[dict[int, Codes], npt.NDArray[np.uint64]]:
    """Draw the rows with the given numbers, and return their codes by index of the column in the table.

    The second value is the number of the accepted attempt for released rows, and 0 for other rows.

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
    released_at = np.zeros(len(numbers), np.uint64)
    pending = np.arange(len(numbers))
    for attempt in range(acceptance.n_attempts_max):
        own_seed = attempt_seed(seed, attempt)
        released = acceptance.optional if attempt >= N_ATTEMPTS_OPTIONAL else frozenset()
        released_at[pending] = attempt if attempt >= N_ATTEMPTS_BY_LEVEL else 0
        own_numbers = acceptance.release(numbers.take(pending), released_at[pending])
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
            return accepted, released_at
    raise Conflict(
        "The model rejects almost every candidate row. Retrain it with fewer rules or more data.",
        code="not_ready",
    )
