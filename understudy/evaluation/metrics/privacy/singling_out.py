"""Singling out: guesses from synthetic rows that match exactly one real row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.attacks.singling_out_guesses import (
    NOBODY,
    Crowd,
    SortedColumn,
    hits_of_combinations,
    hits_of_values,
)
from understudy.evaluation.attacks.victims import N_SUBJECTS_MIN, N_VICTIMS_MIN, needed_victims
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import Rows, Values
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.proportions import CONFIDENCE, Interval, exact_interval

N_GUESSES = 2_000
# There are more guesses of single values than of combinations, because single values are faster to look up
# and match a row by chance more often.
N_VALUES_GUESSED = 20_000
N_GUESSES_MIN = 100
# Maximum number of synthetic rows from which guesses are derived.
N_ROWS_MAX = 100_000

Kind = Literal["one column", "many columns"]


class SinglingOutGuesses(BaseModel):
    """Success rates of one kind of guess."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[
        Kind,
        Field(description="Kind of guess: a unique value of one column, or a unique combination of values."),
    ]
    n: int
    attack: Annotated[
        float, Field(description="Share of guesses whose only matching real row is a training row.")
    ]
    control: Annotated[
        float,
        Field(
            description="Share of guesses whose only matching real row is a held-out row, multiplied by "
            "the number of training rows per held-out row."
        ),
    ]
    risk: Annotated[float, Field(description="Risk: (attack - control) / (1 - control).")]
    interval: Interval


class SinglingOutResult(MetricResult):
    """Risk that values of a synthetic row single out a training row."""

    metric: Literal["singling_out"] = "singling_out"
    guesses: list[SinglingOutGuesses]


@dataclass(frozen=True)
class Population:
    """The real rows on which guesses are tested.

    Parameters
    ----------
    n_rows_training : int
        Number of training rows.
    n_training, n_holdout : int
        Number of subjects in each table, or number of rows if no subject is declared.
    subjects : int array of shape (n_rows,), or None
        Subject of each row, training rows first.
    """

    n_rows_training: int
    n_training: int
    n_holdout: int
    subjects: Rows | None = None

    def n_effective(self, rows: Rows) -> float:
        """Return the effective number of independent hits, at least 1."""
        if self.subjects is None or not len(rows):
            return max(len(rows), 1)
        counts = np.unique(self.subjects[rows], return_counts=True)[1].astype(np.float64)
        return float(counts.sum() ** 2 / (counts**2).sum())

    def most_without_hit(self, n_guesses: int, confidence: float) -> float:
        """Return the upper end of the interval for the share of hits if there are no hits.

        Each subject counts once.
        """
        n = n_guesses if self.subjects is None else min(n_guesses, self.n_training + self.n_holdout)
        return exact_interval(0, n, confidence=confidence)[1]


def score(comparison: Comparison) -> SinglingOutResult | UnscoredResult:
    """Return the larger of the risks of guesses from one column and of guesses from several columns.

    Notes
    -----
    The attack follows Giomi et al. (2023), section 4.1, with a different control. A guess counts if it
    matches exactly one row among all training and held-out rows, or only rows of one subject. If guesses do
    not depend on membership, the probability that this row or subject is in the training table equals the
    share of the training table. The two tables may therefore differ in size.
    """
    assert comparison.holdout is not None
    rng = comparison.rng("singling out")
    # All real rows are needed. In a sample, a row can appear unique although the table contains an equal row.
    training, holdout = comparison.real, comparison.holdout
    synthetic = comparison.synthetic.draw(N_ROWS_MAX, rng)
    if min(holdout.n_units, training.n_units) < _n_min(comparison):
        return UnscoredResult(reason=needed_victims(comparison))
    pool = _pool(comparison)
    kinds: list[tuple[Kind, NDArray[np.int64]]] = [
        ("one column", hits_of_values(synthetic, pool, N_VALUES_GUESSED, rng)),
        ("many columns", hits_of_combinations(synthetic, pool, N_GUESSES, rng)),
    ]
    kinds = [(kind, hits) for kind, hits in kinds if len(hits) >= N_GUESSES_MIN]
    if not kinds:
        return UnscoredResult(reason="needs values or combinations that are unique among the synthetic rows")
    population = Population(training.n_rows, training.n_units, holdout.n_units, pool.subjects)
    confidence = 1 - (1 - CONFIDENCE) / len(kinds)
    guesses = [judge_guesses(kind, hits, population, confidence=confidence) for kind, hits in kinds]
    return SinglingOutResult(
        score=max(part.risk for part in guesses),
        # The intervals are simultaneously valid, so the maxima of their lower and upper ends form an interval
        # for the larger risk.
        interval=(max(part.interval[0] for part in guesses), max(part.interval[1] for part in guesses)),
        guesses=guesses,
        n_rows={"real": training.n_rows, "holdout": holdout.n_rows, "synthetic": synthetic.n_rows},
        n_subjects={"real": training.n_units, "holdout": holdout.n_units} if comparison.has_subjects else {},
    )


