"""Train-on-synthetic-test-on-real (TSTR): the score on real rows of a model trained on synthetic rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.metrics import r2_score, roc_auc_score

from benchmarks.engine.judges.boosting import make_classifier, make_regressor
from benchmarks.engine.judges.features import encode, is_text


def train_test_score(train: pa.Table, test: pa.Table, target: str, *, seed: int) -> float:
    """Return the score of XGBoost on the test rows: ROC AUC for a binary target, R² for a numeric one.

    Parameters
    ----------
    train, test : pyarrow.Table
        Training and test rows. Rows without a target value are ignored.
    """
    train, test = (table.filter(pc.is_valid(table[target])) for table in (train, test))
    at = train.column_names.index(target)
    (x_train, y_train), (x_test, y_test) = (
        (np.delete(matrix, at, axis=1), matrix[:, at]) for matrix in encode([train, test])
    )
    if not is_text(train.schema.field(target).type):
        model = make_regressor(seed).fit(x_train, y_train)
        return float(r2_score(y_test, model.predict(x_test)))
    if len(np.unique(y_train)) < 2:
        return 0.5
    is_second = y_train == y_test.max()
    model = make_classifier(seed).fit(x_train, is_second)
    return float(roc_auc_score(y_test == y_test.max(), model.predict_proba(x_test)[:, 1]))
