"""Faults that occurred with real tables, each on a small input made after them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
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
Outcomes = Callable[..., dict[str, str]]


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


@pytest.fixture
def outcomes(capfd: pytest.CaptureFixture[str]) -> Outcomes:
    """Return a function that evaluates two files and returns the outcome of each check by metric."""

    def result(real: Path, synthetic: Path, *options: str) -> dict[str, str]:
        run(["evaluate", str(real), str(synthetic), "--json", *options])
        checks = json.loads(capfd.readouterr().out)["verdict"]["checks"]
        return {check["metric"]: check["outcome"] for check in checks}

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


def test_c04_report_notices_wrong_stays(outcomes: Outcomes, tmp_path: Path):
    path = FOLDER / "c04-report-blind-to-gap" / "visits.csv"
    visits = read_table(path)
    n = visits.num_rows
    # Sixteen neighbours in the order of discharge are about three days apart.
    order = pc.sort_indices(visits.column("discharged")).to_numpy()
    rows = visits.take(pa.array(order[: n - n % 16]))
    moved = np.random.default_rng(1).permuted(order[: n - n % 16].reshape(-1, 16), axis=1).ravel()
    shuffled = rows.set_column(1, "discharged", visits.column("discharged").take(pa.array(moved)))
    pacsv.write_csv(shuffled, tmp_path / "shuffled.csv")
    halves = np.random.default_rng(2).permutation(n).reshape(2, -1)
    for name, half in zip(("real", "fresh"), halves, strict=True):
        pacsv.write_csv(visits.take(pa.array(half)), tmp_path / f"{name}.csv")
    assert outcomes(path, tmp_path / "shuffled.csv")["paired_differences"] == "warn"
    assert outcomes(tmp_path / "real.csv", tmp_path / "fresh.csv")["paired_differences"] == "pass"


@pytest.mark.parametrize("holdout", [(), ("--holdout", "hold.csv")], ids=["no holdout", "holdout"])
def test_c05_fresh_rows_of_few_levels_are_not_copies(outcomes: Outcomes, holdout: tuple[str, ...]):
    folder = FOLDER / "c05-exact-copies-false-fail"
    options = [str(folder / option) if option.endswith(".csv") else option for option in holdout]
    assert outcomes(folder / "real.csv", folder / "fresh.csv", *options)["exact_copies"] == "pass"
    assert outcomes(folder / "real.csv", folder / "real.csv", *options)["exact_copies"] == "fail"
