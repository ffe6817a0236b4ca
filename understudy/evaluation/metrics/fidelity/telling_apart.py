"""What two-sample tests by classifiers share: rows, folds, and what is said of the outcome."""

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
from understudy.evaluation.models.classifiers import n_rows_learnt
from understudy.evaluation.statistics.auc import auc, auc_standard_error, interval
from understudy.tables.splitmix import mix64

N_ROWS_MIN = 50
N_FOLDS = 3
# Of fewer subjects, a fold could lack a class or be one subject's: then rows go into folds by themselves.
N_SUBJECTS_MIN = 30
# Rows on which the columns' importance is measured: enough for an AUC's standard error under 0.01.
N_ROWS_IMPORTANCE = 4_000
# A row that occurs oftener than this says more by its frequency than by its neighbours.
N_COPIES_MAX = 20
N_ROWS_SHOWN = 20
N_POINTS_SHOWN = 50

Floats = NDArray[np.float64]
# Returns the features of tables side by side, and which of them each column became.
MakeFeatures = Callable[[Comparison, Sequence[EncodedTable]], tuple[list[Floats], list[slice]]]
# Any: scikit-learn has no types.
Fit = Callable[[Floats, NDArray[np.bool_], int], Any]


class DistinguishingColumn(BaseModel):
    """How much one column helps to tell the tables apart."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    auc_lost: Annotated[float, Field(description="Fall of the AUC when this column's values are shuffled.")]


class DistinguishingRow(BaseModel):
    """A synthetic row that gave itself away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: Annotated[int, Field(description="Its position in the synthetic table, from 0.")]
    score: Annotated[float, Field(description="How sure the classifier is that it is synthetic, 0 … 1.")]


class TellingApart(MetricResult):
    """AUC of a classifier that was asked which rows are synthetic."""

    classifier: str
    giveaways: Annotated[
        list[DistinguishingColumn],
        Field(description="Columns, most telling first; of the synthetic table only."),
    ]
    rows: Annotated[
        list[DistinguishingRow], Field(description="Rows, most telling first; of the synthetic table only.")
    ]
    curve: Annotated[
        list[tuple[float, float]],
        Field(description="ROC curve: share of real rows and of synthetic ones that are called synthetic."),
    ]


@dataclass(frozen=True)
class Detective:
    """A classifier, and what it looks at."""

    purpose: str
    n_rows_max: int
    make_features: MakeFeatures
    fit: Fit


@dataclass(frozen=True)
class Rows:
    """Real rows above synthetic ones; the folds that they belong to, and where each synthetic row stands.

    `n_units` are the numbers of subjects, or of rows, of both tables.
    """

    features: Floats
    parts: list[slice]
    is_synthetic: NDArray[np.bool_]
    folds: NDArray[np.int64]
    positions: NDArray[np.int64]
    n_units: tuple[int, int]


def n_rows_asked(comparison: Comparison, detective: Detective) -> int:
    """Return how many rows of each table are asked about."""
    most = n_rows_learnt(detective.n_rows_max, len(comparison.columns))
    return min(comparison.real.n_rows, comparison.synthetic.n_rows, most)


def ask(comparison: Comparison, detective: Detective) -> dict[str, Any]:
    """Return the fields of the result, but for the classifier's name.

    Notes
    -----
    Both tables give equally many rows. Rows that are equal go into the same fold: else a copied row would be
    learnt with one label and asked for with the other, and copies would push the AUC below that of a coin.
    The rows of a subject go into the same fold, too: a row like the subject's others would be known as real.
    """
    n_rows = n_rows_asked(comparison, detective)
    rows = _rows(comparison, detective, n_rows)
    folds = [rows.folds == fold for fold in range(N_FOLDS)]
    models = [
        detective.fit(rows.features[~fold], rows.is_synthetic[~fold], comparison.seed) for fold in folds
    ]
    scores = np.empty(len(rows.folds))
    for fold, model in zip(folds, models, strict=True):
        scores[fold] = model.decision_function(rows.features[fold])
    area = float(np.mean([_area(scores[fold], rows.is_synthetic[fold]) for fold in folds]))
    is_named = not comparison.is_reference
    return {
        "score": area,
        "interval": interval(area, auc_standard_error(area, *rows.n_units), 0.0, 1.0),
        "giveaways": _giveaways(comparison, detective, models[0], rows) if is_named else [],
        "rows": _most_telling(scores[rows.is_synthetic], rows.positions) if is_named else [],
        "curve": _curve(scores[~rows.is_synthetic], scores[rows.is_synthetic]),
        "n_rows": {"real": n_rows, "synthetic": n_rows},
    }


