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


def test_c06_header_below_other_lines_is_found(fit_and_sample: FitAndSample):
    path = FOLDER / "c06-preamble-read-as-one-column" / "preamble.csv"
    stored = read_table(path)
    assert stored.schema.names == ["date", "text", "amount", "balance"]
    assert stored.num_rows == 120
    result = fit_and_sample(path, 10)
    assert list(result.rows[0]) == stored.schema.names
    assert "line 5 was read as the header" in result.messages


@pytest.mark.parametrize(
    ("file", "message"),
    [("trail.csv", "Column 4 has neither"), ("trail_semi.csv", "Columns 4, 5 have neither")],
)
def test_c18_blank_columns_of_trailing_delimiters_are_dropped(
    fit_and_sample: FitAndSample, file: str, message: str
):
    path = FOLDER / "c18-trailing-delimiter" / file
    stored = read_table(path)
    assert stored.schema.names == ["date", "amount", "type"]
    assert stored.schema.types == [pa.date32(), pa.float64(), pa.string()]
    assert stored.num_rows == 120
    assert message in fit_and_sample(path, 10).messages


def test_c25_two_header_rows_are_joined(fit_and_sample: FitAndSample):
    path = FOLDER / "c25-two-header-rows" / "survey.csv"
    stored = read_table(path)
    assert stored.schema.names == [
        "RespondentID",
        *(f"Which have you seen? / Part {part}" for part in ("I", "II", "III")),
        "How old are you? / Response",
    ]
    assert stored.num_rows == 120
    result = fit_and_sample(path, 10)
    assert list(result.rows[0]) == stored.schema.names
    assert "Lines 1 to 2 were read as header rows" in result.messages


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
