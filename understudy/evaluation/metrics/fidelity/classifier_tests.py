"""Common parts of the classifier two-sample tests: rows, folds and results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable
from understudy.evaluation.metrics.base import MetricResult
from understudy.evaluation.models.classifiers import n_rows_learned
from understudy.evaluation.statistics.auc import auc, auc_standard_error, interval
from understudy.tables.splitmix import mix64

N_ROWS_MIN = 50
N_FOLDS = 3
# With fewer subjects, a fold could lack a class or consist of one subject. Rows are then assigned to
# folds independently of their subject.
N_SUBJECTS_MIN = 30
# Maximum number of rows that are used to compute the importance of columns. With this number of rows, the
# standard error of the AUC is below 0.01.
N_ROWS_IMPORTANCE = 4_000
# Maximum number of identical rows that share a fold. If a row occurs more often, its copies are assigned to
# folds individually.
N_COPIES_MAX = 20
N_ROWS_SHOWN = 20
N_POINTS_SHOWN = 50

Floats = NDArray[np.float64]
# Function that returns the feature matrix for each table and the slice of features for each column.
MakeFeatures = Callable[[Comparison, Sequence[EncodedTable]], tuple[list[Floats], list[slice]]]
# `Any` is used because scikit-learn has no type annotations.
Fit = Callable[[Floats, NDArray[np.bool_], int], Any]


class DistinguishingColumn(BaseModel):
    """Importance of one column for the classifier."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    auc_lost: Annotated[
        float, Field(description="Decrease in the AUC when the values of this column are shuffled.")
    ]


class DistinguishingRow(BaseModel):
    """A row that the classifier identified as synthetic with high confidence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: Annotated[int, Field(description="Position of the row in the synthetic table, counted from 0.")]
    score: Annotated[float, Field(description="Estimated probability that the row is synthetic.")]


class ClassifierTestResult(MetricResult):
    """AUC of a classifier that classifies rows as real or synthetic."""

    classifier: str
    giveaways: Annotated[
        list[DistinguishingColumn],
        Field(description="Columns, most important for the classifier first. Empty for baselines."),
    ]
    rows: Annotated[
        list[DistinguishingRow],
        Field(
            description="Rows that the classifier identifies as synthetic with the highest confidence. Empty "
            "for baselines."
        ),
    ]
    curve: Annotated[
        list[tuple[float, float]],
        Field(
            description="ROC curve: shares of real and of synthetic rows that are classified as synthetic."
        ),
    ]


@dataclass(frozen=True)
class Discriminator:
    """A classifier with its features and its maximum number of rows per table."""

    purpose: str
    n_rows_max: int
    make_features: MakeFeatures
    fit: Fit


@dataclass(frozen=True)
class Rows:
    """Features and folds of the rows of both tables, real rows first.

    Parameters
    ----------
    features : float array of shape (n_rows, n_features)
    parts : list of slice
        Features of each column.
    is_synthetic, folds : array of shape (n_rows,)
    positions : int array of shape (n_synthetic,)
        Positions of the synthetic rows in their table.
    n_units : (int, int)
        Number of subjects in each table, or number of rows if no subject is declared.
    """

    features: Floats
    parts: list[slice]
    is_synthetic: NDArray[np.bool_]
    folds: NDArray[np.int64]
    positions: NDArray[np.int64]
    n_units: tuple[int, int]


def n_rows_tested(comparison: Comparison, discriminator: Discriminator) -> int:
    """Return the number of rows that the test uses from each table."""
    most = n_rows_learned(discriminator.n_rows_max, len(comparison.columns))
    return min(comparison.real.n_rows, comparison.synthetic.n_rows, most)


def run_test(comparison: Comparison, discriminator: Discriminator) -> dict[str, Any]:
    """Return the fields of the result except `classifier`.

    Notes
    -----
    Both tables contribute the same number of rows. Equal rows are in the same fold. Otherwise, a copied row
    would have one label in training and the other label in the test, and copies would push the AUC below 0.5.
    The rows of a subject are also in the same fold, because similar rows of the subject in the training folds
    would reveal that a row is real.
    """
    n_rows = n_rows_tested(comparison, discriminator)
    rows = _rows(comparison, discriminator, n_rows)
    folds = [rows.folds == fold for fold in range(N_FOLDS)]
    models = [
        discriminator.fit(rows.features[~fold], rows.is_synthetic[~fold], comparison.seed) for fold in folds
    ]
    scores = np.empty(len(rows.folds))
    for fold, model in zip(folds, models, strict=True):
        scores[fold] = model.decision_function(rows.features[fold])
    area = float(np.mean([_area(scores[fold], rows.is_synthetic[fold]) for fold in folds]))
    is_named = not comparison.is_reference
    return {
        "score": area,
        "interval": interval(area, auc_standard_error(area, *rows.n_units), 0.0, 1.0),
        "giveaways": _giveaways(comparison, discriminator, models[0], rows) if is_named else [],
        "rows": _most_confident(scores[rows.is_synthetic], rows.positions) if is_named else [],
        "curve": _curve(scores[~rows.is_synthetic], scores[rows.is_synthetic]),
        "n_rows": {"real": n_rows, "synthetic": n_rows},
    }


def _rows(comparison: Comparison, discriminator: Discriminator, n_rows: int) -> Rows:
    rng = comparison.rng(discriminator.purpose)
    real, synthetic = comparison.real.draw(n_rows, rng), comparison.synthetic.draw(n_rows, rng)
    features, parts = discriminator.make_features(comparison, [real, synthetic])
    folds = _folds([real, synthetic], rng)
    is_synthetic = np.repeat([False, True], n_rows)
    n_units = (real.n_units, synthetic.n_units)
    return Rows(np.concatenate(features), parts, is_synthetic, folds, synthetic.rows, n_units)


def _folds(tables: Sequence[EncodedTable], rng: np.random.Generator) -> NDArray[np.int64]:
    """Assign rows to folds. Identical rows share a fold, and the rows of a subject share a fold.

    If a fold would then contain no rows of one of the tables, equal rows do not have to share a fold.
    """
    folds = np.concatenate([_folds_in_turn(table, rng) for table in tables])
    hashes = np.concatenate([table.row_hashes[table.rows] for table in tables])
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    n_copies = counts[inverse]
    is_copied = (n_copies > 1) & (n_copies <= N_COPIES_MAX)
    shared = folds.copy()
    shared[is_copied] = (mix64(hashes[is_copied]) % np.uint64(N_FOLDS)).astype(np.int64)
    table_of = np.repeat(np.arange(len(tables)), [table.n_rows for table in tables])
    n_rows = np.bincount(shared * len(tables) + table_of, minlength=N_FOLDS * len(tables))
    return shared if n_rows.all() else folds


def _folds_in_turn(table: EncodedTable, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return folds of equal size, which consist of whole subjects if there are enough subjects."""
    numbers, n = np.arange(table.n_rows), table.n_rows
    if table.n_units >= N_SUBJECTS_MIN:
        numbers, n = np.unique(table.units, return_inverse=True)[1], table.n_units
    folds = np.empty(n, dtype=np.int64)
    folds[rng.permutation(n)] = np.arange(n) % N_FOLDS
    return np.asarray(folds[numbers])


