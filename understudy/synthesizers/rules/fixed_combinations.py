"""Fixed combinations: columns that are a function of two other columns together, but of neither alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.rules.closure import Implications, determined_by, drop_implied
from understudy.synthesizers.rules.columns import Coded, Columns
from understudy.synthesizers.rules.functional_dependencies import SampleCodes, unrefuted, values_of_groups
from understudy.synthesizers.rules.significance import (
    evidence_of_groups,
    is_significant,
    joint,
    least_repeats,
)
from understudy.synthesizers.rules.values import Floats, Int32s, Int64s, Values
from understudy.transformers.base import MIN_SUPPORT, ArrowArray, Mask

N_COLUMNS_MAX = 60
N_VALUES_MAX = 1000
# Maximum number of relations that are checked on all rows. This number limits the search time.
N_PROOFS_MAX = 256
SHARED_FRACTION_MIN = 0.99

MISSING, UNKNOWN = 0, -1


@dataclass(frozen=True)
class Levels:
    """Values of a column with enough support. Value i has level i + 1, and a missing value has level 0."""

    keys: ArrowArray

    def find(self, values: Values) -> Int32s:
        """Return the level of every value, or UNKNOWN for values without a level."""
        index = pc.index_in(values.keys, value_set=self.keys)
        levels = index.fill_null(UNKNOWN - 1).to_numpy(zero_copy_only=False) + np.int32(1)
        return levels if values.missing is None else np.where(values.missing, np.int32(MISSING), levels)


@dataclass(frozen=True)
class FixedCombination:
    """Rule that `first` and `second` together determine `dependent`. A missing value counts as a value.

    Parameters
    ----------
    first, second : str
        Names of the columns that together determine `dependent`.
    dependent : str
        Name of the column that `first` and `second` determine.
    combinations : array of shape (n_combinations, 3), int32
        Levels of the three columns, for the combinations with enough support.
    """

    first: str
    second: str
    dependent: str
    combinations: Int32s

    @property
    def columns(self) -> tuple[str, str, str]:
        """Names of the three columns."""
        return self.first, self.second, self.dependent

    @cached_property
    def _table(self) -> Int32s:
        """Level of `dependent` for each pair of levels of the other two columns, or -2 for unknown pairs."""
        n_first, n_second = (self.combinations[:, :2].max(axis=0) + 1).tolist()
        table = np.full((n_first + 1, n_second + 1), UNKNOWN - 1, np.int32)
        table[self.combinations[:, 0], self.combinations[:, 1]] = self.combinations[:, 2]
        return table

    def holds(self, first: Int32s, second: Int32s, dependent: Int32s) -> Mask:
        """Return a mask of rows with a known combination of the three levels."""
        table = self._table
        # UNKNOWN and levels beyond the table are mapped to the last row or column, which has no combinations.
        n_first, n_second = table.shape
        place = np.minimum(first.astype(np.uint32), n_first - 1) * np.uint32(n_second)
        place += np.minimum(second.astype(np.uint32), n_second - 1)
        agrees: Mask = table.ravel()[place] == dependent
        return agrees

    def describe(self) -> str:
        """Return the rule as a sentence."""
        return f"{self.first} and {self.second} together determine {self.dependent} in every row."


def find_fixed_combinations(
    columns: Columns, sample: SampleCodes, implications: Implications
) -> tuple[tuple[FixedCombination, ...], dict[str, Levels]]:
    """Return the fixed combinations that hold in all rows and follow from no other rule, with their levels.

    Parameters
    ----------
    implications : list of (columns, column)
        Implications of known rules, such as functional dependencies.
    """
    n = len(sample.names)
    if n > N_COLUMNS_MAX or n < 3:
        return (), {}
    found = _prove(columns, sample, implications, n * (n - 1) * (n - 2) // 2)
    kept = drop_implied([((a, b), dependent) for a, b, dependent in found], implications)
    return _with_levels(columns, [(a, b, dependent) for (a, b), dependent in kept])


def _prove(
    columns: Columns, sample: SampleCodes, implications: Implications, n_hypotheses: int
) -> list[tuple[str, str, str]]:
    """Return rules that hold in all rows and are not implied, fewest combinations first."""
    names = sample.names
    found: list[tuple[str, str, str]] = []
    n_proofs = 0
    for i, j, others in _candidates(columns, sample):
        known = [*implications, *(((a, b), dependent) for a, b, dependent in found)]
        follows = determined_by((names[i], names[j]), known)
        for dependent in [names[k] for k in others if names[k] not in follows]:
            n_proofs += 1
            if n_proofs > N_PROOFS_MAX:
                return found
            if _is_fixed_combination(columns, (names[i], names[j], dependent), n_hypotheses):
                found.append((names[i], names[j], dependent))
    return found


def _candidates(columns: Columns, sample: SampleCodes) -> list[tuple[int, int, Int64s]]:
    """Return pairs of columns, and the columns that they determine in the sample.

    Pairs with the fewest combinations come first.
    """
    candidates = []
    for i, j, others in _open_pairs(sample, _determinants(columns, sample)):
        n_second = int(sample.n_codes[j])
        keys = joint(sample.matrix[:, i], sample.matrix[:, j], n_second)
        others = unrefuted(columns, sample, keys, int(sample.n_codes[i]) * n_second, others)
        if len(others):
            candidates.append((len(np.unique(keys)), i, j, others))
    return [(i, j, others) for _, i, j, others in sorted(candidates, key=lambda c: c[:3])]


def _open_pairs(sample: SampleCodes, determinants: Int64s) -> Iterator[tuple[int, int, Int64s]]:
    """Yield pairs of columns, and the other columns that may be a function of a pair."""
    for place, i in enumerate(determinants.tolist()):
        seconds = determinants[place + 1 :]
        is_open = sample.open_with(i, seconds) & (sample.n_codes > 1)
        is_open[:, i] = is_open[np.arange(len(seconds)), seconds] = False
        for j, own in zip(seconds.tolist(), is_open, strict=True):
            if own.any():
                yield i, j, np.flatnonzero(own)


def _determinants(columns: Columns, sample: SampleCodes) -> Int64s:
    few = (sample.n_codes > 1) & (sample.n_codes <= N_VALUES_MAX)
    least = least_repeats(columns.n_rows, columns.n_sample)
    return np.flatnonzero(few & (columns.n_sample - sample.n_codes >= least))


def _is_fixed_combination(columns: Columns, triple: tuple[str, str, str], n_hypotheses: int) -> bool:
    """Return whether two columns determine the third in all rows and neither column nearly does so alone."""
    first, second, dependent = (columns.coded(name) for name in triple)
    if max(first.n_codes, second.n_codes) > N_VALUES_MAX or dependent.n_codes < 2:
        return False
    keys, n_keys = joint(first.codes, second.codes, second.n_codes), first.n_codes * second.n_codes
    value = values_of_groups(keys, n_keys, dependent)
    if value is None:
        return False
    n_rows = np.bincount(keys, minlength=n_keys)
    if n_rows[n_rows >= MIN_SUPPORT].sum() < SHARED_FRACTION_MIN * columns.n_rows:
        return False
    groups = np.flatnonzero(n_rows)
    by_one = (
        _SurprisesGiven(first, dependent)[groups // second.n_codes, value[groups]],
        _SurprisesGiven(second, dependent)[groups % second.n_codes, value[groups]],
    )
    evidence = min(evidence_of_groups(n_rows[groups], surprise) for surprise in by_one)
    return is_significant(evidence, n_hypotheses)


class _SurprisesGiven:
    """Surprise (-log probability) of a dependent value, given the value of one of the two columns."""

    def __init__(self, determinant: Coded, dependent: Coded) -> None:
        self.n_of = dependent.n_codes
        self.cells, self.counts = np.unique(
            joint(determinant.codes, dependent.codes, dependent.n_codes), return_counts=True
        )
        self.n_rows = np.bincount(determinant.codes, minlength=determinant.n_codes)

    def __getitem__(self, at: tuple[Int64s, npt.NDArray[np.integer]]) -> Floats:
        determinant, dependent = at
        found = np.searchsorted(self.cells, determinant * self.n_of + dependent)
        surprise: Floats = -np.log(self.counts[found] / self.n_rows[determinant])
        return surprise


def _with_levels(
    columns: Columns, triples: list[tuple[str, str, str]]
) -> tuple[tuple[FixedCombination, ...], dict[str, Levels]]:
    """Return the rules with the levels of their columns, without levels that occur in no combination."""
    rows = [_shared_combinations(columns, triple) for triple in triples]
    names = sorted({name for triple in triples for name in triple})
    places = {
        name: np.unique(
            np.concatenate(
                [_one_of_each(columns, name, r) for t, r in zip(triples, rows, strict=True) if name in t]
            )
        )
        for name in names
    }
    levels = {name: _levels(columns.all(name), places[name]) for name in names}
    pairs = []
    for triple, chosen in zip(triples, rows, strict=True):
        found = [levels[name].find(_take(columns.all(name), chosen)) for name in triple]
        stacked = np.array(sorted(zip(*(f.tolist() for f in found), strict=True)), np.int32)
        pairs.append(FixedCombination(*triple, stacked.reshape(-1, 3)))
    return tuple(pairs), levels


def _shared_combinations(columns: Columns, triple: tuple[str, str, str]) -> Int64s:
    """Return one row number for every combination with at least `MIN_SUPPORT` rows."""
    first, second, _ = (columns.coded(name) for name in triple)
    keys = joint(first.codes, second.codes, second.n_codes)
    n_keys = first.n_codes * second.n_codes
    row = np.zeros(n_keys, np.int64)
    row[keys] = np.arange(len(keys))
    return row[np.bincount(keys, minlength=n_keys) >= MIN_SUPPORT]


def _one_of_each(columns: Columns, name: str, rows: Int64s) -> Int64s:
    coded = columns.coded(name)
    row = np.full(coded.n_codes, -1, np.int64)
    row[coded.codes[rows]] = rows
    return row[row >= 0]


def _levels(values: Values, rows: Int64s) -> Levels:
    taken = _take(values, rows)
    keys = taken.keys.filter(pa.array(~taken.mask)).unique()
    # The levels are sorted, so that they do not reveal the order of the rows.
    return Levels(keys.take(pc.sort_indices(keys)))


def _take(values: Values, rows: Int64s) -> Values:
    mask = None if values.missing is None else values.missing[rows]
    return Values(values.keys.take(pa.array(rows, pa.int64())), mask)
