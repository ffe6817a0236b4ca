"""Search for value-level rules, based on counts of single values that occur together."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
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
from understudy.transformers.base import MIN_SUPPORT, ArrowArray, Mask

# Maximum number of columns to search, of literals per column, and of literals in total.
N_COLUMNS_MAX = 128
N_LITERALS_OF_COLUMN = 40
N_LITERALS_MAX = 640
# A column with at most this many distinct values in the sample has a literal for each of its most frequent
# values.
N_VALUES_FEW = 256
# In columns with more distinct values, only values with at least this share of the rows have a literal.
SHARE_MIN = 0.01
# Factor for the evidence threshold of values that never occur together.
EXCLUSION_FACTOR = 2.0
# Number of sampled rows in the first test of values that never occur together.
N_ROWS_FIRST = 512
# Number of rows of each literal in the first test of what the literal implies.
N_ROWS_OF_LITERAL = 24
# Number of bytes that are compared at once, which limits the memory.
N_BYTES_AT_ONCE = 2**21
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
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
    counts : array of shape (n_levels,)
        Number of rows that have each level.
    """

    values: Levels
    levels: Int64s
    sampled: Int64s
    counts: Int64s

    @property
    def n_levels(self) -> int:
        """Number of levels, including the level of missing values and the level of all other values."""
        return len(self.values.keys) + 2

    def some_rows(self, literals: list[Literal]) -> Int64s:
        """Return some of the rows that satisfy each literal, in an array of shape (n_literals, n_rows)."""
        # There are few enough levels for 8-bit integers, which are sorted in linear time.
        ordered = np.argsort(self.levels.astype(np.uint8), kind="stable")
        starts = np.cumsum(self.counts) - self.counts
        first = np.array([starts[1] if own.is_negated else starts[own.level] for own in literals])
        n = np.array(
            [
                len(ordered) - first[i] if own.is_negated else self.counts[own.level]
                for i, own in enumerate(literals)
            ]
        )
        places = first[:, None] + np.arange(N_ROWS_OF_LITERAL) * n[:, None] // N_ROWS_OF_LITERAL
        return np.asarray(ordered[places])


