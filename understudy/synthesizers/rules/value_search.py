"""Search for value-level rules, based on counts of single values that occur together."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.rules.closure import reduce_transitively
from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.fixed_combinations import MISSING, UNKNOWN, Levels
from understudy.synthesizers.rules.functional_dependencies import FunctionalDependency
from understudy.synthesizers.rules.significance import CHANCE_MAX
from understudy.synthesizers.rules.value_rules import Implication, Literal
from understudy.synthesizers.rules.values import Int32s, Int64s, Values
from understudy.transformers.base import MIN_SUPPORT, Mask

# Maximum number of columns to search, of literals per column, and of literals in total.
N_COLUMNS_MAX = 128
N_LITERALS_OF_COLUMN = 40
N_LITERALS_MAX = 640
# A column with at most this many distinct values in the sample has a literal for each of its most frequent
# values.
N_VALUES_FEW = 256
# Minimum share of rows that must contain a value for it to have a literal, in columns with more values.
SHARE_MIN = 0.01
# Factor for the evidence threshold of values that never occur together.
EXCLUSION_FACTOR = 2.0
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LeveledColumn:
    """A column as levels: its frequent values, missing values, and all other values.

    Parameters
    ----------
    values : Levels
        Frequent values.
    levels : array of shape (n_rows,)
        MISSING, the level of a frequent value, or the number after the last level for other values.
    sampled : array of shape (n_sample,)
        Levels of the sample.
    """

    values: Levels
    levels: Int64s
    sampled: Int64s

    @property
    def n_levels(self) -> int:
        """Number of levels, including the level of missing values and the level of all other values."""
        return len(self.values.keys) + 2


@dataclass(frozen=True)
class Candidates:
    """Literals of a table.

    Parameters
    ----------
    literals : list of Literal
        Values that enough rows share, missing values, and present values of columns with missing values. The
        literals of a column are consecutive.
    counts : array of shape (n_literals,)
        Number of rows that satisfy each literal.
    leveled : dict of column name to LeveledColumn
        Columns of the literals.
    """

    literals: list[Literal]
    counts: Int64s
    leveled: dict[str, LeveledColumn]

    @cached_property
    def places(self) -> dict[str, slice]:
        """Range of literals for each column."""
        names = [literal.column for literal in self.literals]
        return {n: slice(names.index(n), names.index(n) + names.count(n)) for n in dict.fromkeys(names)}

    @cached_property
    def _selections(self) -> dict[str, Matrix]:
        """One matrix per column. The entry at (literal, level) is 1 if the level satisfies the literal."""
        selections = {}
        for name, at in self.places.items():
            levels = np.arange(self.leveled[name].n_levels)
            selections[name] = np.array([own.holds(levels) for own in self.literals[at]], np.float64)
        return selections

    def count_sampled(self, name: str, rows: Mask | slice) -> Matrix:
        """Return the number of sampled rows that satisfy each literal of a column."""
        own = self.leveled[name]
        return np.asarray(self._selections[name] @ np.bincount(own.sampled[rows], minlength=own.n_levels))

    def count_together(self, first: str, second: str, *, in_sample: bool) -> Matrix:
        """Return the number of rows that satisfy each pair of literals from two columns."""
        a, b = self.leveled[first], self.leveled[second]
        one, other = (a.sampled, b.sampled) if in_sample else (a.levels, b.levels)
        joint = one * b.n_levels + other
        table = np.bincount(joint, minlength=a.n_levels * b.n_levels).reshape(a.n_levels, b.n_levels)
        return np.asarray(self._selections[first] @ table @ self._selections[second].T)

    def rows_of(self, literal: Literal) -> Mask:
        """Return the mask of the rows that satisfy a literal."""
        return literal.holds(self.leveled[literal.column].levels)


def find_literals(columns: Columns, names: list[str]) -> Candidates:
    """Return the literals of the named columns, the most frequent ones if there are too many."""
    leveled: dict[str, LeveledColumn] = {}
    literals: list[Literal] = []
    counts: list[int] = []
    for name in names[:N_COLUMNS_MAX]:
        own = _level(columns, name)
        n_rows = np.bincount(own.levels, minlength=own.n_levels)[:-1]
        levels = [level for level, n in enumerate(n_rows.tolist()) if MIN_SUPPORT <= n < columns.n_rows]
        found = [Literal(name, level) for level in levels]
        numbers = n_rows[levels].tolist()
        if MISSING in levels:
            found.append(Literal(name, MISSING, is_negated=True))
            numbers.append(columns.n_rows - int(n_rows[MISSING]))
        literals, counts = literals + found, counts + numbers
        leveled[name] = own
    order = np.sort(np.argsort(-np.array(counts, np.int64), kind="stable")[:N_LITERALS_MAX])
    return Candidates([literals[i] for i in order], np.array(counts, np.int64)[order], leveled)


def _level(columns: Columns, name: str) -> LeveledColumn:
    """Return the levels of a column. Values that are rare in the sample are not encoded in all rows."""
    sample = columns.sample(name)
    encoded = columns.sample_encoded(name)
    least = max(MIN_SUPPORT, math.ceil(SHARE_MIN * columns.n_sample))
    is_few = len(encoded.dictionary) <= N_VALUES_FEW
    if not is_few:
        values = _often(encoded, sample.missing, least)
        found = values.find(columns.all(name)) if len(values.keys) else _missing_levels(columns.all(name))
        levels = np.where(found == UNKNOWN, len(values.keys) + 1, found).astype(np.int64)
        return LeveledColumn(values, levels, levels[columns.rows])
    own = columns.all(name)
    encoded = columns.encoded(name)
    values = _often(encoded, own.missing, MIN_SUPPORT)
    places = pc.index_in(encoded.dictionary, value_set=values.keys).fill_null(len(values.keys))
    levels = np.append(places.to_numpy() + 1, MISSING).astype(np.int64)[_codes(encoded)]
    if own.missing is not None:
        levels = np.where(own.missing, MISSING, levels)
    return LeveledColumn(values, levels, levels[columns.rows])


def _codes(encoded: Any) -> Int32s:  # Any: stubs have no dictionary type
    """Return the codes of a dictionary-encoded array, where null has the number after the last code."""
    indices = encoded.indices
    if indices.null_count:
        indices = indices.fill_null(len(encoded.dictionary))
    return np.asarray(indices.to_numpy(), dtype=np.int32)


def _missing_levels(values: Values) -> Int32s:
    levels = np.full(len(values.keys), UNKNOWN, np.int32)
    return levels if values.missing is None else np.where(values.missing, np.int32(MISSING), levels)


def _often(encoded: Any, missing: Mask | None, least: int) -> Levels:  # Any: stubs have no dictionary type
    """Return the frequent values of a column, as sorted levels."""
    codes = _codes(encoded)
    counts = np.bincount(codes if missing is None else codes[~missing], minlength=len(encoded.dictionary))
    counts = counts[: len(encoded.dictionary)]
    shared = np.flatnonzero(counts >= least)
    if not len(shared):
        return Levels(encoded.dictionary.slice(0, 0))
    often = shared[np.argsort(-counts[shared], kind="stable")[:N_LITERALS_OF_COLUMN]]
    keys = encoded.dictionary
    # The lowest and the highest value often have a meaning, such as zero or 999.
    order = pc.sort_indices(keys.take(pa.array(shared, pa.int64()))).to_numpy()
    ends = shared[order[[0, -1]]]
    chosen = keys.take(pa.array(np.union1d(often, ends), pa.int64()))
    return Levels(chosen.take(pc.sort_indices(chosen)))


def find_implications(
    columns: Columns, candidates: Candidates, lookups: Collection[FunctionalDependency]
) -> list[Implication]:
    """Return the significant implications that hold in all rows and do not follow from other implications.

    Parameters
    ----------
    lookups : collection of FunctionalDependency
        Dependencies that other rules enforce. Implications between the columns of a dependency are left out.
    """
    literals = candidates.literals
    if len(literals) < 2:
        return []
    edges, excluded = _prove(columns, candidates, _pairs(literals, lookups))
    kept = _without_contrapositives(_reduce(edges), _negations(candidates, columns.n_rows))
    forced = {(i, literals[j].column) for i, j in edges}
    return [Implication(literals[i], literals[j]) for i, j in kept] + [
        Implication(literals[i], literals[j].negation)
        for i, j in sorted(excluded)
        # An implication that forces another value in the same column already implies the exclusion.
        if (i, literals[j].column) not in forced and (j, literals[i].column) not in forced
    ]


def _prove(
    columns: Columns, candidates: Candidates, may: npt.NDArray[np.bool_]
) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Return the implications that hold in all rows, and the pairs of literals that never occur together."""
    n, share = len(candidates.literals), candidates.counts / columns.n_rows
    least = math.log(2 * n * n / CHANCE_MAX)
    evident = may & (candidates.counts[:, None] * -np.log(share)[None, :] > least)
    # Numbers that never occur together usually belong to ranges, which a chain learns.
    is_label = np.array([not columns.is_quantity(literal.column) for literal in candidates.literals])
    is_value = is_label & [not literal.is_about_missing for literal in candidates.literals]
    # Pairs of values that never occur together are numerous, so they need more evidence.
    evident_not = candidates.counts[:, None] * -np.log1p(-share)[None, :] > EXCLUSION_FACTOR * least
    evident_not &= may & may.T & is_value[:, None] & is_value[None, :]
    edges: set[tuple[int, int]] = set()
    excluded: set[tuple[int, int]] = set()
    names = list(candidates.places)
    sampled = {name: candidates.count_sampled(name, slice(None)) for name in names}
    for first, second in combinations(names, 2):
        a, b = candidates.places[first], candidates.places[second]
        open_ = evident[a, b], evident[b, a].T, evident_not[a, b]
        for in_sample in (True, False):
            if not any(mask.any() for mask in open_):
                break
            together = candidates.count_together(first, second, in_sample=in_sample)
            counts = (
                [sampled[first], sampled[second]] if in_sample else [candidates.counts[own] for own in (a, b)]
            )
            forward, backward, never = open_
            open_ = (
                forward & (together == counts[0][:, None]),
                backward & (together == counts[1][None, :]),
                never & (together == 0),
            )
        else:
            edges |= {(a.start + i, b.start + j) for i, j in np.argwhere(open_[0]).tolist()}
            edges |= {(b.start + j, a.start + i) for i, j in np.argwhere(open_[1]).tolist()}
            excluded |= {(a.start + i, b.start + j) for i, j in np.argwhere(open_[2]).tolist()}
    return edges, excluded


