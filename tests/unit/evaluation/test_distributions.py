"""Tests that distributions in reports do not reveal single rows."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.evaluation.people import comparison
from understudy.evaluation.statistics.distributions import (
    N_ROWS_SHOWN_MIN,
    OTHER_LABEL,
    UNSEEN_LABEL,
    ColumnDistribution,
    distribution,
)


def shown(real: list[object], synthetic: list[object]) -> ColumnDistribution:
    return distribution(comparison(pa.table({"x": real}), pa.table({"x": synthetic})), 0)


def test_rare_categories_are_pooled() -> None:
    distribution = shown(["a"] * 50 + ["b"] * 5 + ["secret"] * 4, ["a", "secret", "made up", None])
    assert distribution.labels == ["a", "b", OTHER_LABEL, UNSEEN_LABEL, "missing"]
    assert distribution.synthetic == [0.25, 0, 0.25, 0.25, 0.25]
    assert distribution.real[2] == pytest.approx(4 / 59, abs=1e-6)


def test_extreme_values_are_not_bin_edges() -> None:
    distribution = shown([*np.arange(1000.0), 123_456.789], [5.0])
    assert max(distribution.edges) <= 1000
    assert sum(distribution.real) == pytest.approx(1)


def test_distribution_of_a_column_with_few_values_is_hidden() -> None:
    distribution = shown([1.5] * 19, [1.5])
    assert (distribution.form, distribution.edges, distribution.real) == ("hidden", [], [])


def test_whole_numbers_are_centered_in_their_bins() -> None:
    distribution = shown([1, 2, 3] * 10, [2])
    assert distribution.edges == [0.5, 1.5, 2.5, 3.5]
    assert distribution.synthetic == [0, 1, 0]


def test_dates_have_bins_of_whole_days() -> None:
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(300)]
    distribution = shown(list(days), list(days[:5]))
    assert {
        (right - left) % 86_400
        for left, right in zip(distribution.edges, distribution.edges[1:], strict=False)
    } == {0}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e12, 1e12) | st.just(0.0), min_size=20, max_size=200),
    st.lists(st.floats(allow_nan=True), min_size=1, max_size=20),
)
def test_every_bin_represents_several_real_rows_or_none(real: list[float], synthetic: list[float]) -> None:
    distribution = shown(list(real), list(synthetic))
    counts = np.rint(np.array(distribution.real) * len(real))
    assert all(count == 0 or count >= N_ROWS_SHOWN_MIN for count in counts)
    assert counts.sum() == len(real)
    assert all(left < right for left, right in zip(distribution.edges, distribution.edges[1:], strict=False))
