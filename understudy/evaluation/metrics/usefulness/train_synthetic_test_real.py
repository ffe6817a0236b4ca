"""Whether a model trained on synthetic rows predicts real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.discrimination import auc
from understudy.evaluation.encoding import EncodedTable, is_missing
from understudy.evaluation.features import as_features
from understudy.evaluation.holdout import split_holdout
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, StandIn, Unscored
from understudy.evaluation.threads import one_thread
from understudy.tables.schema import ColumnKind

N_ROWS_MAX = 30_000
N_ROWS_MIN = 50
N_ROUNDS = 100
# Boosting grows a tree a class and round: many classes get fewer rounds, so that the time stays the same.
N_TREES_MAX = 400
# More distinct whole numbers than this are an amount to predict, not classes.
N_CLASSES_MAX = 10
TEST_FRACTION = 1 / 3

Task = Literal["classification", "regression"]


class TrainSyntheticTestReal(MetricResult):
    """AUC or R2, on real rows, of a model that saw only the rows that are judged."""

    metric: Literal["train_synthetic_test_real"] = "train_synthetic_test_real"
    target: str
    task: Task
    measure: Annotated[
        Literal["AUC", "R2"], Field(description="AUC, macro one-vs-rest for more than two classes; or R2.")
    ]
    model: str
    classes: Annotated[int | None, Field(description="Classes told apart; the rarest share one.")] = None


@dataclass(frozen=True)
class _Rows:
    """Rows with a known target."""

    features: NDArray[np.float64]
    target: NDArray[np.float64]


def score(comparison: Comparison) -> TrainSyntheticTestReal | Unscored:
    """Return how well gradient-boosted trees, trained on the judged rows, predict real rows they never saw.

    Notes
    -----
    Tested on the holdout; without one on a third of the real rows, which the model that is trained on real
    rows for comparison then does not see.
    """
    assert comparison.target is not None
    i = comparison.encoder_index(comparison.target)
    train, test = _tables(comparison)
    classes = _classes(comparison, i)
    rng = comparison.rng("train_synthetic_test_real")
    train_rows, test_rows = _rows([table.draw(N_ROWS_MAX, rng) for table in (train, test)], i, classes)
    problem = _problem(train_rows, test_rows)
    if problem is not None:
        return Unscored(reason=problem)
    fit_and_score = _r2 if classes is None else _macro_auc
    with one_thread():
        area_or_r2 = fit_and_score(train_rows, test_rows, seed=comparison.seed)
    return TrainSyntheticTestReal(
        score=area_or_r2,
        target=comparison.target,
        task="regression" if classes is None else "classification",
        measure="R2" if classes is None else "AUC",
        model="gradient-boosted trees",
        classes=None if classes is None else len(np.unique(test_rows.target)),
        n_rows={"train": len(train_rows.target), "test": len(test_rows.target)},
    )


def _tables(comparison: Comparison) -> tuple[EncodedTable, EncodedTable]:
    if comparison.holdout is not None:
        return comparison.synthetic, comparison.holdout
    is_test = split_holdout(comparison.real.n_rows, TEST_FRACTION, comparison.seed)
    test = comparison.real.take(np.flatnonzero(is_test))
    if comparison.synthetic is comparison.real:
        return comparison.real.take(np.flatnonzero(~is_test)), test
    return comparison.synthetic, test


def _classes(comparison: Comparison, i: int) -> NDArray[np.float64] | None:
    """Return the values that are a class of their own, most frequent first; None for an amount."""
    if comparison.encoder.columns[i].is_categorical:
        return np.arange(N_CLASSES_MAX - 1, dtype=np.float64)
    if comparison.columns[i].kind != ColumnKind.integer:
        return None
    values = comparison.real.columns[i]
    distinct, counts = np.unique(values[~is_missing(values)].astype(np.float64), return_counts=True)
    return distinct[np.argsort(-counts, kind="stable")] if len(distinct) <= N_CLASSES_MAX else None


def _rows(tables: Sequence[EncodedTable], i: int, classes: NDArray[np.float64] | None) -> list[_Rows]:
    known = [table.take(np.flatnonzero(~is_missing(table.columns[i]))) for table in tables]
    features = as_features(known, without=i)
    targets = [_target(table.columns[i].astype(np.float64), classes) for table in known]
    return [_Rows(*pair) for pair in zip(features, targets, strict=True)]


def _target(values: NDArray[np.float64], classes: NDArray[np.float64] | None) -> NDArray[np.float64]:
    if classes is None:
        return values
    ranks = np.full(len(values), len(classes), dtype=np.float64)
    for rank, value in enumerate(classes):
        ranks[values == value] = rank
    return ranks


def _problem(train: _Rows, test: _Rows) -> str | None:
    if train.features.shape[1] == 0:
        return "needs a column beside the target"
    if min(len(train.target), len(test.target)) < N_ROWS_MIN:
        return f"needs at least {N_ROWS_MIN} rows whose target is known, to train on and to test on"
    if min(len(np.unique(train.target)), len(np.unique(test.target))) < 2:
        return "needs a target that has more than one value"
    return None


def _macro_auc(train: _Rows, test: _Rows, *, seed: int) -> float:
    from sklearn.ensemble import HistGradientBoostingClassifier

    n_rounds = min(N_ROUNDS, N_TREES_MAX // len(np.unique(train.target)))
    model = HistGradientBoostingClassifier(max_iter=n_rounds, early_stopping=False, random_state=seed % 2**32)
    model.fit(train.features, train.target)
    probabilities: Any = model.predict_proba(test.features)
    by_class = dict(zip(model.classes_, probabilities.T, strict=True))
    present = np.unique(test.target)
    if len(present) == 2:
        present = present[1:]
    # A class that the training rows lack cannot be predicted: all test rows get the same score for it.
    unknown = np.zeros(len(test.target))
    areas = [
        auc(scores[test.target == label], scores[test.target != label])
        for label, scores in ((label, by_class.get(label, unknown)) for label in present)
    ]
    return float(np.mean(areas))


def _r2(train: _Rows, test: _Rows, *, seed: int) -> float:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(max_iter=N_ROUNDS, early_stopping=False, random_state=seed % 2**32)
    model.fit(train.features, train.target)
    residuals = test.target - model.predict(test.features)
    return float(max(-1.0, 1 - np.mean(residuals**2) / np.var(test.target)))


TRAIN_SYNTHETIC_TEST_REAL = Metric(
    name="train_synthetic_test_real",
    title="Usefulness",
    summary="How well a model that was trained on the synthetic rows alone predicts the target in real rows. "
    "Read it against the same model trained on real rows.",
    concern="a model that learns from these rows predicts real ones less well",
    topic="usefulness",
    direction="higher",
    range=(-1.0, 1.0),
    best=1.0,
    result=TrainSyntheticTestReal,
    score=score,
    needs=frozenset({Need.target}),
    stand_in=StandIn.training,
)
