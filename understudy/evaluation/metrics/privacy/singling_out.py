"""Whether synthetic rows tell how to pick out one real row from all others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.attacks.singling_out_guesses import (
    NOBODY,
    SortedColumn,
    hits_of_combinations,
    hits_of_values,
)
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import Values
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.proportions import CONFIDENCE, Interval, exact_interval

N_GUESSES = 2_000
# Values are looked up faster than combinations are searched, and more of them hit somebody by chance.
N_VALUES_GUESSED = 20_000
N_GUESSES_MIN = 100
N_ROWS_MIN = 100
# Synthetic rows that guesses are made of.
N_ROWS_MAX = 100_000

Kind = Literal["one column", "many columns"]


class SinglingOutGuesses(BaseModel):
    """How often guesses of one kind pick out a row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[
        Kind,
        Field(description="A value that occurs once; a combination that occurs once."),
    ]
    n: int
    attack: Annotated[
        float, Field(description="Share that hits one row, which was learnt from, and no held-out row.")
    ]
    control: Annotated[
        float, Field(description="Share that hits one held-out row, and none that was learnt from; scaled.")
    ]
    risk: Annotated[float, Field(description="What the attack finds of what the control leaves open.")]
    interval: Interval


class SinglingOutResult(MetricResult):
    """Risk that a row which was learnt from is picked out by what a synthetic row says."""

    metric: Literal["singling_out"] = "singling_out"
    guesses: list[SinglingOutGuesses]


def score(comparison: Comparison) -> SinglingOutResult | UnscoredResult:
    """Return the larger risk of guesses of one and of many columns.

    Notes
    -----
    After Giomi et al. (2023), section 4.1. The control differs: a guess counts if it hits exactly one row of
    training and held-out rows together. For a guess that knows nothing of who was learnt from, that row is a
    training row as often as such rows are among all, whatever the guess; no sizes have to be made equal.
    """
    assert comparison.holdout is not None
    rng = comparison.rng("singling out")
    # All real rows: of a part, a row would seem to be alone that has its like among the others.
    training, holdout = comparison.real, comparison.holdout
    synthetic = comparison.synthetic.draw(N_ROWS_MAX, rng)
    n_holdout = holdout.n_rows
    if min(n_holdout, training.n_rows) < N_ROWS_MIN:
        return UnscoredResult(reason=f"needs at least {N_ROWS_MIN} training rows and as many held-out rows")
    pool = _pool(comparison)
    kinds: list[tuple[Kind, NDArray[np.int64]]] = [
        ("one column", hits_of_values(synthetic, pool, N_VALUES_GUESSED, rng)),
        ("many columns", hits_of_combinations(synthetic, pool, N_GUESSES, rng)),
    ]
    kinds = [(kind, hits) for kind, hits in kinds if len(hits) >= N_GUESSES_MIN]
    if not kinds:
        return UnscoredResult(reason="needs values or combinations that occur once among the synthetic rows")
    guesses = [
        judge_guesses(kind, hits, training.n_rows, n_holdout, confidence=1 - (1 - CONFIDENCE) / len(kinds))
        for kind, hits in kinds
    ]
    return SinglingOutResult(
        score=max(one.risk for one in guesses),
        # The larger of two: each interval is so wide that both hold at once, and so do their upper ends.
        interval=(max(one.interval[0] for one in guesses), max(one.interval[1] for one in guesses)),
        guesses=guesses,
        n_rows={
            "real": training.n_rows,
            "holdout": n_holdout,
            "synthetic": synthetic.n_rows,
        },
    )


def _pool(comparison: Comparison) -> list[SortedColumn]:
    """Return the columns of all real rows, training rows first."""
    # Only their order is kept between tables that are judged: the values, twice, would be the most of it.
    orders = comparison.once_of_real("singling out: orders", _orders)
    return [SortedColumn.of(values, order) for values, order in zip(_values(comparison), orders, strict=True)]


def _orders(comparison: Comparison) -> list[NDArray[np.int32]]:
    return [np.argsort(values, kind="stable").astype(np.int32) for values in _values(comparison)]


def _values(comparison: Comparison) -> Iterator[Values]:
    assert comparison.holdout is not None
    pairs = zip(comparison.real.columns, comparison.holdout.columns, strict=True)
    for pair in pairs:
        yield cast(Values, np.concatenate(pair))


def judge_guesses(
    kind: Kind, hits: NDArray[np.int64], n_training: int, n_holdout: int, *, confidence: float
) -> SinglingOutGuesses:
    """Return the risk of guesses that hit these rows, training rows being the first.

    Notes
    -----
    Given how many rows are hit, the number of training rows among them is binomial, and its exact interval
    gives that of the risk. A row that several guesses hit counts once, as they stand or fall together.
    """
    rows = np.unique(hits[hits != NOBODY])
    n_missed = int((hits == NOBODY).sum())
    n_guesses, n_hit = n_missed + len(rows), len(rows)
    n_members = int((rows < n_training).sum())

    def rates(share: float) -> tuple[float, float]:
        hit = n_hit / n_guesses
        return hit * share, min(hit * (1 - share) * n_training / n_holdout, 1.0)

    share = n_members / max(n_hit, 1)
    low, high = exact_interval(n_members, n_hit, confidence=confidence) if n_hit else (0.0, 0.0)
    attack, control = rates(share)
    # Nobody hit: the interval of hits themselves is what is known.
    at_most = exact_interval(0, n_guesses, confidence=confidence)[1] if n_hit == 0 else _risk(*rates(high))
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
    summary="How much oftener a value or a combination that occurs in one synthetic row picks out one row "
    "that was learnt from than one that was not. 0 is no help at all.",
    concern="single rows that were learnt from can be picked out by what synthetic rows say",
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
