"""Whether a strong classifier can tell synthetic rows from real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.discrimination import auc, auc_standard_error, interval
from understudy.evaluation.features import as_features
from understudy.evaluation.holdout import mix64
from understudy.evaluation.metrics.base import Metric, MetricResult, StandIn, Unscored
from understudy.evaluation.threads import one_thread

N_ROWS_MAX = 20_000
N_ROWS_MIN = 50
N_FOLDS = 3
N_TREES = 100
# Rows on which the columns' importance is measured: enough for an AUC's standard error under 0.01.
N_ROWS_IMPORTANCE = 4_000
# A row that occurs oftener than this says more by its frequency than by its neighbours.
N_COPIES_MAX = 20


class ColumnGiveaway(BaseModel):
    """How much one column helps to tell the tables apart."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    auc_lost: Annotated[float, Field(description="Fall of the AUC when this column's values are shuffled.")]


class TwoSample(MetricResult):
    """AUC of a classifier that was asked which rows are synthetic."""

    metric: Literal["two_sample"] = "two_sample"
    classifier: str
    giveaways: Annotated[list[ColumnGiveaway], Field(description="Columns, most telling first.")]


@dataclass(frozen=True)
class _Rows:
    """Real rows above synthetic ones; the folds that they belong to."""

    features: NDArray[np.float64]
    is_synthetic: NDArray[np.bool_]
    folds: NDArray[np.int64]


def score(comparison: Comparison) -> TwoSample | Unscored:
    """Return the out-of-fold AUC of gradient-boosted trees; 0.5 is a coin's, 1 is a perfect detective's.

    Notes
    -----
    Both tables give equally many rows. Rows that are equal go into the same fold: else a copied row would be
    learnt with one label and asked for with the other, and copies would push the AUC below that of a coin.
    """
    n_rows = min(comparison.real.n_rows, comparison.synthetic.n_rows, N_ROWS_MAX)
    if n_rows < N_ROWS_MIN:
        return Unscored(reason=f"needs at least {N_ROWS_MIN} rows in each table")
    rows = _rows(comparison, n_rows)
    with one_thread():
        models = [_fit(rows, fold, seed=comparison.seed) for fold in range(N_FOLDS)]
        areas = [_area(model, rows, fold) for fold, model in enumerate(models)]
        giveaways = _giveaways(comparison, models[0], rows)
    area = float(np.mean(areas))
    error = auc_standard_error(area, n_rows, n_rows)
    return TwoSample(
        score=area,
        interval=interval(area, error, 0.0, 1.0),
        classifier=f"gradient-boosted trees, {N_TREES} rounds, {N_FOLDS} folds",
        giveaways=giveaways,
        n_rows={"real": n_rows, "synthetic": n_rows},
    )


def _rows(comparison: Comparison, n_rows: int) -> _Rows:
    rng = comparison.rng("two_sample")
    real, synthetic = comparison.real.draw(n_rows, rng), comparison.synthetic.draw(n_rows, rng)
    hashes = np.concatenate([table.row_hashes[table.rows] for table in (real, synthetic)])
    is_synthetic = np.repeat([False, True], n_rows)
    return _Rows(
        np.concatenate(as_features([real, synthetic])),
        is_synthetic,
        _folds(hashes, is_synthetic, rng),
    )


def _folds(
    hashes: NDArray[np.uint64], is_synthetic: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return a fold for each row: the same for equal rows, else in turn, so that folds are alike in size."""
    folds = np.empty(len(hashes), dtype=np.int64)
    for label in (False, True):
        mine = np.flatnonzero(is_synthetic == label)
        folds[rng.permutation(mine)] = np.arange(len(mine)) % N_FOLDS
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    n_copies = counts[inverse]
    is_copied = (n_copies > 1) & (n_copies <= N_COPIES_MAX)
    folds[is_copied] = (mix64(hashes[is_copied]) % np.uint64(N_FOLDS)).astype(np.int64)
    return folds


def _fit(rows: _Rows, fold: int, *, seed: int) -> Any:
    # Imported late: the catalogue of metrics is listed by processes that never compute one.
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=N_TREES, early_stopping=False, min_samples_leaf=10, random_state=seed % 2**32
    )
    is_training = rows.folds != fold
    return model.fit(rows.features[is_training], rows.is_synthetic[is_training])


def _area(model: Any, rows: _Rows, fold: int) -> float:
    is_test = rows.folds == fold
    scores = model.decision_function(rows.features[is_test])
    labels = rows.is_synthetic[is_test]
    return auc(scores[labels], scores[~labels])


def _giveaways(comparison: Comparison, model: Any, rows: _Rows) -> list[ColumnGiveaway]:
    """Return the columns by how much the first fold's AUC falls when each is shuffled."""
    rng = comparison.rng("two_sample giveaways")
    test = np.flatnonzero(rows.folds == 0)
    test = rng.permutation(test)[:N_ROWS_IMPORTANCE]
    features, labels = rows.features[test], rows.is_synthetic[test]
    scores = model.decision_function(features)
    whole = auc(scores[labels], scores[~labels])
    result = []
    for i, column in enumerate(comparison.columns):
        shuffled = features.copy()
        shuffled[:, i] = rng.permutation(features[:, i])
        scores = model.decision_function(shuffled)
        lost = whole - auc(scores[labels], scores[~labels])
        result.append(ColumnGiveaway(column=column.name, auc_lost=lost))
    return sorted(result, key=lambda giveaway: -giveaway.auc_lost)


TWO_SAMPLE = Metric(
    name="two_sample",
    title="Two-sample test",
    summary="How often a strong classifier picks the synthetic row out of a pair of one real and one "
    "synthetic row. 0.5 is guessing; 1 means that it always knows. It sees what averages hide.",
    concern="a classifier tells synthetic rows from real ones",
    topic="fidelity",
    direction="nearer",
    range=(0.0, 1.0),
    best=0.5,
    result=TwoSample,
    score=score,
    stand_in=StandIn.fresh,
)
