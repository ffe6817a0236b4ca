"""Victims of attacks: subjects or rows from the training table, and an equal number from the holdout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.attacks.sensitive_attributes import sensitive_columns, split_columns
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, Rows
from understudy.evaluation.statistics.nearest_neighbours import Neighbours, Points, as_points, find_nearest

# Maximum and minimum numbers of victims from the training table. The same limits apply to the holdout.
N_VICTIMS_MAX = 5_000
N_VICTIMS_MIN = 100
# Minimum number of victims if the victims are subjects. A subject is more informative than a row, because an
# attacker uses all of its rows at once.
N_SUBJECTS_MIN = 50
# Maximum number of compared cells (victim rows times synthetic rows times columns). For larger tables, the
# number of victims is reduced. The number of synthetic rows is not reduced, because any synthetic row could
# be a copy.
N_CELLS_MAX = 8e9
# Maximum number of holdout rows that an attacker uses as reference rows.
N_REFERENCES_MAX = 20_000
N_NEIGHBOURS = 10


@dataclass(frozen=True)
class VictimRecords:
    """Victim records: subjects with their rows, or single rows, in random order.

    Parameters
    ----------
    table : EncodedTable
        The rows, ordered by victim.
    units : int array of shape (n_rows,)
        The victim of each row, numbered from 0 to n - 1 in ascending order.
    """

    table: EncodedTable
    units: Rows

    @property
    def n(self) -> int:
        """Number of victims: subjects, or rows if no subject is declared."""
        return int(self.units[-1]) + 1

    def n_rows_of_first(self, n: int) -> int:
        """Return the number of rows that belong to the first n victims."""
        return int(np.searchsorted(self.units, n))


@dataclass(frozen=True)
class AttackVictims:
    """The victims of all attacks, and the reference rows that the attacker knows.

    Parameters
    ----------
    members, others : VictimRecords
        Victims from the training table and an equal number from the holdout.
    references : EncodedTable
        Holdout rows that the attacker uses as a sample from the same population.
    n_apart : int
        Number of victims at the start of `others` that have no rows in `references`.
    is_of_subjects : bool
        Whether victims are subjects.
    """

    members: VictimRecords
    others: VictimRecords
    references: EncodedTable
    n_apart: int
    is_of_subjects: bool

    @property
    def n(self) -> int:
        """Number of victims from the training table, which is also the number from the holdout."""
        return self.members.n

    @property
    def n_rows(self) -> dict[str, int]:
        """Number of victim rows by table."""
        return {"real": len(self.members.units), "holdout": len(self.others.units)}

    def n_rows_apart(self) -> dict[str, int]:
        """Return, for each table, the number of rows that belong to the first `n_apart` victims."""
        return {
            "real": self.members.n_rows_of_first(self.n_apart),
            "holdout": self.others.n_rows_of_first(self.n_apart),
        }

    def n_subjects(self, n: int | None = None) -> dict[str, int]:
        """Return the number of victims by table, or an empty dictionary if no subject is declared."""
        if not self.is_of_subjects:
            return {}
        return dict.fromkeys(("real", "holdout"), self.n if n is None else n)


@dataclass(frozen=True)
class Search:
    """The nearest synthetic rows and reference rows of each victim row.

    Parameters
    ----------
    members, others : Neighbours
        The nearest synthetic rows of each victim row, in all views.
    members_apart, others_apart : array of shape (n_rows_apart, k)
        The distances of the first `n_apart` victims to their nearest reference rows.
    synthetic : Points
        The synthetic rows.
    """

    members: Neighbours
    others: Neighbours
    members_apart: NDArray[np.float32]
    others_apart: NDArray[np.float32]
    synthetic: Points


def find_victims(comparison: Comparison) -> AttackVictims | None:
    """Return the victims of a comparison with a holdout, or None if there are too few victims."""
    return comparison.once("victims", _draw_victims)


def search(comparison: Comparison) -> Search:
    """Return the nearest neighbors of the victims in a comparison."""
    return comparison.once("search", _search)


def needed_victims(comparison: Comparison, *, n_holdout: int | None = None) -> str:
    """Return the reason for a missing score, including the number of victims that an attack needs."""
    unit, n = ("subjects", N_SUBJECTS_MIN) if comparison.has_subjects else ("rows", N_VICTIMS_MIN)
    if n_holdout is not None:
        return f"needs {N_VICTIMS_MIN} training {unit} and {n_holdout} held-out {unit}"
    return f"needs at least {n} training {unit} and the same number of held-out {unit}"


def _draw_victims(comparison: Comparison) -> AttackVictims | None:
    assert comparison.holdout is not None
    rng = comparison.rng("targets")
    n_cells = 2 * comparison.synthetic.n_rows * len(comparison.columns)
    n_rows = int(np.clip(N_CELLS_MAX / n_cells, N_VICTIMS_MAX / 5, N_VICTIMS_MAX))
    n_training, n_holdout = comparison.real.n_units, comparison.holdout.n_units
    n = min(n_training, n_holdout, n_rows)
    if n < (N_SUBJECTS_MIN if comparison.has_subjects else N_VICTIMS_MIN):
        return None
    members = rng.permutation(n_training)
    held_out = rng.permutation(n_holdout)
    # At least one third of the holdout serves as references. Attacks that use references therefore attack
    # only the first `n_apart` victims.
    n_apart = min(n, 2 * n_holdout // 3)
    # All subjects have the same maximum number of rows, because a subject with more rows is more likely to
    # have a close synthetic row by chance.
    n_rows_each = n_rows // n
    references = _rows_in_order(comparison.holdout, held_out[n_apart:])
    return AttackVictims(
        _victims(comparison.real, members[:n], n_rows_each, rng),
        _victims(comparison.holdout, held_out[:n], n_rows_each, rng),
        comparison.holdout.take(references[-N_REFERENCES_MAX:]),
        n_apart,
        comparison.has_subjects,
    )


def _victims(table: EncodedTable, chosen: Rows, n_rows_each: int, rng: np.random.Generator) -> VictimRecords:
    """Return the chosen units of a table in the given order, with a maximum number of rows for each unit."""
    if table.subjects is None:
        return VictimRecords(table.take(chosen), np.arange(len(chosen)))
    rows = _rows_in_order(table, chosen, rng)
    units = np.cumsum(np.diff(table.units[rows], prepend=table.units[rows[0]]) != 0)
    nth = np.arange(len(rows)) - np.searchsorted(units, units)
    is_kept = nth < n_rows_each
    return VictimRecords(table.take(rows[is_kept]), units[is_kept])


def _rows_in_order(table: EncodedTable, chosen: Rows, rng: np.random.Generator | None = None) -> Rows:
    """Return the rows of the chosen units in the given order. With `rng`, shuffle the rows of each unit."""
    if table.subjects is None:
        return chosen
    _, numbers = np.unique(table.units, return_inverse=True)
    places = np.full(table.n_units, -1)
    places[chosen] = np.arange(len(chosen))
    candidates = np.arange(table.n_rows) if rng is None else rng.permutation(table.n_rows)
    candidates = candidates[places[numbers[candidates]] >= 0]
    return candidates[np.argsort(places[numbers[candidates]], kind="stable")]


def _search(comparison: Comparison) -> Search:
    victims = find_victims(comparison)
    assert victims is not None
    sides = (victims.members, victims.others)
    members, others, references, synthetic = (
        as_points(comparison, table)
        for table in (*(side.table for side in sides), victims.references, comparison.synthetic)
    )
    part = split_columns(comparison)[synthetic.columns]
    left_out = [synthetic.place(column) for column in sensitive_columns(comparison)]
    near_members, near_others = (
        find_nearest(points, synthetic, N_NEIGHBOURS, part=part, left_out=left_out)
        for points in (members, others)
    )
    members_apart, others_apart = (
        find_nearest(points.first(side.n_rows_of_first(victims.n_apart)), references, N_NEIGHBOURS).distances[
            0
        ]
        for side, points in zip(sides, (members, others), strict=True)
    )
    return Search(near_members, near_others, members_apart, others_apart, synthetic)