def _rows(comparison: Comparison, detective: Detective, n_rows: int) -> Rows:
    rng = comparison.rng(detective.purpose)
    real, synthetic = comparison.real.draw(n_rows, rng), comparison.synthetic.draw(n_rows, rng)
    features, parts = detective.make_features(comparison, [real, synthetic])
    folds = _folds([real, synthetic], rng)
    is_synthetic = np.repeat([False, True], n_rows)
    n_units = (real.n_units, synthetic.n_units)
    return Rows(np.concatenate(features), parts, is_synthetic, folds, synthetic.rows, n_units)


def _folds(tables: Sequence[EncodedTable], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a fold for each row: the same for equal rows and for the rows of a subject, else in turn."""
    folds = np.concatenate([_folds_in_turn(table, rng) for table in tables])
    hashes = np.concatenate([table.row_hashes[table.rows] for table in tables])
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    n_copies = counts[inverse]
    is_copied = (n_copies > 1) & (n_copies <= N_COPIES_MAX)
    folds[is_copied] = (mix64(hashes[is_copied]) % np.uint64(N_FOLDS)).astype(np.int64)
    return folds


def _folds_in_turn(table: EncodedTable, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return folds that are alike in size: of subjects, if there are enough of them to fill the folds."""
    numbers, n = np.arange(table.n_rows), table.n_rows
    if table.n_units >= N_SUBJECTS_MIN:
        numbers, n = np.unique(table.units, return_inverse=True)[1], table.n_units
    folds = np.empty(n, dtype=np.int64)
    folds[rng.permutation(n)] = np.arange(n) % N_FOLDS
    return np.asarray(folds[numbers])


def _area(scores: Floats, is_synthetic: NDArray[np.bool_]) -> float:
    return auc(scores[is_synthetic], scores[~is_synthetic])


def _giveaways(
    comparison: Comparison, detective: Detective, model: Any, rows: Rows
) -> list[DistinguishingColumn]:
    """Return the columns by how much the first fold's AUC falls when each is shuffled."""
    rng = comparison.rng(f"{detective.purpose} giveaways")
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


def _most_telling(scores: Floats, positions: NDArray[np.int64]) -> list[DistinguishingRow]:
    # Loaded here: scipy is slow to load, and the API lists metrics without it.
    from scipy.special import expit

    first = np.argsort(-scores, kind="stable")[:N_ROWS_SHOWN]
    return [DistinguishingRow(row=int(positions[i]), score=round(float(expit(scores[i])), 4)) for i in first]


def _curve(real: Floats, synthetic: Floats) -> list[tuple[float, float]]:
    """Return points of the ROC curve, equally many real rows apart."""
    ordered, found = np.sort(real), np.sort(synthetic)
    # Every point stands for a fiftieth of the rows; the first calls nothing synthetic, the last everything.
    bounds = np.unique(np.quantile(ordered, np.linspace(0, 1, N_POINTS_SHOWN - 1), method="inverted_cdf"))
    bounds[0] = -np.inf
    alarms, hits = (1 - np.searchsorted(part, bounds, side="left") / len(part) for part in (ordered, found))
    points = zip(alarms[::-1], hits[::-1], strict=True)
    return [(0.0, 0.0), *((round(float(x), 4), round(float(y), 4)) for x, y in points)]
