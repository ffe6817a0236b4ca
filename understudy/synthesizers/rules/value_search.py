"""Search for value-level rules on the co-occurrence counts of single values."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.rules.closure import reduce_transitively
from understudy.synthesizers.rules.columns import Columns, encode
from understudy.synthesizers.rules.fixed_combinations import MISSING, UNKNOWN, Levels
from understudy.synthesizers.rules.functional_dependencies import FunctionalDependency
from understudy.synthesizers.rules.significance import CHANCE_MAX
from understudy.synthesizers.rules.value_rules import Implication, Literal
from understudy.synthesizers.rules.values import Int64s
from understudy.transformers.base import MIN_SUPPORT, Mask

# Maximum number of columns to search, of literals of a column, and of literals in total.
N_COLUMNS_MAX = 128
N_LITERALS_OF_COLUMN = 40
N_LITERALS_MAX = 640
# A column with at most this many values in the sample has a literal for each of its most frequent values.
N_VALUES_FEW = 256
# Minimum share of rows of a value of any other column.
SHARE_MIN = 0.01
# Maximum number of implications that are checked on all rows.
N_PROOFS_MAX = 4096

Matrix = npt.NDArray[np.float32]


class LiteralRows:
    """Masks of all rows that satisfy a literal, cached.

    Parameters
    ----------
    values : dict of column name to Levels
        Values of the literals.
    """

    def __init__(self, columns: Columns, values: dict[str, Levels]) -> None:
        self._columns, self.values = columns, values
        self._levels: dict[str, npt.NDArray[np.int32]] = {}
        self._masks: dict[Literal, Mask] = {}

    def levels(self, name: str) -> npt.NDArray[np.int32]:
        """Return the levels of all values of a column."""
        if name not in self._levels:
            self._levels[name] = self.values[name].find(self._columns.all(name))
        return self._levels[name]

    def of(self, literal: Literal) -> Mask:
        """Return the mask of the rows that satisfy a literal."""
        if literal not in self._masks:
            self._masks[literal] = literal.holds(self.levels(literal.column))
        return self._masks[literal]


@dataclass(frozen=True)
class Candidates:
    """Literals of a table, with their rows.

    Parameters
    ----------
    literals : list of Literal
        Values that enough rows share, missing values, and present values of columns with missing values.
    counts : array of shape (n_literals,)
        Number of rows of each literal.
    sampled : array of shape (n_sample, n_literals)
        One where a row of the sample satisfies a literal.
    rows : LiteralRows
        Masks of all rows.
    """

    literals: list[Literal]
    counts: Int64s
    sampled: Matrix
    rows: LiteralRows


def find_literals(columns: Columns, names: list[str]) -> Candidates:
    """Return the literals of the named columns, the most frequent ones if there are too many."""
    levels = {name: _frequent_values(columns, name) for name in names[:N_COLUMNS_MAX]}
    rows = LiteralRows(columns, levels)
    literals: list[Literal] = []
    counts: list[int] = []
    for name, own in levels.items():
        n_rows = np.bincount(np.maximum(rows.levels(name), UNKNOWN) + 1, minlength=len(own.keys) + 2)[1:]
        for level, count in enumerate(n_rows.tolist()):
            if MIN_SUPPORT <= count < columns.n_rows:
                literals.append(Literal(name, level))
                counts.append(count)
        if MIN_SUPPORT <= n_rows[MISSING] < columns.n_rows:
            literals.append(Literal(name, MISSING, is_negated=True))
            counts.append(columns.n_rows - int(n_rows[MISSING]))
    order = np.sort(np.argsort(-np.array(counts, np.int64), kind="stable")[:N_LITERALS_MAX])
    chosen = [literals[i] for i in order]
    matrix = np.zeros((columns.n_sample, len(chosen)), np.float32)
    for place, literal in enumerate(chosen):
        matrix[:, place] = literal.holds(rows.levels(literal.column)[columns.rows])
    return Candidates(chosen, np.array([counts[i] for i in order], np.int64), matrix, rows)


def _frequent_values(columns: Columns, name: str) -> Levels:
    """Return the values of a column that enough rows share, as sorted levels."""
    values = columns.sample(name)
    least = max(MIN_SUPPORT, math.ceil(SHARE_MIN * columns.n_sample))
    if encode(values).n_codes <= N_VALUES_FEW:
        values, least = columns.all(name), MIN_SUPPORT
    present = values.keys if values.missing is None else values.keys.filter(pa.array(~values.mask))
    counted = pc.value_counts(present)
    counts = counted.field("counts").to_numpy()
    shared = np.flatnonzero(counts >= least)
    often = shared[np.argsort(-counts[shared], kind="stable")[:N_LITERALS_OF_COLUMN]]
    keys = counted.field("values")
    # The lowest and the highest value often have a meaning, such as zero or 999.
    order = pc.sort_indices(keys.take(pa.array(shared, pa.int64()))).to_numpy()
    ends = shared[order[[0, -1]]] if len(shared) else shared
    chosen = keys.take(pa.array(np.union1d(often, ends), pa.int64()))
    return Levels(chosen.take(pc.sort_indices(chosen)))


def find_implications(
    columns: Columns, candidates: Candidates, lookups: Collection[FunctionalDependency]
) -> list[Implication]:
    """Return the significant implications that hold in all rows, without those that follow from others.

    Parameters
    ----------
    lookups : collection of FunctionalDependency
        Dependencies that other rules enforce, so that implications between their columns are left out.
    """
    literals = candidates.literals
    if len(literals) < 2:
        return []
    rows = candidates.rows
    is_whole = columns.n_sample == columns.n_rows
    edges: set[tuple[int, int]] = set()
    excluded: set[tuple[int, int]] = set()
    for i, j, is_exclusion in _likely(candidates, columns.n_rows, lookups):
        if is_exclusion:
            if is_whole or not (rows.of(literals[i]) & rows.of(literals[j])).any():
                excluded.add((i, j))
        elif is_whole or rows.of(literals[j])[rows.of(literals[i])].all():
            edges.add((i, j))
    kept = _without_contrapositives(_reduce(edges), _negations(candidates, columns.n_rows))
    forced = {(i, literals[j].column) for i, j in edges}
    return [Implication(literals[i], literals[j]) for i, j in kept] + [
        Implication(literals[i], literals[j].negation)
        for i, j in sorted(excluded)
        # One value may force another value in the column of the other one.
        if (i, literals[j].column) not in forced and (j, literals[i].column) not in forced
    ]


def _likely(
    candidates: Candidates, n_rows: int, lookups: Collection[FunctionalDependency]
) -> Iterator[tuple[int, int, bool]]:
    """Yield (condition, consequence, is_exclusion) that hold in the sample, the most evident ones first."""
    n = len(candidates.literals)
    together = candidates.sampled.T @ candidates.sampled
    own = np.diagonal(together)
    may = _pairs(candidates.literals, lookups)
    share = candidates.counts / n_rows
    evidence_of = candidates.counts[:, None] * -np.log(share)[None, :]
    evidence_not = candidates.counts[:, None] * -np.log1p(-share)[None, :]
    least = math.log(2 * n * n / CHANCE_MAX)
    implied = may & (together == own[:, None]) & (evidence_of > least)
    is_value = np.array([not literal.is_about_missing for literal in candidates.literals])
    never = may & may.T & (together == 0) & (evidence_not > least) & is_value[:, None] & is_value[None, :]
    never = np.triu(never)
    places = [(*map(int, ij), False) for ij in zip(*np.nonzero(implied), strict=True)]
    places += [(*map(int, ij), True) for ij in zip(*np.nonzero(never), strict=True)]
    evidence = np.concatenate((evidence_of[implied], evidence_not[never]))
    for place in np.argsort(-evidence, kind="stable")[:N_PROOFS_MAX]:
        yield places[place]


def _pairs(literals: list[Literal], lookups: Collection[FunctionalDependency]) -> npt.NDArray[np.bool_]:
    """Return the pairs of literals to search: of different columns, without another kind of rule."""
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
    """Return the edges without those that follow. Literals of equal rows are represented by the first one."""
    nodes = sorted({node for edge in edges for node in edge})
    first = {b: min(a for a in nodes if a == b or {(a, b), (b, a)} <= edges) for b in nodes}
    heads = {(a, b) for a, b in edges if first[a] == a and first[b] == b}
    mutual = [edge for b in nodes if first[b] != b for edge in ((first[b], b), (b, first[b]))]
    return mutual + sorted(reduce_transitively(heads))


def _negations(candidates: Candidates, n_rows: int) -> dict[int, int]:
    """Return pairs of literals of the same column, exactly one of which holds in every row."""
    by_column: dict[str, list[int]] = {}
    for i, literal in enumerate(candidates.literals):
        by_column.setdefault(literal.column, []).append(i)
    return {
        i: j
        for own in by_column.values()
        for i in own
        for j in own
        if i != j and candidates.counts[i] + candidates.counts[j] == n_rows
    }


def _without_contrapositives(
    edges: list[tuple[int, int]], negations: dict[int, int]
) -> list[tuple[int, int]]:
    """Return the edges without those of which the contrapositive precedes them."""
    kept: dict[tuple[int, int], None] = {}
    for i, j in edges:
        if (negations.get(j, -1), negations.get(i, -1)) not in kept:
            kept[i, j] = None
    return list(kept)
