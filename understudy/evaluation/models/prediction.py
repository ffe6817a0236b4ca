"""Models that predict the target: one model is trained on the rows to score, and one on real rows.

Both models are tested on the same rows. Several metrics use these models, so the first model is trained once
per comparison, and the model of real rows is trained once per report.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, Values, is_missing
from understudy.evaluation.models.classifiers import n_bins, n_rows_learned, one_thread
from understudy.evaluation.statistics.distributions import OTHER_LABEL, shortened
from understudy.evaluation.statistics.influence import Estimate, mean_area, r2
from understudy.tables.schema import ColumnKind
from understudy.tables.split import is_held_out

N_ROWS_TRAIN_MAX = 12_000
N_ROWS_TEST_MAX = 12_000
N_ROWS_MIN = 50
N_ROUNDS = 80
# Maximum number of trees. Boosting fits one tree per class and round, so targets with many classes have fewer
# rounds to keep the training time constant.
N_TREES_MAX = 160
# With fewer rounds, the learning rate is higher. With rates above this maximum, or without regularization,
# models fail to predict rare classes.
ROUNDS_TIMES_RATE = 8.0
RATE_MAX = 0.15
# An integer target with more distinct values than this number is a regression target.
N_CLASSES_MAX = 10
TEST_FRACTION = 1 / 3

MODEL = "gradient-boosted trees"

Task = Literal["classification", "regression"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """The target of the prediction.

    Parameters
    ----------
    column : int
        The position of the column.
    name : str
        The name of the column.
    classes : float array of shape (n,), or None
        The values that have their own class, most frequent first. All other values are in one additional
        class. None for regression.
    labels : tuple of str
        The labels of the classes.
    centre, width : float
        The scale of a regression target: its median, and the mean absolute distance from it. Models learn the
        scaled target, so the result does not depend on the unit of the column.
    """

    column: int
    name: str
    classes: Floats | None = None
    labels: tuple[str, ...] = ()
    centre: float = 0.0
    width: float = 1.0

    @property
    def task(self) -> Task:
        """The task: `classification` or `regression`."""
        return "regression" if self.classes is None else "classification"

    def encode(self, values: Values) -> Floats:
        """Return the scaled values, or the numbers of their classes. All values must be known."""
        numbers = values.astype(np.float64)
        if self.classes is None:
            return (numbers - self.centre) / self.width
        ranks = np.full(len(values), len(self.classes), dtype=np.float64)
        for rank, value in enumerate(self.classes):
            ranks[numbers == value] = rank
        return ranks


@dataclass(frozen=True)
class Labelled:
    """Rows with a known target."""

    table: EncodedTable
    features: Floats
    truth: Floats

    @property
    def subjects(self) -> NDArray[np.int64] | None:
        """The subject of each row, or None if no subject is declared."""
        return None if self.table.subjects is None else self.table.units

    @property
    def classes(self) -> NDArray[np.int64]:
        """The class number of each row."""
        return self.truth.astype(np.int64)


@dataclass(frozen=True)
class Predictions:
    """The predictions of a model for the test rows.

    Parameters
    ----------
    values : float array of shape (n_test, n_classes), or (n_test,)
        The probabilities of the classes, or the predicted values.
    n_rows_train : int
        The number of training rows.
    """

    values: Floats
    n_rows_train: int

    @property
    def classes(self) -> NDArray[np.int64]:
        """The most likely class of each row."""
        return np.asarray(self.values.argmax(axis=1))


@dataclass(frozen=True)
class Experiment:
    """The test rows and the predictions of both models.

    Parameters
    ----------
    judged : Predictions
        The predictions of the model that was trained on the rows to score.
    real : Predictions or None
        The predictions of the model that was trained on real rows, or None if there are too few rows.
    """

    target: Target
    test: Labelled
    judged: Predictions
    real: Predictions | None

    @property
    def n_rows(self) -> dict[str, int]:
        """Number of rows used, by purpose."""
        counts = {"train": self.judged.n_rows_train, "test": len(self.test.truth)}
        return counts if self.real is None else counts | {"train_real": self.real.n_rows_train}


def experiment(comparison: Comparison) -> Experiment | str:
    """Return the predictions of both models, or the reason why there are no predictions.

    Notes
    -----
    The models are tested on the holdout. Without a holdout, they are tested on one third of the real rows or
    subjects, which are then not used to train the model of real rows. The method (train on synthetic, test on
    real) follows Esteban, Hyland and Rätsch (2017).
    """
    return comparison.once("prediction", _experiment)


def _experiment(comparison: Comparison) -> Experiment | str:
    target, test = target_of(comparison), rows_tested(comparison)
    real = comparison.once_of_real("prediction: real model", _trained_on_real)
    if comparison.synthetic is comparison.real:
        return real if isinstance(real, str) else Experiment(target, test, real, real)
    train = rows_judged(comparison)
    problem = problem_of(train, test)
    if problem is not None:
        return problem
    judged = train_and_predict(target, train, test, seed=comparison.seed)
    return Experiment(target, test, judged, None if isinstance(real, str) else real)


def _trained_on_real(comparison: Comparison) -> Predictions | str:
    train, test = rows_of_real(comparison), rows_tested(comparison)
    problem = problem_of(train, test)
    if problem is not None:
        return problem
    return train_and_predict(target_of(comparison), train, test, seed=comparison.seed)


def target_of(comparison: Comparison) -> Target:
    """Return the target, which the options must name."""
    return comparison.once_of_real("prediction: target", _target_of)


def _target_of(comparison: Comparison) -> Target:
    assert comparison.target is not None
    i = comparison.encoder_index(comparison.target)
    categories = comparison.encoder.columns[i].categories
    if categories is not None:
        named = comparison.encoder.columns[i].labels[: N_CLASSES_MAX - 1]
        return _classes(i, comparison.target, np.arange(len(named), dtype=np.float64), named)
    values = comparison.real.columns[i]
    known = values[~is_missing(values)].astype(np.float64)
    if comparison.columns[i].kind == ColumnKind.integer:
        distinct, counts = np.unique(known, return_counts=True)
        ordered = distinct[np.argsort(-counts, kind="stable")]
        if len(distinct) <= N_CLASSES_MAX:
            return _classes(i, comparison.target, ordered, tuple(str(int(value)) for value in ordered))
    centre = float(np.median(known)) if len(known) else 0.0
    width = float(np.abs(known - centre).mean()) if len(known) else 0.0
    return Target(i, comparison.target, centre=centre, width=width or 1.0)


def _classes(i: int, name: str, values: Floats, named: tuple[str, ...]) -> Target:
    return Target(i, name, values, (*map(shortened, named), OTHER_LABEL))


def rows_tested(comparison: Comparison) -> Labelled:
    """Return the real rows for testing."""
    return comparison.once_of_real("prediction: test rows", lambda known: _real_part(known, is_test=True))


def rows_of_real(comparison: Comparison) -> Labelled:
    """Return the real rows for training."""
    return comparison.once_of_real("prediction: real rows", lambda known: _real_part(known, is_test=False))


def rows_judged(comparison: Comparison) -> Labelled:
    """Return the rows to score, for use as training rows."""
    if comparison.synthetic is comparison.real:
        return rows_of_real(comparison)
    return comparison.once(
        "prediction: judged rows",
        lambda known: _labelled(known, known.synthetic, _n_rows_learned(known), "judged"),
    )


def _real_part(comparison: Comparison, *, is_test: bool) -> Labelled:
    role, n_rows_max = ("test", N_ROWS_TEST_MAX) if is_test else ("real", _n_rows_learned(comparison))
    if comparison.holdout is not None:
        table = comparison.holdout if is_test else comparison.real
    else:
        units = comparison.real.units.astype(np.uint64)
        mask = is_held_out(units, TEST_FRACTION, seed=comparison.seed)
        table = comparison.real.take(np.flatnonzero(mask == is_test))
    return _labelled(comparison, table, n_rows_max, role)


def _n_rows_learned(comparison: Comparison) -> int:
    return n_rows_learned(N_ROWS_TRAIN_MAX, len(comparison.columns))


def _labelled(comparison: Comparison, table: EncodedTable, n_rows_max: int, role: str) -> Labelled:
    target = target_of(comparison)
    drawn = table.draw(n_rows_max, comparison.rng(f"prediction {role}"))
    known = drawn.take(np.flatnonzero(~is_missing(drawn.columns[target.column])))
    others = [_as_feature(values) for i, values in enumerate(known.columns) if i != target.column]
    features = np.column_stack(others) if others else np.empty((known.n_rows, 0))
    return Labelled(known, features, target.encode(known.columns[target.column]))


def _as_feature(values: Values) -> Floats:
    # Codes are ranks by frequency in the real table, so they are the same for both models.
    return np.where(is_missing(values), np.nan, values.astype(np.float64))


def problem_of(train: Labelled, test: Labelled) -> str | None:
    """Return the reason why no model can be trained or tested on these rows, or None."""
    if train.features.shape[1] == 0:
        return "needs a column other than the target"
    if min(len(train.truth), len(test.truth)) < N_ROWS_MIN:
        return f"needs at least {N_ROWS_MIN} training rows and {N_ROWS_MIN} test rows with a known target"
    if min(len(np.unique(train.truth)), len(np.unique(test.truth))) < 2:
        return "needs a target that has more than one value"
    return None


def train_and_predict(
    target: Target, train: Labelled, test: Labelled, *, seed: int, weights: Floats | None = None
) -> Predictions:
    """Train gradient-boosted trees and return their predictions for the test rows.

    Parameters
    ----------
    weights : float array of shape (n_train,), optional
        The weight of each training row.
    """
    # Imported here because scikit-learn uses 120 MB of memory, and only classifiers require it.
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    present = np.unique(train.truth)
    n_trees = len(present) if target.classes is not None and len(present) > 2 else 1
    n_rounds = min(N_ROUNDS, N_TREES_MAX // n_trees)
    learner = HistGradientBoostingRegressor if target.classes is None else HistGradientBoostingClassifier
    # `Any` is used because scikit-learn has no common base class for the two learners.
    model: Any = learner(
        max_iter=n_rounds,
        learning_rate=min(RATE_MAX, ROUNDS_TIMES_RATE / n_rounds),
        l2_regularization=1.0,
        early_stopping=False,
        max_bins=n_bins(train.features.shape[1]),
        random_state=seed % 2**32,
    )
    with one_thread():
        model.fit(train.features, train.truth, sample_weight=weights)
        if target.classes is None:
            return Predictions(model.predict(test.features), len(train.truth))
        # A class without training rows cannot be predicted, so its probability is always 0.
        probabilities = np.zeros((len(test.truth), len(target.labels)))
        probabilities[:, present.astype(np.int64)] = model.predict_proba(test.features)
    return Predictions(probabilities, len(train.truth))


def measure(target: Target, test: Labelled, predictions: Predictions) -> Estimate:
    """Return the AUC for a classification target, or the R² for a numeric target."""
    if target.classes is None:
        estimate = r2(predictions.values, test.truth)
    else:
        estimate = mean_area(predictions.values, test.classes)
    return replace(estimate, subjects=test.subjects)
