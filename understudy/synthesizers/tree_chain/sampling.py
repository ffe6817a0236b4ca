"""Sampling of row codes from a chain, without conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from understudy.kernels import drawing
from understudy.kernels.hashing import StreamRows
from understudy.synthesizers.tree_chain.chain import Link
from understudy.transformers.base import Codes, CodesByColumn, NumberedRows

# Empty mapping of given codes, which means that whole rows are drawn.
NOTHING_GIVEN: CodesByColumn = {}


@dataclass(frozen=True)
class Drawing:
    """The rows to draw columns for, and the seed of the draws.

    Parameters
    ----------
    seed : int
        Seed of the draws.
    numbers : NumberedRows
        Row numbers. Two rows get the same value in a column if their numbers are equal, and their codes are
        equal in all columns that the column depends on.
    value_seed : int, optional
        Seed for decoding the codes, if it differs from `seed`.
    """

    seed: int
    numbers: NumberedRows
    value_seed: int | None = None

    def look_up(self, link: Link, codes: CodesByColumn) -> Codes:
        """Return the codes of a column that another column determines."""
        seed = self.seed if self.value_seed is None else self.value_seed
        return link.look_up(codes, seed, self.numbers)

    def stream(self, column: int) -> StreamRows:
        """Return the source of the random numbers for a column."""
        return StreamRows(np.uint64(self.seed), np.uint64(column), self.numbers.of(column))


class Redraws(Protocol):
    """Redrawing of single columns that break a rule with a preceding column."""

    def redraw(
        self,
        link: Link,
        rows: npt.NDArray[np.uint8],
        position: int,
        codes: dict[int, Codes],
        draws: Drawing,
    ) -> None:
        """Redraw a column where it breaks a rule. The codes and coarse codes are changed in place."""
        ...


def draw_codes(
    links: Sequence[Link],
    draws: Drawing,
    given: CodesByColumn = NOTHING_GIVEN,
    redrawing: Redraws | None = None,
) -> tuple[dict[int, Codes], npt.NDArray[np.uint8]]:
    """Draw the rows with the given numbers.

    Parameters
    ----------
    links : sequence of Link
        Conditional distributions of the columns.
    draws : Drawing
        The rows and the seed.
    given : mapping of int to array of shape (n,)
        Given codes of columns that are not drawn.
    redrawing : Redraws, optional
        Redrawing of drawn columns that break a rule.

    Returns
    -------
    codes : dict of column to array of shape (n,)
        Codes of each column.
    rows : array of shape (n, n_columns)
        Coarse codes, in the order of the chain.
    """
    n = len(draws.numbers)
    codes = {link.column: np.zeros(n, np.uint16) for link in links} | dict(given)
    rows = np.zeros((n, len(links)), np.uint8)
    for position, link in enumerate(links):
        if link.column in given:
            rows[:, position] = link.coarse[codes[link.column]]
        elif link.source >= 0:
            codes[link.column] = draws.look_up(link, codes)
            rows[:, position] = link.coarse[codes[link.column]]
        elif len(link.child):
            stream = draws.stream(link.column)
            drawing.draw_column(rows, position, stream, link.conditional, codes[link.column])
            if redrawing is not None:
                redrawing.redraw(link, rows, position, codes, draws)
    return codes, rows