@dataclass(frozen=True, eq=False, repr=False)
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

    def count_all(self, *, in_sample: bool) -> npt.NDArray[np.number[Any]]:
        """Return the number of rows that satisfy each literal."""
        if not in_sample:
            return self.counts
        return np.concatenate([self.count_sampled(name, slice(None)) for name in self.places])

    def may_imply(self) -> npt.NDArray[np.bool_]:
        """Return, for each literal, which literals are true in all of its tested rows, as a square array."""
        rows = np.vstack(
            [self.leveled[name].some_rows(self.literals[at]) for name, at in self.places.items()]
        )
        holds = []
        for name, at in self.places.items():
            levels = self.leveled[name].levels[rows]
            low, high = levels.min(axis=1)[:, None], levels.max(axis=1)[:, None]
            own = np.array([literal.level for literal in self.literals[at]])
            # Every negated literal requires only that a value is present.
            is_negated = np.array([literal.is_negated for literal in self.literals[at]])
            holds.append(np.where(is_negated, low > MISSING, (low == own) & (high == own)))
        return np.hstack(holds)

    def never_in_sample(self, names: Collection[str]) -> npt.NDArray[np.bool_]:
        """Return which literals of the named columns are never true together in a part of the sample."""
        never = np.zeros((len(self.literals), len(self.literals)), np.bool_)
        used = [i for i, literal in enumerate(self.literals) if literal.column in names]
        if used:
            n = len(self.leveled[self.literals[used[0]].column].sampled)
            rows = np.linspace(0, n - 1, min(N_ROWS_FIRST, n)).astype(np.int64)
            selected = ((name, own) for name, own in self._selections.items() if name in names)
            holds = [own[:, self.leveled[name].sampled[rows]] for name, own in selected]
            matrix = np.concatenate(holds).astype(np.float32)
            never[np.ix_(used, used)] = matrix @ matrix.T == 0
        return never

    def count_together(self, first: Int64s, second: Int64s, *, in_sample: bool) -> Int64s:
        """Return the number of rows that satisfy both literals of each pair, given two arrays of indices."""
        used = np.zeros(len(self.literals), np.bool_)
        used[first] = used[second] = True
        bits, at = self._pack(used, in_sample=in_sample), np.cumsum(used) - 1
        together = np.zeros(len(first), np.int64)
        n_pairs = max(N_BYTES_AT_ONCE // max(bits[:1].nbytes, 1), 1)
        for start in range(0, len(first), n_pairs):
            some = slice(start, start + n_pairs)
            both = bits[at[first[some]]] & bits[at[second[some]]]
            together[some] = np.bitwise_count(both).sum(axis=1, dtype=np.int64)
        return together

    def _pack(self, used: Mask, *, in_sample: bool) -> npt.NDArray[np.uint64]:
        """Return, for each used literal, one bit per row. The bit is 1 if the row satisfies the literal."""
        packed = []
        for name, place in self.places.items():
            levels = self.leveled[name].sampled if in_sample else self.leveled[name].levels
            levels = levels.astype(np.uint16)
            chosen = (
                literal for literal, is_used in zip(self.literals[place], used[place], strict=True) if is_used
            )
            packed += [np.packbits(literal.holds(levels)) for literal in chosen]
        n_bytes = len(packed[0]) if packed else 0
        bits = np.zeros((len(packed), n_bytes + -n_bytes % 8), np.uint8)
        if packed:
            bits[:, :n_bytes] = packed
        return bits.view(np.uint64)

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
        n_rows = own.counts[:-1]
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
        values = _often(encoded.dictionary, _count_codes(encoded, sample.missing), least)
        found = values.find(columns.all(name)) if len(values.keys) else _missing_levels(columns.all(name))
        levels = np.where(found == UNKNOWN, len(values.keys) + 1, found).astype(np.int64)
        return LeveledColumn(
            values, levels, levels[columns.rows], np.bincount(levels, minlength=len(values.keys) + 2)
        )
    own = columns.all(name)
    encoded = columns.encoded(name)
    n_rows = _count_codes(encoded, own.missing)
    values = _often(encoded.dictionary, n_rows, MIN_SUPPORT)
    places = pc.index_in(encoded.dictionary, value_set=values.keys).fill_null(len(values.keys))
    level_of_code = np.append(places.to_numpy() + 1, MISSING).astype(np.int64)
    levels = level_of_code[_codes(encoded)]
    if own.missing is not None:
        levels = np.where(own.missing, MISSING, levels)
    counts = np.zeros(len(values.keys) + 2, np.int64)
    np.add.at(counts, level_of_code[:-1], n_rows)
    counts[MISSING] = columns.n_rows - n_rows.sum()
    return LeveledColumn(values, levels, levels[columns.rows], counts)


def _count_codes(encoded: Any, missing: Mask | None) -> Int64s:  # Any: stubs have no dictionary type
    """Return the number of present values with each code of a dictionary-encoded array."""
    codes, n = _codes(encoded), len(encoded.dictionary)
    return np.bincount(codes if missing is None else codes[~missing], minlength=n)[:n]


def _codes(encoded: Any) -> Int32s:  # Any: stubs have no dictionary type
    """Return the codes of a dictionary-encoded array. Null has the number after the last code."""
    indices = encoded.indices
    if indices.null_count:
        indices = indices.fill_null(len(encoded.dictionary))
    return np.asarray(indices.to_numpy(), dtype=np.int32)


def _missing_levels(values: Values) -> Int32s:
    levels = np.full(len(values.keys), UNKNOWN, np.int32)
    return levels if values.missing is None else np.where(values.missing, np.int32(MISSING), levels)


def _often(keys: ArrowArray, counts: Int64s, least: int) -> Levels:
    """Return the frequent values of a column as sorted levels, given the number of rows with each value."""
    shared = np.flatnonzero(counts >= least)
    if not len(shared):
        return Levels(keys.slice(0, 0))
    chosen = keys.take(pa.array(shared, pa.int64()))
    if len(shared) > N_LITERALS_OF_COLUMN:
        often = np.argsort(-counts[shared], kind="stable")[:N_LITERALS_OF_COLUMN]
        # The lowest and the highest value often have a meaning, such as zero or 999.
        ends = pc.sort_indices(chosen).to_numpy()[[0, -1]]
        chosen = chosen.take(pa.array(np.union1d(often, ends), pa.int64()))
    return Levels(chosen.take(pc.sort_indices(chosen)))


def find_implications(
    columns: Columns, candidates: Candidates, lookups: Collection[FunctionalDependency]
) -> list[Implication]:
    """Return the significant implications that hold in all rows and do not follow from other implications.

    Parameters
    ----------
    lookups : collection of FunctionalDependency
        Dependencies that other rules enforce. Implications between the columns of a dependency are omitted.
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
    labels = {name for name in candidates.places if not columns.is_quantity(name)}
    is_label = np.array([literal.column in labels for literal in candidates.literals])
    is_value = is_label & [not literal.is_about_missing for literal in candidates.literals]
    # Pairs of values that never occur together are numerous, so they need more evidence.
    evident_not = candidates.counts[:, None] * -np.log1p(-share)[None, :] > EXCLUSION_FACTOR * least
    evident_not &= may & may.T & is_value[:, None] & is_value[None, :]
    evident &= candidates.may_imply()
    evident_not &= candidates.never_in_sample(labels)
    # The literals of a column are consecutive, so the first literal of a pair belongs to an earlier column.
    implied, excluded = np.nonzero(evident), np.nonzero(np.triu(evident_not))
    for in_sample in (True, False):
        counts = candidates.count_all(in_sample=in_sample)
        together = candidates.count_together(*implied, in_sample=in_sample)
        holds = together == counts[implied[0]]
        implied = implied[0][holds], implied[1][holds]
        holds = candidates.count_together(*excluded, in_sample=in_sample) == 0
        excluded = excluded[0][holds], excluded[1][holds]
    edges, never = (set(zip(*(own.tolist() for own in pairs), strict=True)) for pairs in (implied, excluded))
    return edges, never


def _pairs(literals: list[Literal], lookups: Collection[FunctionalDependency]) -> npt.NDArray[np.bool_]:
    """Return the pairs of literals to search, without the pairs that other kinds of rules cover."""
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
    # Missingness rules cover the pairs of two missing or two present values.
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
    """Return pairs of literals of one column. In every row, exactly one literal of a pair is true."""
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
    """Return the edges without those whose contrapositive precedes them."""
    kept: dict[tuple[int, int], None] = {}
    for i, j in edges:
        if (negations.get(j, -1), negations.get(i, -1)) not in kept:
            kept[i, j] = None
    return list(kept)
