"""Membership inference attacks: scores that estimate whether a subject or a row was in the training table.

A higher score means that membership is more likely. If the schema declares a subject, an attacker uses all
rows of a subject and assigns one score to this subject. The score is either the mean or the maximum over
these rows. The mean detects copies of whole subjects, and the maximum detects copies of single rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.attacks.victims import find_victims, search
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.statistics.auc import auc

FALSE_ALARMS = 0.01
N_ROC_POINTS = 50
ATTACKERS = ("distance", "distance against references", "density")

Scores = NDArray[np.float64]


class RocPoint(BaseModel):
    """A point on the ROC curve of a membership attack."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    false_alarms: Annotated[
        float, Field(description="False positive rate: share of holdout rows classified as members.")
    ]
    found: Annotated[float, Field(description="True positive rate: share of members classified as members.")]


class AttackerScore(BaseModel):
    """Scores of one attacker in a membership inference attack."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    auc: float
    found: Annotated[
        float,
        Field(description="True positive rate (share of members detected) at a false positive rate of 1%."),
    ]


@dataclass(frozen=True)
class Attack:
    """The scores that one attacker assigns to all victims.

    Parameters
    ----------
    members, others : array of shape (n,)
        The scores of victims from the training table and from the holdout.
    """

    name: str
    members: Scores
    others: Scores

    def of(self, members: NDArray[np.bool_], others: NDArray[np.bool_]) -> Attack:
        """Return the attack restricted to the given members and nonmembers."""
        return Attack(self.name, self.members[members], self.others[others])

    @property
    def auc(self) -> float:
        """Area under the ROC curve for distinguishing members from nonmembers."""
        return auc(self.members, self.others)

    @property
    def found(self) -> float:
        """True positive rate at a false positive rate of 1%."""
        return found_at(self.members, self.others, FALSE_ALARMS)

    def describe(self) -> AttackerScore:
        """Return the scores of the attack for the report."""
        return AttackerScore(name=self.name, auc=self.auc, found=self.found)


def by_distance(comparison: Comparison) -> Attack:
    """Return the attack that uses the distance to the nearest synthetic row."""
    victims, nearest = find_victims(comparison), search(comparison)
    assert victims is not None
    pairs = ((victims.members, nearest.members), (victims.others, nearest.others))
    return Attack("distance", *(mean_of(_nearness(near.distances[0]), side.units) for side, near in pairs))


def by_density(comparison: Comparison) -> Attack:
    """Return the attack that compares the densities of synthetic and reference rows (DOMIAS)."""
    return attacks_with_references(comparison)[2]


def attacks_with_references(comparison: Comparison) -> list[Attack]:
    """Return all attacks, restricted to victims with no rows among the reference rows."""
    return comparison.once("attacks", _attack)


def found_at(members: Scores, others: Scores, false_alarms: float) -> float:
    """Return the true positive rate at a false positive rate of at most `false_alarms`."""
    n_allowed = int(false_alarms * len(others))
    threshold = np.sort(others)[-1 - n_allowed]
    return float(np.mean(members > threshold))


def roc_points(members: Scores, others: Scores) -> list[RocPoint]:
    """Return points on the ROC curve, mostly at low false positive rates."""
    n = len(others)
    counts = np.unique(np.rint(np.geomspace(1, n, N_ROC_POINTS)).astype(np.int64))
    ordered = np.sort(others)[::-1]
    points = [RocPoint(false_alarms=0.0, found=float(np.mean(members > ordered[0])))]
    for count in counts:
        # At most `count` nonmembers score above the threshold. Tied scores can reduce this number.
        threshold = ordered[count] if count < n else -np.inf
        false, found = float(np.mean(others > threshold)), float(np.mean(members > threshold))
        points.append(RocPoint(false_alarms=false, found=found))
    return list(dict.fromkeys(points))


def mean_of(scores: Scores, units: NDArray[np.int64]) -> Scores:
    """Return, for each unit, the mean score of its rows. Units are numbered from 0."""
    sums = np.bincount(units, weights=scores)
    return np.asarray(sums / np.bincount(units))


def _attack(comparison: Comparison) -> list[Attack]:
    victims, nearest = find_victims(comparison), search(comparison)
    assert victims is not None
    sides = []
    for side, near, apart in (
        (victims.members, nearest.members.distances[0], nearest.members_apart),
        (victims.others, nearest.others.distances[0], nearest.others_apart),
    ):
        n_rows = len(apart)
        sides.append((side.units[:n_rows], _scores_of_rows(near[:n_rows], apart)))
    attacks = [Attack(name, *(mean_of(scores[name], units) for units, scores in sides)) for name in ATTACKERS]
    if victims.is_of_subjects:
        attacks += [
            Attack(f"{name}, one row", *(_most_of(scores[name], units) for units, scores in sides))
            for name in ATTACKERS
        ]
    return attacks


def _scores_of_rows(near: NDArray[np.float32], apart: NDArray[np.float32]) -> dict[str, Scores]:
    """Compute the scores of each attacker from the distances to the nearest synthetic and reference rows."""
    scores = (_nearness(near), _ratio(near[:, :1], apart[:, :1]), _ratio(near[:, :5], apart[:, :5]))
    return dict(zip(ATTACKERS, scores, strict=True))


def _most_of(scores: Scores, units: NDArray[np.int64]) -> Scores:
    begins = np.searchsorted(units, np.arange(units[-1] + 1))
    return np.asarray(np.maximum.reduceat(scores, begins))


def _nearness(distances: NDArray[np.float32]) -> Scores:
    return -distances[:, 0].astype(np.float64)


def _ratio(near: NDArray[np.float32], apart: NDArray[np.float32]) -> Scores:
    """Return the mean log distance to the nearest reference rows minus that to the nearest synthetic rows."""
    return np.asarray(_logs(apart).mean(axis=1) - _logs(near).mean(axis=1))


def _logs(distances: NDArray[np.float32]) -> Scores:
    # 0.01 is added to each distance because the logarithm of 0 is undefined.
    return np.log(np.where(np.isfinite(distances), distances, 1e3).astype(np.float64) + 0.01)
