"""Support of value-level rules, whose values must be shared by enough entities or subjects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from understudy.synthesizers.rules.block import Block
from understudy.synthesizers.rules.fixed_combinations import MISSING
from understudy.synthesizers.rules.rules import Rules
from understudy.synthesizers.rules.value_rules import Literal
from understudy.transformers.base import MIN_SUPPORT, Mask, Subjects


def without_rare_values(rules: Rules, rows: pa.Table, subjects_of: Mapping[str, Subjects]) -> Rules:
    """Return the rules, except value-level rules on values that fewer than k subjects share.

    Rules are found among rows, so all rows with a value can belong to a single customer.

    Parameters
    ----------
    rows : pyarrow.Table of shape (n_rows, n_columns)
        Rows of the table.
    subjects_of : mapping of str to array of shape (n_rows,)
        Subject or entity of each row, for each column whose values are counted by subject.
    """
    own = rules.value_rules
    whole = rows.combine_chunks()
    shared = {
        name: _shared_levels(rules, name, whole, subjects)
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
    return replace(rules, value_rules=kept)


def _shared_levels(rules: Rules, name: str, rows: pa.Table, subjects: Subjects) -> Mask:
    """Return a mask of the levels that enough subjects share."""
    n_levels = len(rules.value_rules.levels[name].keys) + 1
    (array,) = rows.column(name).chunks
    levels = Block(rules, {name: array}).value_levels(name).astype(np.int64)
    known = (levels > MISSING) & (levels < n_levels)
    pairs = np.unique(levels[known] * (int(subjects.max(initial=0)) + 1) + subjects[known])
    counts = np.bincount(pairs // (int(subjects.max(initial=0)) + 1), minlength=n_levels)
    shared: Mask = counts >= MIN_SUPPORT
    return shared