def _pairs(literals: list[Literal], lookups: Collection[FunctionalDependency]) -> npt.NDArray[np.bool_]:
    """Return the pairs of literals to search. No other kind of rule relates the two columns of a pair."""
    names = sorted({literal.column for literal in literals})
    at = np.array([names.index(literal.column) for literal in literals])
    open_ = ~np.eye(len(names), dtype=np.bool_)
    for rule in lookups:
        if rule.determinant in names and rule.dependent in names:
            open_[names.index(rule.determinant), names.index(rule.dependent)] = False
    may: npt.NDArray[np.bool_] = open_[at][:, at]
    missing, present = (
        np.array([own.is_about_missing and own.is_negated is truth for own in literals])
        for truth in (False, True)
    )
    # Missingness rules relate missing values to each other.
    related = (missing[:, None] & missing[None, :]) | (present[:, None] & present[None, :])
    return np.asarray(may & ~related)


def _reduce(edges: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the edges that no other edges imply.

    If several literals are true in the same rows, only the first of them has other edges.
    """
    nodes = sorted({node for edge in edges for node in edge})
    first = {b: min(a for a in nodes if a == b or {(a, b), (b, a)} <= edges) for b in nodes}
    heads = {(a, b) for a, b in edges if first[a] == a and first[b] == b}
    mutual = [edge for b in nodes if first[b] != b for edge in ((first[b], b), (b, first[b]))]
    return mutual + sorted(reduce_transitively(heads))


def _negations(candidates: Candidates, n_rows: int) -> dict[int, int]:
    """Return pairs of literals for one column if exactly one literal of the pair is true in every row."""
    found = {}
    for at in candidates.places.values():
        by_count = {int(candidates.counts[i]): i for i in range(at.start, at.stop)}
        for i in range(at.start, at.stop):
            other = by_count.get(n_rows - int(candidates.counts[i]), i)
            if other != i and n_rows - int(candidates.counts[i]) == int(candidates.counts[other]):
                found[i] = other
    return found


def _without_contrapositives(
    edges: list[tuple[int, int]], negations: dict[int, int]
) -> list[tuple[int, int]]:
    """Return the edges, except edges that are preceded by their contrapositive."""
    kept: dict[tuple[int, int], None] = {}
    for i, j in edges:
        if (negations.get(j, -1), negations.get(i, -1)) not in kept:
            kept[i, j] = None
    return list(kept)