def _n_min(comparison: Comparison) -> int:
    return N_SUBJECTS_MIN if comparison.has_subjects else N_VICTIMS_MIN


def _pool(comparison: Comparison) -> Crowd:
    """Return all real rows, training rows first."""
    # Only the sort order is cached between evaluated tables, because the values would require more memory.
    orders = comparison.once_of_real("singling out: orders", _orders)
    pairs = zip(_values(comparison), orders, strict=True)
    return Crowd([SortedColumn.of(values, order) for values, order in pairs], _subjects(comparison))


def _subjects(comparison: Comparison) -> Rows | None:
    assert comparison.holdout is not None
    if not comparison.has_subjects:
        return None
    return np.concatenate([comparison.real.units, comparison.holdout.units])


def _orders(comparison: Comparison) -> list[NDArray[np.int32]]:
    return [np.argsort(values, kind="stable").astype(np.int32) for values in _values(comparison)]


def _values(comparison: Comparison) -> Iterator[Values]:
    assert comparison.holdout is not None
    pairs = zip(comparison.real.columns, comparison.holdout.columns, strict=True)
    for pair in pairs:
        yield cast(Values, np.concatenate(pair))


def judge_guesses(kind: Kind, hits: Rows, population: Population, *, confidence: float) -> SinglingOutGuesses:
    """Return the risk of guesses that hit these rows.

    Notes
    -----
    For a given number of hit rows, the number of training rows among these rows has a binomial distribution,
    whose exact interval determines the interval of the risk. A row that several guesses hit counts once,
    because these guesses are not independent. Guesses that hit several rows of a subject are also not
    independent. All of these guesses count, because a subject with more revealed rows is hit more often, but
    the interval uses the effective number of subjects, (sum of hits)² / sum of hits² (Kish 1965).
    """
    rows = np.unique(hits[hits != NOBODY])
    n_missed = int((hits == NOBODY).sum())
    n_guesses, n_hit = n_missed + len(rows), len(rows)
    n_members = int((rows < population.n_rows_training).sum())
    n_effective = population.n_effective(rows)

    def rates(share: float) -> tuple[float, float]:
        hit = n_hit / n_guesses
        return hit * share, min(hit * (1 - share) * population.n_training / population.n_holdout, 1.0)

    share = n_members / max(n_hit, 1)
    low, high = exact_interval(share * n_effective, n_effective, confidence=confidence)
    attack, control = rates(share)
    # If there are no hits, the bound is the upper end of the interval for the share of hits.
    at_most = _risk(*rates(high)) if n_hit else population.most_without_hit(n_guesses, confidence)
    return SinglingOutGuesses(
        kind=kind,
        n=n_guesses,
        attack=attack,
        control=control,
        risk=_risk(attack, control),
        interval=(_risk(*rates(low)), at_most),
    )


def _risk(attack: float, control: float) -> float:
    return max((attack - control) / (1 - control), -1.0) if control < 1 else 0.0


SINGLING_OUT = Metric(
    name="singling_out",
    title="Singling out",
    summary="Risk that a value or combination that is unique among the synthetic rows matches exactly one "
    "training row, beyond the rate for held-out rows. 0 means no advantage for an attacker.",
    concern="synthetic values single out individual training rows",
    source="Giomi et al. 2023, A unified framework for quantifying privacy risk in synthetic data, with a "
    "different control",
    topic="privacy",
    direction="lower",
    range=(-1.0, 1.0),
    best=0.0,
    result=SinglingOutResult,
    score=score,
    needs=frozenset({Need.holdout}),
    real_baseline=RealBaseline.holdout,
    chance=0.0,
)
