"""Weights of imputation particles, based on rules between imputed values and known values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.rules.block import Block
from understudy.synthesizers.rules.ratios import Ratio
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.transformers.base import ArrowArray, Mask

# Log weight of an impossible value. The weight is finite, so that rows that are impossible under the model
# can be completed.
LOG_IMPOSSIBLE = -50.0
# Typical difference between the logarithms of a known number and of the product of the drawn numbers, before
# the drawn numbers are scaled to the known number.
DEVIATION = 0.1

Int64s = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Consistency:
    """Agreement between known values and the drawn values of particles.

    Parameters
    ----------
    enforcer : RuleEnforcer
        Rules of the table.
    given : dict of column name to pyarrow.Array
        Incomplete rows.
    """

    enforcer: RuleEnforcer
    given: dict[str, ArrowArray]

    @property
    def is_needed(self) -> bool:
        """Whether a rule that is checked on values may relate a missing value to a known value."""
        return bool(self._ratios) or any(is_missing(self.given[name]).any() for name in self._ordered)

    @cached_property
    def _ordered(self) -> set[str]:
        return {name for own in self.enforcer.rules.inequalities for name in (own.low, own.high)}

    @cached_property
    def _ratios(self) -> list[tuple[Ratio, Mask]]:
        """The ratios, each with a mask of rows that have a known target and several missing bases."""
        found = []
        for own in self.enforcer.rules.ratios:
            lacks = np.sum([is_missing(self.given[name]) for name in own.bases], axis=0)
            rows = (lacks > 1) & ~is_missing(self.given[own.target])
            if rows.any():
                found.append((own, rows))
        return found

    def log_weight(self, drawn: dict[str, ArrowArray], particle: Int64s) -> Weights:
        """Return the log weight of each particle.

        Parameters
        ----------
        drawn : dict of column name to pyarrow.Array of shape (n_particles,)
            Drawn values of the particles.
        particle : array of shape (n_particles,)
            Row of each particle.
        """
        index: ArrowArray = pa.array(particle)
        given = {name: array.take(index) for name, array in self.given.items()}
        merged = {n: prefer(given[n], own) if n in given else own for n, own in drawn.items()}
        rules = self.enforcer.rules
        derived = rules.derive(merged)
        log_weight = np.zeros(len(particle))
        for ratio, rows in self._ratios:
            log_weight += np.where(rows[particle], _log_close(given, derived, ratio.target), 0.0)
        known = {name: prefer(given[name], derived[name]) for name in given}
        block = Block(rules, known)
        is_kept = rules.is_ordered(known)
        for implication in self.enforcer.coded.left:
            is_kept &= implication.holds(block.value_levels)
        return log_weight + np.where(is_kept, 0.0, LOG_IMPOSSIBLE)


def _log_close(given: dict[str, ArrowArray], derived: dict[str, ArrowArray], name: str) -> Weights:
    """Return log weights that decrease as the ratio of the known to the derived number moves away from 1."""
    pair = [np.asarray(pc.cast(own[name], pa.float64()).fill_null(np.nan)) for own in (given, derived)]
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.log(pair[0] / pair[1]) / DEVIATION
    distance = np.where(pair[0] == pair[1], 0.0, distance)
    return np.maximum(np.where(np.isfinite(distance), -(distance**2) / 2, LOG_IMPOSSIBLE), LOG_IMPOSSIBLE)


def is_missing(array: ArrowArray) -> Mask:
    """Return a mask of null and NaN values."""
    missing = array.is_null(nan_is_null=True)
    return np.asarray(missing.to_numpy(zero_copy_only=False), dtype=np.bool_)


def prefer(given: ArrowArray, drawn: ArrowArray) -> ArrowArray:
    """Return the given values, with missing values replaced by drawn values."""
    merged: ArrowArray = pc.if_else(pa.array(~is_missing(given)), given, drawn)
    return merged
