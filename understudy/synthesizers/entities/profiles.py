"""Latent entity values that make the rows of an entity similar to each other.

A customer's orders tend to have similar amounts, and usually the same payment method, although neither is
constant. Each entity therefore gets a typical value for each of these columns. Given the typical value, the
rows of the entity are independent. The typical value is drawn from its distribution given the rows of the
entity, under a model with random effects. The mean or the mode of the rows would be more similar to each row
than the rows are to each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from understudy.synthesizers.entities.detection import Int64s
from understudy.transformers.base import MIN_SUPPORT, Codes

# Minimum number of entities for which typical values are learned, because at least k entities must share each
# typical value.
N_ENTITIES_MIN = 4 * MIN_SUPPORT
# Minimum share of the variance that lies between entities, and minimum excess of the variance between
# entities over its expectation for independent rows, in standard errors.
SHARE_MIN, N_ERRORS_MIN = 0.05, 4.0
# Maximum similarity of rows within an entity. It is below 1, because otherwise the distribution of typical
# values is not defined.
SHARE_MAX = 0.98
# Number of steps per standard deviation, for the typical values of ordinal columns.
N_STEPS = 100
# Maximum number of attempts to draw a code that no row of the entity has.
N_ATTEMPTS = 20

Floats = npt.NDArray[np.float64]

_STANDARD = NormalDist()


@dataclass(frozen=True)
class Similarity:
    """Similarity of rows within an entity in one column.

    Parameters
    ----------
    share : float
        Share of the variance that lies between entities (the intraclass correlation).
    n_errors : float
        Excess of the variance between entities over its expectation for independent rows, in standard errors.
    """

    share: float
    n_errors: float

    @property
    def is_relevant(self) -> bool:
        """Whether the rows of an entity are similar beyond chance."""
        return self.share >= SHARE_MIN and self.n_errors >= N_ERRORS_MIN


def measure_similarity(codes: Codes, entities: Int64s, *, is_ordinal: bool) -> Similarity:
    """Return the similarity of rows within an entity, based on a one-way analysis of variance.

    The analysis uses the normal scores of ordinal codes, and the indicators of other codes.

    Parameters
    ----------
    codes : array of shape (n,)
        Code of each unit.
    entities : array of shape (n,)
        Entity of each unit, from 0.
    is_ordinal : bool
        Whether neighboring codes represent similar values.
    """
    sizes = np.bincount(entities).astype(np.float64)
    n, n_entities = len(codes), len(sizes)
    if n_entities < N_ENTITIES_MIN or n - n_entities < N_ENTITIES_MIN:
        return Similarity(0.0, 0.0)
    if is_ordinal:
        scores = normal_scores(codes)
        total = float((scores**2).sum())
        between = float((np.bincount(entities, weights=scores) ** 2 / sizes).sum())
    else:
        shares = np.bincount(codes) / n
        expected = float((shares**2).sum()) * n
        owners, _, counts = _cells(codes, entities)
        total = n - expected
        between = float((counts**2 / sizes[owners]).sum()) - expected
    within = (total - between) / (n - n_entities)
    excess = between / (n_entities - 1) - within
    spread = (n - float((sizes**2).sum()) / n) / (n_entities - 1)
    variance = within + max(excess, 0.0) / spread
    if variance <= 0.0 or total <= 0.0:
        return Similarity(0.0, 0.0)
    error = max(within, 1e-3 * variance) * np.sqrt(2 / (n_entities - 1) + 2 / (n - n_entities))
    return Similarity(max(excess, 0.0) / spread / variance, float(excess / error))


def draw_typical(
    codes: Codes, entities: Int64s, share: float, rng: np.random.Generator, *, is_ordinal: bool
) -> Int64s:
    """Return a typical value for each entity, drawn given the rows of the entity.

    Parameters
    ----------
    codes, entities : array of shape (n,)
        Code and entity of each unit.
    share : float
        Share of the variance that lies between entities.
    rng : numpy.random.Generator
        Source of randomness.
    is_ordinal : bool
        Whether neighboring codes represent similar values.

    Returns
    -------
    array of shape (n_entities,)
        For ordinal columns, the normal scores in steps. For other columns, the frequency ranks of the codes.
    """
    share = min(share, SHARE_MAX)
    if is_ordinal:
        return _draw_effects(normal_scores(codes), entities, share, rng)
    return _draw_levels(codes, entities, float(np.sqrt(share)), rng)


def normal_scores(codes: Codes) -> Floats:
    """Return the standardized normal score of each unit, based on the middle rank of its code."""
    counts = np.bincount(codes)
    middle = (np.cumsum(counts) - counts / 2) / len(codes)
    # Importing `scipy.special.ndtri` takes longer than fitting a small table.
    pairs = zip(middle.tolist(), counts.tolist(), strict=True)
    quantiles = np.array([_STANDARD.inv_cdf(p) if n else 0.0 for p, n in pairs])
    scores = quantiles[codes]
    deviation = scores.std()
    return np.zeros(len(codes)) if deviation == 0 else np.asarray((scores - scores.mean()) / deviation)


def _draw_effects(scores: Floats, entities: Int64s, share: float, rng: np.random.Generator) -> Int64s:
    """Return random effects, drawn from their normal distribution given the rows of each entity."""
    sizes = np.bincount(entities)
    means = np.bincount(entities, weights=scores) / sizes
    noise = (1 - share) / sizes
    deviation = np.sqrt(share * noise / (share + noise))
    effects = means * share / (share + noise) + deviation * rng.standard_normal(len(sizes))
    return np.rint(effects * N_STEPS).astype(np.int64)


def _draw_levels(codes: Codes, entities: Int64s, weight: float, rng: np.random.Generator) -> Int64s:
    """Return the frequency rank of a code for each entity.

    Each row has the code of its entity with the probability `weight`, and otherwise a code that does not
    depend on the entity.
    """
    counts = np.bincount(codes)
    shares = counts / len(codes)
    n_entities = int(entities.max()) + 1
    owners, levels, n_rows = _cells(codes, entities)
    evidence = n_rows * np.log1p(weight / ((1 - weight) * shares[levels]))
    highest = np.zeros(n_entities)
    np.maximum.at(highest, owners, evidence)
    odds = shares[levels] * np.exp(evidence - highest[owners])
    others = np.maximum(1 - np.bincount(owners, weights=shares[levels]), 0.0) * np.exp(-highest)
    sums = np.cumsum(odds)
    ends = np.cumsum(np.bincount(owners))
    before = np.concatenate(([0.0], sums[ends[:-1] - 1]))
    points = rng.random(n_entities) * (sums[ends - 1] - before + others)
    at = np.searchsorted(sums, before + points, side="right")
    drawn = levels[np.minimum(at, ends - 1)]
    pending = np.flatnonzero(at >= ends)
    known = owners * len(shares) + levels
    for _ in range(N_ATTEMPTS):
        drawn[pending] = rng.choice(len(shares), len(pending), p=shares)
        cells = pending * len(shares) + drawn[pending]
        at = np.searchsorted(known, cells)
        pending = pending[known[np.minimum(at, len(known) - 1)] == cells]
    ranks = np.empty(len(shares), np.int64)
    ranks[np.argsort(-counts, kind="stable")] = np.arange(len(shares))
    typical: Int64s = ranks[drawn]
    return typical


def _cells(codes: Codes, entities: Int64s) -> tuple[Int64s, Int64s, Int64s]:
    """Return the entity, the code and the number of units of each combination, in ascending order."""
    n_codes = int(codes.max(initial=0)) + 1
    cells, counts = np.unique(entities * n_codes + codes, return_counts=True)
    return cells // n_codes, cells % n_codes, counts
