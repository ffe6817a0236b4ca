"""Faults that occurred with real tables, each on a small input made after them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from understudy.cli.application import run
from understudy.tables.formats import read_table

FOLDER = Path(__file__).parent


class Result(NamedTuple):
    """The rows of a sample as a CSV file contains them, and the messages of `understudy fit`."""

    rows: list[dict[str, str]]
    messages: str

    def column(self, name: str) -> list[str]:
        """Return the fields of a column."""
        return [row[name] for row in self.rows]


FitAndSample = Callable[..., Result]


@pytest.fixture
def fit_and_sample(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> FitAndSample:
    """Return a function that fits a model on a file, samples from it, and returns the result."""

    def result(path: Path, n_rows: int, *options: str) -> Result:
        model, sample = tmp_path / "m.model", tmp_path / "sample.csv"
        assert run(["fit", str(path), "-o", str(model), "--seed", "1", *options]) in (None, 0)
        messages = capfd.readouterr().err
        assert run(["sample", str(model), "-n", str(n_rows), "-o", str(sample), "--seed", "2"]) in (None, 0)
        with sample.open(newline="") as file:
            return Result(list(csv.DictReader(file)), messages)

    return result


@pytest.mark.parametrize(
    ("file", "column", "type_", "n_missing"),
    [
        ("miss_slash.csv", "left", pa.date32(), 20),
        ("eu_ts_miss.csv", "zeit", pa.timestamp("s"), 25),
        ("slash_y_miss.csv", "zeit", pa.date32(), 25),
    ],
)
def test_c01_local_dates_with_missing_values_are_fitted(
    fit_and_sample: FitAndSample, file: str, column: str, type_: pa.DataType, n_missing: int
):
    path = FOLDER / "c01-date-missing-crash" / file
    stored = read_table(path).column(column)
    assert (stored.type, stored.null_count) == (type_, n_missing)
    assert len(fit_and_sample(path, 50).rows) == 50


@pytest.mark.parametrize(
    ("file", "first", "second"),
    [("meter.csv", "meter_start", "meter_end"), ("visits.csv", "admitted", "discharged")],
)
def test_c03_columns_that_belong_together_keep_their_difference(
    fit_and_sample: FitAndSample, file: str, first: str, second: str
):
    path = FOLDER / "c03-start-end-gap-lost" / file
    with path.open(newline="") as opened:
        real = _differences(list(csv.DictReader(opened)), first, second)
    synthetic = _differences(fit_and_sample(path, 10_000).rows, first, second)
    for share in (0.5, 0.99):
        expected = np.quantile(real, share)
        assert abs(np.quantile(synthetic, share) - expected) <= 0.15 * expected
    assert min(real) <= min(synthetic)
    assert max(synthetic) <= max(real)


def _differences(rows: list[dict[str, str]], first: str, second: str) -> list[float]:
    """Return the differences of numbers, or of times in minutes."""
    if "-" not in rows[0][first]:
        return [float(row[second]) - float(row[first]) for row in rows]
    times = ((datetime.fromisoformat(row[second]), datetime.fromisoformat(row[first])) for row in rows)
    return [(end - start).total_seconds() / 60 for end, start in times]
