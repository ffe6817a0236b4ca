"""Faults that occurred with real tables, each on a small input made after them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

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


@pytest.mark.parametrize("file", ["url.csv", "url_na.csv"])
def test_c11_urls_of_few_values_stay_urls(fit_and_sample: FitAndSample, file: str):
    referrers = fit_and_sample(FOLDER / "c11-url-of-few-values" / file, 260).column("referrer")
    present = [text for text in referrers if text not in ("", "N/A")]
    starts = tuple(f"https://example.{end}/" for end in ("com", "net", "org"))
    assert all(text.startswith(starts) for text in present)
    # About half of the values are missing. Four standard deviations of 260 draws are 0.13.
    assert abs(len(present) / len(referrers) - 0.5) < 0.15


def test_c17_request_ids_in_a_column_called_addr_keep_their_pattern(fit_and_sample: FitAndSample):
    path = FOLDER / "c17-header-word-makes-an-address" / "log.csv"
    for text in fit_and_sample(path, 50).column("addr"):
        prefix, first, second = text.split("-")
        assert (prefix, len(first), len(second)) == ("req", 8, 4)


@pytest.mark.parametrize("holdout", [(), ("--holdout", "hold.csv")], ids=["no holdout", "holdout"])
def test_c05_fresh_rows_of_few_levels_are_not_copies(outcomes: Outcomes, holdout: tuple[str, ...]):
    folder = FOLDER / "c05-exact-copies-false-fail"
    options = [str(folder / option) if option.endswith(".csv") else option for option in holdout]
    assert outcomes(folder / "real.csv", folder / "fresh.csv", *options)["exact_copies"] == "pass"
    assert outcomes(folder / "real.csv", folder / "real.csv", *options)["exact_copies"] == "fail"


def test_c21_sequential_keys_differ_between_seeds_and_the_output_names_the_next_options(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    model, sample = tmp_path / "m.model", tmp_path / "sample.csv"
    table = FOLDER / "c21-sequential-ids-collide" / "table.csv"
    assert run(["fit", str(table), "-o", str(model), "--seed", "1"]) in (None, 0)

    def keys(*options: str) -> set[str]:
        capfd.readouterr()
        assert run(["sample", str(model), "-n", "100", "-o", str(sample), *options]) in (None, 0)
        with sample.open(newline="") as file:
            return {row["id"] for row in csv.DictReader(file)}

    samples = [keys("--seed", str(seed)) for seed in range(2, 7)]
    assert "--seed 6 --offset 100" in capfd.readouterr().out
    assert len(set.union(*samples)) == 500
    numbered = [keys("--id-start", str(100 * i)) for i in range(5)]
    assert "--id-start 500" in capfd.readouterr().out
    assert len(set.union(*numbered)) == 500
