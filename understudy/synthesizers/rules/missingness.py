"""Missingness rules: columns with values that are missing together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from understudy.synthesizers.rules.closure import reduce_transitively
from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.significance import is_significant
from understudy.synthesizers.rules.values import has_missing
from understudy.transformers.base import MIN_SUPPORT, Mask

N_COLUMNS_MAX = 256


@dataclass(frozen=True)
class Missingness:
    """Rule that `second` is missing where `first` is missing, and vice versa if the rule is mutual."""

    first: str
    second: str
    is_mutual: bool

    def holds(self, first: Mask, second: Mask) -> Mask:
        """Return a mask of rows that satisfy the rule, given the masks of missing values."""
        return first == second if self.is_mutual else ~first | second

    def describe(self) -> str:
        """Return the rule as a sentence."""
        if self.is_mutual:
            return f"{self.first} is missing exactly where {self.second} is missing."
        return f"Where {self.first} is missing, {self.second} is missing too."


def find_missingness(columns: Columns, names: list[str]) -> tuple[Missingness, ...]:
    """Return the missingness rules among the named columns that do not follow from other rules."""
    masks = _masks(columns, names)
    found = list(masks)
    implied = _implications(masks, columns.n_rows)
    # If several columns are always missing together, the other rules use only the first of them.
    first = {
        b: min((a for a in found if a == b or {(a, b), (b, a)} <= implied), key=found.index) for b in found
    }
    heads = {(a, b) for a, b in implied if first[a] == a and first[b] == b}
    together = [Missingness(first[b], b, is_mutual=True) for b in found if first[b] != b]
    order = sorted(reduce_transitively(heads), key=lambda pair: (found.index(pair[0]), found.index(pair[1])))
    return (*together, *(Missingness(a, b, is_mutual=False) for a, b in order))


def _masks(columns: Columns, names: list[str]) -> dict[str, Mask]:
    """Return masks of the missing values, for columns with enough missing values and at least one value."""
    masks = {}
    for name in [name for name in names if has_missing(columns.table.column(name))][:N_COLUMNS_MAX]:
        missing = columns.table.column(name).is_null(nan_is_null=True).to_numpy()
        mask = np.asarray(missing, dtype=np.bool_)
        if MIN_SUPPORT <= mask.sum() < columns.n_rows:
            masks[name] = mask
    return masks


def _implications(masks: dict[str, Mask], n_rows: int) -> set[tuple[str, str]]:
    counts = {name: int(mask.sum()) for name, mask in masks.items()}
    n_hypotheses = len(masks) * (len(masks) - 1)
    found = set()
    for a, missing in masks.items():
        rows = np.flatnonzero(missing)
        for b, other in masks.items():
            # If a and b were independent, b would be missing in a fraction counts[b] / n_rows of the rows
            # where a is missing.
            evidence = counts[a] * math.log(n_rows / counts[b])
            if (
                a != b
                and is_significant(evidence, n_hypotheses)
                and other[rows[:100]].all()
                and other[rows].all()
            ):
                found.add((a, b))
    return found
