"""Attackers that ask whether a subject or a row was learnt from; a higher score is a surer yes.

Where a subject is declared, an attacker has all of its rows and gives the subject one score: the mean over
the rows, which finds what is copied throughout, or that of the row which gives most away, which finds single
copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.attacks.attack_targets import search, targets
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.statistics.auc import auc

FALSE_ALARMS = 0.01
N_ROC_POINTS = 50
ATTACKERS = ("distance", "distance against references", "density")

Scores = NDArray[np.float64]


class RocPoint(BaseModel):
    """How many members are found at a rate of false alarms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    false_alarms: Annotated[float, Field(description="Share of held-out rows taken for members.")]
    found: Annotated[float, Field(description="Share of members found.")]


class AttackerScore(BaseModel):
    """How one attacker did."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    auc: float
    found: Annotated[float, Field(description="Share of members found at 1 % false alarms.")]


@dataclass(frozen=True)
class Attack:
    """One attacker's scores of all targets.

    Parameters
    ----------
    members, others : array of shape (n,)
    """

    name: str
    members: Scores
    others: Scores

    def of(self, members: NDArray[np.bool_], others: NDArray[np.bool_]) -> Attack:
        """Return the scores of some targets."""
        return Attack(self.name, self.members[members], self.others[others])

    @property
    def auc(self) -> float:
        """How well members are told from others."""
        return auc(self.members, self.others)

    @property
    def found(self) -> float:
        """Share of members found at 1 % false alarms."""
        return found_at(self.members, self.others, FALSE_ALARMS)

    def describe(self) -> AttackerScore:
        """Return what a report says."""
        return AttackerScore(name=self.name, auc=self.auc, found=self.found)


def by_distance(comparison: Comparison) -> Attack:
    """Return the attacker who looks for a near synthetic row."""
    chosen, found = targets(comparison), search(comparison)
    assert chosen is not None
    pairs = ((chosen.members, found.members), (chosen.others, found.others))
    return Attack("distance", *(mean_of(_nearness(near.distances[0]), asked.units) for asked, near in pairs))


def by_density(comparison: Comparison) -> Attack:
    """Return the attacker who looks for more synthetic rows around a row than there are real ones."""
    return attacks_with_references(comparison)[2]


def attacks_with_references(comparison: Comparison) -> list[Attack]:
    """Return all attackers' scores of the targets that are no references."""
    return comparison.once("attacks", _attack)


def found_at(members: Scores, others: Scores, false_alarms: float) -> float:
    """Return the share of members that score above all but a share of the others."""
    n_allowed = int(false_alarms * len(others))
    threshold = np.sort(others)[-1 - n_allowed]
    return float(np.mean(members > threshold))


def roc_points(members: Scores, others: Scores) -> list[RocPoint]:
    """Return points of the ROC curve, most of them at few false alarms."""
    n = len(others)
    counts = np.unique(np.rint(np.geomspace(1, n, N_ROC_POINTS)).astype(np.int64))
    ordered = np.sort(others)[::-1]
    points = [RocPoint(false_alarms=0.0, found=float(np.mean(members > ordered[0])))]
    for count in counts:
        # At ties, no more than this many others score above the threshold.
        threshold = ordered[count] if count < n else -np.inf
        false, found = float(np.mean(others > threshold)), float(np.mean(members > threshold))
        points.append(RocPoint(false_alarms=false, found=found))
    return list(dict.fromkeys(points))


def mean_of(scores: Scores, units: NDArray[np.int64]) -> Scores:
    """Return the mean score of the rows of each unit; units are numbered from 0."""
    sums = np.bincount(units, weights=scores)
    return np.asarray(sums / np.bincount(units))


def _attack(comparison: Comparison) -> list[Attack]:
    chosen, found = targets(comparison), search(comparison)
    assert chosen is not None
    sides = []
    for asked, near, apart in (
        (chosen.members, found.members.distances[0], found.members_apart),
        (chosen.others, found.others.distances[0], found.others_apart),
    ):
        n_rows = len(apart)
        sides.append((asked.units[:n_rows], _scores_of_rows(near[:n_rows], apart)))
    attacks = [Attack(name, *(mean_of(scores[name], units) for units, scores in sides)) for name in ATTACKERS]
    if chosen.is_of_subjects:
        attacks += [
            Attack(f"{name}, one row", *(_most_of(scores[name], units) for units, scores in sides))
            for name in ATTACKERS
        ]
    return attacks


def _scores_of_rows(near: NDArray[np.float32], apart: NDArray[np.float32]) -> dict[str, Scores]:
    """Return each attacker's scores, from distances to the nearest synthetic rows and references."""
    scores = (_nearness(near), _ratio(near[:, :1], apart[:, :1]), _ratio(near[:, :5], apart[:, :5]))
    return dict(zip(ATTACKERS, scores, strict=True))


def _most_of(scores: Scores, units: NDArray[np.int64]) -> Scores:
    begins = np.searchsorted(units, np.arange(units[-1] + 1))
    return np.asarray(np.maximum.reduceat(scores, begins))


def _nearness(distances: NDArray[np.float32]) -> Scores:
    return -distances[:, 0].astype(np.float64)


def _ratio(near: NDArray[np.float32], apart: NDArray[np.float32]) -> Scores:
    """Return how much nearer synthetic rows are than references, on average of the nearest few."""
    return np.asarray(_logs(apart).mean(axis=1) - _logs(near).mean(axis=1))


def _logs(distances: NDArray[np.float32]) -> Scores:
    # Equal rows are taken for 0.01 apart: between copies there is nothing to compare.
    return np.log(np.where(np.isfinite(distances), distances, 1e3).astype(np.float64) + 0.01)
