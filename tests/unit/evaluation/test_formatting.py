"""Tests for formatting numbers and times."""

from __future__ import annotations

import pytest

from understudy.evaluation.page import formatting
from understudy.tables.schema import ColumnKind

DAY = 86_400.0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (2013, "2013"),
        (0.125, "0.125"),
        (12_500, "12.5k"),
        (3e6, "3M"),
        (-4, "\u22124"),
        (1e20, "1e20"),
    ],
)
def test_numbers_are_shown_with_few_digits(value: float, text: str) -> None:
    assert formatting.number(value) == text


@pytest.mark.parametrize(
    ("kind", "edges", "labels"),
    [
        (ColumnKind.date, [0.0, 30 * DAY], ["1970-01-01", "1970-01-31"]),
        (ColumnKind.date, [0.0, 3650 * DAY], ["1970-01", "1979-12"]),
        (ColumnKind.timestamp, [0.0, 7200.0], ["00:00", "02:00"]),
        (ColumnKind.time, [0.0, 43_230.0], ["00:00", "12:00:30"]),
        (ColumnKind.duration, [0.0, 7200.0], ["0 min", "120 min"]),
        (ColumnKind.duration, [0.0, 90.0], ["0 s", "90 s"]),
        (ColumnKind.float, [0.0, 0.5], ["0", "0.5"]),
    ],
)
def test_bin_edges_are_labeled_in_the_unit_of_their_kind(
    kind: ColumnKind, edges: list[float], labels: list[str]
) -> None:
    assert formatting.edge_labels(edges, kind) == labels


def test_small_share_is_not_shown_as_zero() -> None:
    assert formatting.percent(0.00001) == "< 0.1%"
    assert formatting.percent(0) == "0.0%"


def test_scores_are_shown_in_the_unit_of_their_metric() -> None:
    assert formatting.score(0.12345, "exact_copies") == "12.35%"
    assert formatting.score(-0.5, "two_sample") == "\u22120.500"
    assert formatting.score(None, "two_sample") == formatting.NONE
