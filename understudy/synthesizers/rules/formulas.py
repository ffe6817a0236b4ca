"""The protocol of formulas, which compute a column from other columns."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa

from understudy.synthesizers.rules.linear import Writing
from understudy.synthesizers.rules.values import Numbers, Values
from understudy.transformers.base import ArrowArray, Mask


class Formula(Protocol):
    """A rule that computes a column from other columns in every row."""

    @property
    def target(self) -> str:
        """Name of the computed column."""
        ...

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the columns that the target is computed from."""
        ...

    def derive(self, terms: list[Values], writing: Writing) -> ArrowArray:
        """Return the target's values."""
        ...

    def holds(self, target: Values, terms: list[Values]) -> Mask:
        """Return a mask of rows that satisfy the rule."""
        ...

    def solve(self, place: int, target: Values, terms: list[Values]) -> Numbers | None:
        """Return the numbers of one term that satisfy the rule, or None if these numbers are not unique.

        Parameters
        ----------
        target : Values
            Values of the target.
        terms : list of Values
            Values of all terms. The values of the term to solve for are guesses.
        """
        ...

    def describe(self, types: dict[str, pa.DataType], decimals: dict[str, int]) -> str:
        """Return the rule as a sentence."""
        ...
