"""Classifier two-sample tests: how well a classifier separates real and synthetic rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.engine.judges.boosting import make_classifier
from benchmarks.engine.judges.features import categorical, encode

N_FOLDS = 3
# Maximum number of linear-classifier features for a categorical column. The rarest categories share one of
# these features.
N_LEVELS_MAX = 50


def auc_boosted(real: pa.Table, synthetic: pa.Table, *, seed: int) -> float:
    """Return the out-of-fold ROC AUC of XGBoost, which is 0.5 if the tables are indistinguishable."""
    return out_of_fold_auc(make_classifier(seed), *encode([real, synthetic]), seed=seed)


def auc_linear(real: pa.Table, synthetic: pa.Table, *, seed: int) -> float:
    """Return the out-of-fold ROC AUC of a logistic regression on standardized columns."""
    return out_of_fold_auc(_linear_classifier(real), *encode([real, synthetic]), seed=seed)


def out_of_fold_auc(
    classifier: Any, real: npt.NDArray[np.float64], synthetic: npt.NDArray[np.float64], *, seed: int
) -> float:
    """Return the ROC AUC over all rows. A row is scored by a model that was trained without this row."""
    features = np.concatenate([real, synthetic])
    labels = np.repeat([0, 1], [len(real), len(synthetic)])
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    scores = cross_val_predict(classifier, features, labels, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(labels, scores))


def _linear_classifier(table: pa.Table) -> Any:
    is_word = categorical(table)
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    words = OneHotEncoder(max_categories=N_LEVELS_MAX, handle_unknown="infrequent_if_exist")
    columns = make_column_transformer((numbers, np.flatnonzero(~is_word)), (words, np.flatnonzero(is_word)))
    return make_pipeline(columns, LogisticRegression(max_iter=1_000))
