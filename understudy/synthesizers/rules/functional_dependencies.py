"""Functional dependencies: columns that are a function of another column in every row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from understudy.synthesizers.rules.columns import Coded, Columns, code
from understudy.synthesizers.rules.significance import (
    evidence_of_groups,
    is_significant,
    least_repeats,
    surprises,
)
from understudy.synthesizers.rules.values import Int32s, Int64s
from understudy.transformers.base import MIN_SUPPORT

# Maximum number of columns to search. Further columns are ignored.
N_COLUMNS_MAX = 256
N_ROWS_FIRST = 512
# Maximum number of relations that are checked on all rows. This number limits the search time.
N_PROOFS_MAX = 1024
SHARED_FRACTION_MIN = 0.9


@dataclass(frozen=True)
class FunctionalDependency:
    """Rule that `determinant` determines `dependent`. A missing value counts as a value."""

    determinant: str
    dependent: str

    def describe(self) -> str:
        """Return the rule as a sentence."""
        return f"{self.determinant} determines {self.dependent} in every row."


@dataclass(frozen=True, eq=False, repr=False)
class SampleCodes:
    """The sample as integer codes.

    Parameters
    ----------
    names : tuple of str
        Names of the columns.
    matrix : array of shape (n_sample, n_columns)
        Codes of the sample.
    n_codes : array of shape (n_columns,)
        Number of codes of each column.
    """

    names: tuple[str, ...]
    matrix: Int32s
    n_codes: Int64s

    @cached_property
    def rows_first(self) -> Int64s:
        """Rows that are used for the first comparison of two columns."""
        n = len(self.matrix)
        return np.linspace(0, n - 1, min(N_ROWS_FIRST, n)).astype(np.int64)

    @cached_property
    def first(self) -> Int32s:
        """Codes of these rows."""
        return self.matrix[self.rows_first]

    @cached_property
    def _equal(self) -> npt.NDArray[np.float32]:
        """Whether two rows have equal codes, in an array of shape (n_columns, n_pairs).

        Each row is paired with the next row, and with a row that is far away.
        """
        codes = np.ascontiguousarray(self.matrix.T)
        distances = (1, max(codes.shape[1] // 2, 1))
        return np.hstack([codes[:, d:] == codes[:, :-d] for d in distances]).astype(np.float32)

    def open_with(self, column: int, others: Int64s) -> npt.NDArray[np.bool_]:
        """Return which columns may be a function of two columns: `column` and one of `others`.

        Returns
        -------
        array of shape (n_others, n_columns)
            False if two compared rows are equal in both columns, but differ in the third column.
        """
        both = self._equal[others] * self._equal[column]
        return np.asarray(both @ self._equal.T == both.sum(axis=1, keepdims=True))


def encode_sample(columns: Columns) -> SampleCodes:
    """Return the codes of the columns in the sample."""
    names = tuple(columns.names[:N_COLUMNS_MAX])
    coded = [code(columns.sample(name), columns.sample_encoded(name)) for name in names]
    matrix = np.ascontiguousarray(np.vstack([c.codes for c in coded]).T)
    return SampleCodes(names, matrix, np.array([c.n_codes for c in coded]))


def find_functional_dependencies(
    columns: Columns, sample: SampleCodes, without: set[str]
) -> tuple[FunctionalDependency, ...]:
    """Return the functional dependencies that hold in all rows and are significant.

    Columns in `without` are ignored.
    """
    n = len(sample.names)
    determined: dict[str, list[str]] = {}
    n_proofs = 0
    for j, determinant in enumerate(sample.names):
        if determinant in without or sample.n_codes[j] < 2:
            continue
        determined[determinant] = []
        others = np.array([k for k in range(n) if k != j and sample.names[k] not in without], np.int64)
        for dependent in unrefuted(columns, sample, sample.matrix[:, j], int(sample.n_codes[j]), others):
            follows = any(
                sample.names[dependent] in determined.get(middle, ()) for middle in determined[determinant]
            )
            n_proofs += not follows
            if follows or (
                n_proofs <= N_PROOFS_MAX
                and _is_functional_dependency(columns, determinant, sample.names[dependent], n * (n - 1))
            ):
                determined[determinant].append(sample.names[dependent])
    return tuple(
        FunctionalDependency(determinant, dependent)
        for determinant, names in determined.items()
        for dependent in names
    )


def unrefuted(
    columns: Columns, sample: SampleCodes, keys: npt.NDArray[np.integer], n_keys: int, others: Int64s
) -> Int64s:
    """Return the columns among `others` that are a function of the keys in the sample.

    The result is empty if the keys are nearly unique, because values that do not repeat provide no evidence.
    """
    for some, matrix in ((keys[sample.rows_first], sample.first), (keys, sample.matrix)):
        numbers = np.arange(len(some))
        first = np.empty(n_keys, np.int64)
        first[some] = numbers
        first = first[some]
        repeats = np.flatnonzero(first != numbers)
        is_whole = matrix is sample.matrix
        if is_whole and len(repeats) < least_repeats(columns.n_rows, columns.n_sample):
            return np.zeros(0, np.int64)
        agrees = matrix[first[repeats]][:, others] == matrix[repeats][:, others]
        others = others[agrees.all(axis=0)]
        if not len(others):
            break
    return others


def values_of_groups(keys: npt.NDArray[np.integer], n_keys: int, dependent: Coded) -> Int32s | None:
    """Return the only code of each group of rows, or None if a group has two codes.

    Groups without rows get -1.
    """
    value = np.full(n_keys, -1, np.int32)
    value[keys] = dependent.codes
    return value if np.array_equal(value[keys], dependent.codes) else None


def _is_functional_dependency(columns: Columns, determinant: str, dependent: str, n_hypotheses: int) -> bool:
    target = columns.coded(dependent)
    if target.n_codes < 2:
        return False
    keys = columns.coded(determinant)
    value = values_of_groups(keys.codes, keys.n_codes, target)
    if value is None:
        return False
    n_rows = np.bincount(keys.codes, minlength=keys.n_codes)
    n_shared = int(n_rows[n_rows >= MIN_SUPPORT].sum())
    is_shared = (n_rows > 0).sum() * MIN_SUPPORT <= columns.n_rows
    if not is_shared or n_shared < SHARED_FRACTION_MIN * columns.n_rows:
        return False
    surprise = surprises(np.bincount(target.codes, minlength=target.n_codes))
    return is_significant(evidence_of_groups(n_rows, surprise[value]), n_hypotheses)
