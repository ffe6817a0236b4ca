"""Attackers that ask whether a row was learnt from; a higher score is a surer yes."""

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
    found = search(comparison)
    return Attack("distance", *(_nearness(one.distances[0]) for one in (found.members, found.others)))


def by_density(comparison: Comparison) -> Attack:
    """Return the attacker who looks for more synthetic rows around a row than there are real ones."""
    return attacks_with_references(comparison)[-1]


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


def _attack(comparison: Comparison) -> list[Attack]:
    chosen, found = targets(comparison), search(comparison)
    assert chosen is not None
    n = chosen.n_apart
    pairs = [
        (found.members.distances[0, :n], found.members_apart),
        (found.others.distances[0, :n], found.others_apart),
    ]
    return [
        Attack("distance", *(_nearness(near) for near, _ in pairs)),
        Attack("distance against references", *(_ratio(near[:, :1], apart[:, :1]) for near, apart in pairs)),
        Attack("density", *(_ratio(near[:, :5], apart[:, :5]) for near, apart in pairs)),
    ]


def _nearness(distances: NDArray[np.float32]) -> Scores:
    return -distances[:, 0].astype(np.float64)


def _ratio(near: NDArray[np.float32], apart: NDArray[np.float32]) -> Scores:
    """Return how much nearer synthetic rows are than references, on average of the nearest few."""
    return np.asarray(_logs(apart).mean(axis=1) - _logs(near).mean(axis=1))


def _logs(distances: NDArray[np.float32]) -> Scores:
    # Equal rows are taken for 0.01 apart: between copies there is nothing to compare.
    return np.log(np.where(np.isfinite(distances), distances, 1e3).astype(np.float64) + 0.01)
