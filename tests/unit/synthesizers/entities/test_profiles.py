"""Tests that the rows of a sampled entity are as similar to each other as in the table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import understudy
from tests.unit.synthesizers.entities.tables import IDENTIFIER, fitted
from understudy.synthesizers.entities.profiles import draw_typical, measure_similarity

N_PATIENTS = 300


def visits() -> pd.DataFrame:
    """Return visits of patients with stable weights, usual wards and unrelated temperatures."""
    rng = np.random.default_rng(5)
    patient = np.repeat(np.arange(N_PATIENTS), rng.integers(1, 9, N_PATIENTS))
    n = len(patient)
    weight = rng.normal(78, 14, N_PATIENTS)[patient] + rng.normal(0, 4, n)
    wards = np.array(["A", "B", "C", "D", "E"])
    usual = rng.choice(wards, N_PATIENTS, p=[0.4, 0.3, 0.15, 0.1, 0.05])[patient]
    return pd.DataFrame(
        {
            "patient": [f"P{7 * number + 10_000}" for number in patient],
            "weight": weight.round(1),
            "ward": np.where(rng.random(n) < 0.85, usual, rng.choice(wards, n)),
            "temperature": rng.normal(36.8, 0.4, n).round(1),
        }
    )


@pytest.fixture(scope="module")
def model() -> understudy.Model:
    return fitted(visits(), {"patient": IDENTIFIER}, synthesizer="fast")


def correlation(table: pd.DataFrame, column: str) -> float:
    """Return the intraclass correlation of a column."""
    codes, entities = (
        np.asarray(table[name].rank(method="dense") - 1, np.int64) for name in (column, "patient")
    )
    is_ordinal = pd.api.types.is_numeric_dtype(table[column])
    return measure_similarity(codes.astype(np.uint16), entities, is_ordinal=is_ordinal).share


@pytest.mark.parametrize("column", ["weight", "ward", "temperature"])
def test_rows_of_an_entity_are_as_similar_as_in_the_table(model: understudy.Model, column: str) -> None:
    # The tolerance is four standard errors of the correlation between the rows of 300 entities.
    sampled = model.sample(len(visits()), seed=2)
    assert correlation(sampled, column) == pytest.approx(correlation(visits(), column), abs=0.1)


def test_internal_columns_of_typical_values_are_not_part_of_samples(model: understudy.Model) -> None:
    assert list(model.sample(5, seed=2).columns) == list(visits().columns)


@pytest.mark.parametrize("is_ordinal", [True, False])
def test_typical_values_correlate_with_rows_as_expected(is_ordinal: bool) -> None:
    rng = np.random.default_rng(3)
    entities = np.repeat(np.arange(4000), 2)
    drawn = rng.standard_normal(4000)[entities] + rng.standard_normal(8000)
    codes = (np.digitize(drawn, np.linspace(-3, 3, 50)) if is_ordinal else np.int64(drawn > 1)).astype(
        np.uint16
    )
    share = measure_similarity(codes, entities, is_ordinal=is_ordinal).share
    typical = draw_typical(codes, entities, share, rng, is_ordinal=is_ordinal)
    # The correlation of a row with the typical value is the square root of the correlation between two rows.
    own = np.corrcoef(codes, typical[entities])[0, 1]
    assert abs(own) == pytest.approx(np.sqrt(share), abs=0.05)


def test_no_similarity_is_measured_between_unrelated_rows() -> None:
    rng = np.random.default_rng(4)
    entities = np.repeat(np.arange(500), 4)
    for is_ordinal in (True, False):
        codes = rng.integers(0, 6, 2000).astype(np.uint16)
        assert not measure_similarity(codes, entities, is_ordinal=is_ordinal).is_relevant