def _area(scores: Floats, is_synthetic: NDArray[np.bool_]) -> float:
    return auc(scores[is_synthetic], scores[~is_synthetic])


def _giveaways(
    comparison: Comparison, discriminator: Discriminator, model: Any, rows: Rows
) -> list[DistinguishingColumn]:
    """Return the columns, ordered by the decrease in the first fold's AUC when each column is shuffled."""
    rng = comparison.rng(f"{discriminator.purpose} giveaways")
    test = rng.permutation(np.flatnonzero(rows.folds == 0))[:N_ROWS_IMPORTANCE]
    features, labels = rows.features[test], rows.is_synthetic[test]
    whole = _area(model.decision_function(features), labels)
    result = []
    for column, part in zip(comparison.columns, rows.parts, strict=True):
        shuffled = features.copy()
        shuffled[:, part] = features[rng.permutation(len(test)), part]
        lost = whole - _area(model.decision_function(shuffled), labels)
        result.append(DistinguishingColumn(column=column.name, auc_lost=lost))
    return sorted(result, key=lambda giveaway: -giveaway.auc_lost)


def _most_confident(scores: Floats, positions: NDArray[np.int64]) -> list[DistinguishingRow]:
    # Imported here because SciPy is slow to load, and listing the metrics does not require it.
    from scipy.special import expit

    first = np.argsort(-scores, kind="stable")[:N_ROWS_SHOWN]
    return [DistinguishingRow(row=int(positions[i]), score=round(float(expit(scores[i])), 4)) for i in first]


def _curve(real: Floats, synthetic: Floats) -> list[tuple[float, float]]:
    """Return points of the ROC curve with the same number of real rows between them."""
    ordered_real, ordered_synthetic = np.sort(real), np.sort(synthetic)
    # About one fiftieth of the real rows lie between two adjacent points. No row is classified as synthetic
    # at the first point, and every row is classified as synthetic at the last point.
    shares = np.linspace(0, 1, N_POINTS_SHOWN - 1)
    bounds = np.unique(np.quantile(ordered_real, shares, method="inverted_cdf"))
    bounds[0] = -np.inf
    alarms, hits = (
        1 - np.searchsorted(ordered, bounds, side="left") / len(ordered)
        for ordered in (ordered_real, ordered_synthetic)
    )
    points = zip(alarms[::-1], hits[::-1], strict=True)
    return [(0.0, 0.0), *((round(float(x), 4), round(float(y), 4)) for x, y in points)]
