"""Removal of rare values from rules.

Enough entities or subjects must share each value or combination of values in a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from understudy.synthesizers.rules.block import Block
from understudy.synthesizers.rules.columns import one_array
from understudy.synthesizers.rules.fixed_combinations import (
    MISSING,
    SHARED_FRACTION_MIN,
    FixedCombination,
    Levels,
)
from understudy.synthesizers.rules.rules import Rules
from understudy.synthesizers.rules.value_rules import Literal
from understudy.synthesizers.rules.values import Int64s
from understudy.transformers.base import MIN_SUPPORT, Mask, Subjects
from understudy.transformers.support import count_sharers


def without_rare_values(rules: Rules, rows: pa.Table, subjects_of: Mapping[str, Subjects]) -> Rules:
    """Return the rules without the values and combinations of values that fewer than k subjects share.

    The search for rules counts rows, not subjects, so it can accept a value whose rows all belong to one
    subject.

    Parameters
    ----------
    rows : pyarrow.Table of shape (n_rows, n_columns)
        Rows of the table.
    subjects_of : mapping of str to array of shape (n_rows,)
        Subject or entity of each row, for each column with values counted by subject.
    """
    own = rules.value_rules
    shared = {
        name: _shared_levels(rules, name, rows, subjects)
        for name, subjects in subjects_of.items()
        if name in own.levels
    }

    def is_kept(literal: Literal) -> bool:
        is_rare = literal.column in shared and not shared[literal.column][literal.level]
        return literal.is_about_missing or not is_rare

    kept = replace(
        own,
        implications=tuple(r for r in own.implications if is_kept(r.condition) and is_kept(r.consequence)),
        equalities=tuple(r for r in own.equalities if is_kept(r.condition)),
    )
    return _without_rare_combinations(replace(rules, value_rules=kept), rows, subjects_of)


def _without_rare_combinations(rules: Rules, rows: pa.Table, subjects_of: Mapping[str, Subjects]) -> Rules:
    """Return the rules without rare combinations, and without fixed combinations that lose too many rows."""
    if not any(name in subjects_of for pair in rules.fixed_combinations for name in pair.columns):
        return rules
    pairs = [_shared_pair(rules, pair, rows, subjects_of) for pair in rules.fixed_combinations]
    kept = [pair for pair in pairs if pair is not None]
    used: dict[str, Int64s] = {}
    for pair in kept:
        for place, name in enumerate(pair.columns):
            own = np.unique(pair.combinations[:, place])
            used[name] = np.union1d(used.get(name, own), own[own != MISSING]).astype(np.int64)
    # The new level of each old level. Missing values keep their level.
    numbers = {name: np.append(MISSING, own[own != MISSING]) for name, own in used.items()}
    renumbered = tuple(
        replace(
            pair,
            combinations=np.stack(
                [
                    np.searchsorted(numbers[name], pair.combinations[:, place])
                    for place, name in enumerate(pair.columns)
                ],
                axis=1,
            ).astype(np.int32),
        )
        for pair in kept
    )
    levels = {
        name: Levels(rules.levels[name].keys.take(pa.array(own[1:] - 1, pa.int64())))
        for name, own in numbers.items()
    }
    return replace(rules, fixed_combinations=renumbered, levels=levels)


def _shared_pair(
    rules: Rules, pair: FixedCombination, rows: pa.Table, subjects_of: Mapping[str, Subjects]
) -> FixedCombination | None:
    """Return the rule without rare combinations, or None if the remaining combinations cover too few rows."""
    arrays = {name: one_array(rows.column(name)) for name in pair.columns}
    block = Block(rules, arrays)
    own = np.stack([block.levels(name) for name in pair.columns], axis=1)
    combinations, of_row = np.unique(np.vstack((pair.combinations, own)), axis=0, return_inverse=True)
    stored, of_row = of_row.ravel()[: len(pair.combinations)], of_row.ravel()[len(pair.combinations) :]
    is_shared = np.ones(len(combinations), np.bool_)
    for subjects in {id(s): s for name in pair.columns if (s := subjects_of.get(name)) is not None}.values():
        n_subjects = int(subjects.max(initial=0)) + 1
        cells = np.unique(of_row * n_subjects + subjects) // n_subjects
        is_shared &= np.bincount(cells, minlength=len(combinations)) >= MIN_SUPPORT
    kept = pair.combinations[is_shared[stored]]
    is_covered = np.isin(of_row, stored[is_shared[stored]])
    if not len(kept) or is_covered.mean() < SHARED_FRACTION_MIN:
        return None
    return replace(pair, combinations=kept)


def _shared_levels(rules: Rules, name: str, rows: pa.Table, subjects: Subjects) -> Mask:
    """Return a mask of the levels that enough subjects share."""
    n_levels = len(rules.value_rules.levels[name].keys) + 1
    levels = Block(rules, {name: one_array(rows.column(name))}).value_levels(name).astype(np.int64)
    known = (levels > MISSING) & (levels < n_levels)
    shared: Mask = count_sharers(levels[known], n_levels, subjects[known]) >= MIN_SUPPORT
    return shared
