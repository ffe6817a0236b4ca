"""Search for equalities of two columns that hold wherever a third column has a value."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from itertools import combinations

import numpy as np
import pyarrow as pa

from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.significance import is_significant
from understudy.synthesizers.rules.value_rules import ConditionalEquality, Literal, equal_values
from understudy.synthesizers.rules.value_search import Candidates
from understudy.synthesizers.rules.values import Floats, Int64s, Values, is_text, read_values
from understudy.transformers.base import Mask

# Maximum number of columns to search, and maximum number of equalities to check on all rows.
N_COLUMNS_MAX = 48
N_PROOFS_MAX = 256
# Minimum number of sampled rows where the two columns are equal.
N_EQUAL_MIN = 8
# Maximum number of distinct strings in a column whose set of strings is compared with other columns first.
# Two columns without a common string are not equal in any row.
N_TEXTS_MAX = 256


def find_equalities(
    columns: Columns, candidates: Candidates, targets: Collection[str], sources: Collection[str]
) -> tuple[ConditionalEquality, ...]:
    """Return the significant equalities that hold in all rows that satisfy a literal.

    Parameters
    ----------
    targets : collection of str
        Names of the columns that may be set to the value of another column.
    sources : collection of str
        Names of the columns that values may be copied from.
    """
    pairs = list(_pairs(columns, targets, sources))
    n_hypotheses = max(len(pairs), 1) * len(candidates.literals)
    names = {name for pair in pairs for name in pair}
    sample = {name: read_values(name, columns.sample_array(name), None) for name in names}
    texts = {name: _few_texts(columns, name) for name in names}
    found: list[ConditionalEquality] = []
    n_proofs = 0
    for first, second in pairs:
        own, other = texts[first], texts[second]
        if own is not None and other is not None and len(own & other) < 2:
            continue
        equal = equal_values(sample[first], sample[second])
        is_rare = np.count_nonzero(equal) < N_EQUAL_MIN
        if is_rare or equal.all() or not _varies(sample[first], equal):
            continue
        evidence = candidates.counts * -math.log(float(equal.mean()))
        for i in np.flatnonzero(_broken(candidates, ~equal) == 0):
            literal = candidates.literals[i]
            is_evident = is_significant(float(evidence[i]), n_hypotheses)
            if literal.column in (first, second) or not is_evident:
                continue
            if not _varies(sample[first], candidates.rows_of(literal)[columns.rows]):
                continue
            n_proofs += 1
            if n_proofs > N_PROOFS_MAX:
                return acyclic(found)
            directions = [(t, s) for t, s in ((second, first), (first, second)) if t in targets]
            equality = _prove(columns, candidates.rows_of(literal), literal, directions)
            if equality is not None:
                found.append(equality)
    return acyclic(found)


def _few_texts(columns: Columns, name: str) -> frozenset[str] | None:
    """Return the distinct strings of a column in the sample, or None for many strings or another type."""
    if not is_text(columns.table.schema.field(name).type):
        return None
    keys = columns.sample_encoded(name).dictionary
    return frozenset(keys.to_pylist()) if len(keys) <= N_TEXTS_MAX else None


def _broken(candidates: Candidates, unequal: Mask) -> Floats:
    """Return, for each literal, how many sampled rows satisfy the literal but break the equality."""
    return np.concatenate([candidates.count_sampled(name, unequal) for name in candidates.places])


def _pairs(columns: Columns, targets: Collection[str], sources: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of columns with the same type if one column may be set to the value of the other column."""
    names = [name for name in columns.names if name in sources][:N_COLUMNS_MAX]
    for first, second in combinations(names, 2):
        types = [columns.table.schema.field(name).type for name in (first, second)]
        if types[0] == types[1] and (first in targets or second in targets):
            yield first, second


def _prove(
    columns: Columns, mask: Mask, literal: Literal, directions: list[tuple[str, str]]
) -> ConditionalEquality | None:
    for target, source in directions:
        decimals = [columns.decimals(name) for name in (target, source)]
        is_finer = decimals[0] != decimals[1] and (
            decimals[0] is not None and (decimals[1] is None or decimals[1] > decimals[0])
        )
        if is_finer:
            continue
        own, other = (_stored(columns, name, np.flatnonzero(mask)) for name in (target, source))
        if equal_values(own, other).all():
            return ConditionalEquality(literal, target, source)
    return None


def _stored(columns: Columns, name: str, rows: Int64s) -> Values:
    """Return the stored values of some rows, which are comparable even if decimal places differ."""
    return read_values(name, columns.array(name).take(pa.array(rows, pa.int64())), None)


def _varies(values: Values, rows: Mask) -> bool:
    """Return whether the rows have several values. With only one, an implication covers the equality."""
    present = values.keys.filter(pa.array(rows & ~values.mask))
    return len(present.unique()) > 1


def acyclic(found: list[ConditionalEquality]) -> tuple[ConditionalEquality, ...]:
    """Return the equalities in a valid order of application, without those that close a cycle."""
    needed: dict[str, set[str]] = {}
    kept = []
    for rule in found:
        needs = {rule.source, rule.condition.column}
        if rule.target not in _reachable(needs, needed):
            needed.setdefault(rule.target, set()).update(needs)
            kept.append(rule)
    return tuple(kept)


def _reachable(names: set[str], needed: dict[str, set[str]]) -> set[str]:
    """Return the given columns, and all columns that they need directly or indirectly."""
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += needed.get(name, ())
    return reached
