"""Whom attacks are tried on: rows that were learnt from, and as many that were not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.attacks.sensitive_attributes import sensitive_columns, split_columns
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable
from understudy.evaluation.statistics.nearest_neighbours import Neighbours, Points, as_points, find_nearest

N_TARGETS_MAX = 5_000
N_TARGETS_MIN = 100
# Pairs of a target and a synthetic row, times columns, that are looked at: of larger tables fewer rows are
# targets, not fewer synthetic rows attackers, as every row that is left out may be the copy.
N_CELLS_MAX = 8e9
N_REFERENCES_MAX = 20_000
N_NEIGHBOURS = 10


@dataclass(frozen=True)
class AttackTargets:
    """Rows in random order that an attacker asks about, and what is at hand.

    Parameters
    ----------
    members, others : EncodedTable
        Equally many rows that were learnt from, and held-out ones.
    references : EncodedTable
        Held-out rows that the attacker has: of the same source.
    n_apart : int
        So many of the first others are no references.
    """

    members: EncodedTable
    others: EncodedTable
    references: EncodedTable
    n_apart: int

    @property
    def n(self) -> int:
        """Targets of each of the two kinds."""
        return self.members.n_rows


@dataclass(frozen=True)
class Search:
    """The synthetic and the reference rows that are nearest to each target.

    Parameters
    ----------
    members, others : Neighbours
        Among the synthetic rows, in all views.
    members_apart, others_apart : array of shape (n_apart, k)
        Distances to the nearest reference rows.
    synthetic : Points
    """

    members: Neighbours
    others: Neighbours
    members_apart: NDArray[np.float32]
    others_apart: NDArray[np.float32]
    synthetic: Points


def targets(comparison: Comparison) -> AttackTargets | None:
    """Return the targets of a comparison with a holdout; None if there are too few."""
    return comparison.once("targets", _draw_targets)


def search(comparison: Comparison) -> Search:
    """Return the neighbours of the comparison's targets."""
    return comparison.once("search", _search)


def _draw_targets(comparison: Comparison) -> AttackTargets | None:
    assert comparison.holdout is not None
    rng = comparison.rng("targets")
    n_cells = 2 * comparison.synthetic.n_rows * len(comparison.columns)
    n_wanted = int(np.clip(N_CELLS_MAX / n_cells, N_TARGETS_MAX / 5, N_TARGETS_MAX))
    n = min(comparison.real.n_rows, comparison.holdout.n_rows, n_wanted)
    if n < N_TARGETS_MIN:
        return None
    members = rng.permutation(comparison.real.n_rows)[:n]
    held_out = rng.permutation(comparison.holdout.n_rows)
    # A third for the attacker: the others are too few as soon as some of them are asked about by themselves.
    n_apart = min(n, 2 * len(held_out) // 3)
    return AttackTargets(
        comparison.real.take(members),
        comparison.holdout.take(held_out[:n]),
        comparison.holdout.take(held_out[n_apart:][-N_REFERENCES_MAX:]),
        n_apart,
    )


def _search(comparison: Comparison) -> Search:
    found = targets(comparison)
    assert found is not None
    members, others, references, synthetic = (
        as_points(comparison, table)
        for table in (found.members, found.others, found.references, comparison.synthetic)
    )
    part = split_columns(comparison)[synthetic.columns]
    left_out = [synthetic.place(column) for column in sensitive_columns(comparison)]
    near_members, near_others = (
        find_nearest(points, synthetic, N_NEIGHBOURS, part=part, left_out=left_out)
        for points in (members, others)
    )
    members_apart, others_apart = (
        find_nearest(points.first(found.n_apart), references, N_NEIGHBOURS).distances[0]
        for points in (members, others)
    )
    return Search(near_members, near_others, members_apart, others_apart, synthetic)
