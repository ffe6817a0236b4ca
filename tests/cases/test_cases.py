"""Regression tests for faults that occurred with real tables, each with a small reconstructed input."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime
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
    """The rows of a sample as written to CSV, and the messages of `understudy fit`."""

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
def test_c01_model_can_be_fitted_on_local_dates_with_missing_values(
    fit_and_sample: FitAndSample, file: str, column: str, type_: pa.DataType, n_missing: int
):
    path = FOLDER / "c01-date-missing-crash" / file
    stored = read_table(path).column(column)
    assert (stored.type, stored.null_count) == (type_, n_missing)
    assert len(fit_and_sample(path, 50).rows) == 50


def test_c04_report_detects_wrong_lengths_of_stay(outcomes: Outcomes, tmp_path: Path):
    path = FOLDER / "c04-report-blind-to-gap" / "visits.csv"
    visits = read_table(path)
    n = visits.num_rows
    # Sixteen consecutive rows, ordered by discharge, span about three days.
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


@pytest.mark.parametrize(
    ("file", "first", "second"),
    [("meter.csv", "meter_start", "meter_end"), ("visits.csv", "admitted", "discharged")],
)
def test_c03_differences_between_related_columns_are_preserved(
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
    """Return the differences between numbers, or the differences between times in minutes."""
    if "-" not in rows[0][first]:
        return [float(row[second]) - float(row[first]) for row in rows]
    times = ((datetime.fromisoformat(row[second]), datetime.fromisoformat(row[first])) for row in rows)
    return [(end - start).total_seconds() / 60 for end, start in times]


def test_c06_header_below_other_lines_is_detected(fit_and_sample: FitAndSample):
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
def test_c18_blank_columns_from_trailing_delimiters_are_dropped(
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


@pytest.mark.parametrize(
    ("file", "column", "pattern"),
    [
        ("d_mon_yyyy.csv", "hired", "%d-%b-%Y"),
        ("excel_m_d_yyyy_h_mm.csv", "ship", "%m/%d/%Y %H:%M"),
        ("iso_date_h_mm.csv", "ship", "%Y-%m-%d %H:%M"),
        ("m_d_yy.csv", "hired", "%m/%d/%y"),
        ("us_ampm.csv", "hired", "%m/%d/%Y %I:%M %p"),
        ("utc_suffix.csv", "hired", "%Y-%m-%d %H:%M:%S UTC"),
        ("yyyy_mm.csv", "hired", "%Y-%m"),
        ("zero_date.csv", "hired", "%Y-%m-%d"),
    ],
)
def test_c02_dates_keep_their_pattern_and_range(
    fit_and_sample: FitAndSample, file: str, column: str, pattern: str
):
    path = FOLDER / "c02-date-formats-become-ids" / file
    stored = read_table(path).column(column)
    sample = fit_and_sample(path, 200)
    assert f"Column {column!r} is generated" not in sample.messages
    first, last = (dates.as_py() for dates in pc.min_max(stored).values())
    for text in sample.column(column):
        if text != "0000-00-00":
            moment = datetime.strptime(text, pattern)  # noqa: DTZ007
            assert first.year <= moment.year <= last.year


def test_c02_zero_dates_are_read_as_missing(fit_and_sample: FitAndSample):
    path = FOLDER / "c02-date-formats-become-ids" / "zero_date.csv"
    assert read_table(path).column("hired").null_count == 7
    assert "7 values '0000-00-00' were read as missing" in fit_and_sample(path, 10).messages


def test_c12_amounts_are_read_as_numbers_and_keep_their_notation(fit_and_sample: FitAndSample):
    path = FOLDER / "c12-money-as-text" / "money.csv"
    sample = fit_and_sample(path, 500)
    for column, pattern in (
        ("price", r"\$\d{1,3}(,\d{3})*\.\d\d"),
        ("pct", r"\d+%"),
        ("acct", r"\(\d{1,3}(,\d{3})*\.\d\d\)|\d{1,3}(,\d{3})*\.\d\d"),
        ("eur", r"\d{1,3}( \d{3})*\.\d\d €"),
        ("kusd", r"\d+K"),
    ):
        assert all(re.fullmatch(pattern, text) for text in sample.column(column)), column
    accounts = [float(re.sub("[,()]", "", text)) for text in sample.column("acct")]
    assert accounts == [float(re.sub("[$,]", "", text)) for text in sample.column("price")]
    real = sorted(read_table(path).column("price").to_pylist())
    drawn = sorted(float(re.sub("[$,]", "", text)) for text in sample.column("price"))
    # The standard error of the median is about 10% for 500 values with this spread.
    assert drawn[250] == pytest.approx(real[len(real) // 2], rel=0.3)


def test_c14_question_marks_among_numbers_are_read_as_missing(fit_and_sample: FitAndSample):
    path = FOLDER / "c14-question-mark-is-missing" / "thyroid_like.csv"
    stored = read_table(path)
    assert stored.schema.field("tsh").type == pa.float64()
    sample = fit_and_sample(path, 500)
    assert f"'tsh': {stored.column('tsh').null_count} values '?' were read as missing" in sample.messages
    assert "?" in sample.column("tsh")
    assert all(text == "?" or float(text) >= 0 for text in sample.column("tsh"))


def test_c27_numbers_with_thousands_commas_are_read_and_their_totals_stay_correct(
    fit_and_sample: FitAndSample,
):
    path = FOLDER / "c27-thousands-commas-and-state-codes" / "states.csv"
    stored = read_table(path)
    assert [stored.schema.field(name).type for name in ("Grants", "Loans", "TOTAL")] == [pa.int64()] * 3
    for row in fit_and_sample(path, 26).rows:
        grants, loans, total = (int(row[name].replace(",", "")) for name in ("Grants", "Loans", "TOTAL"))
        assert total == grants + loans


@pytest.mark.parametrize("file", ["url.csv", "url_na.csv"])
def test_c11_column_with_few_distinct_urls_stays_a_url_column(fit_and_sample: FitAndSample, file: str):
    referrers = fit_and_sample(FOLDER / "c11-url-of-few-values" / file, 260).column("referrer")
    present = [text for text in referrers if text not in ("", "N/A")]
    starts = tuple(f"https://example.{end}/" for end in ("com", "net", "org"))
    assert all(text.startswith(starts) for text in present)
    # About half of the values are missing. Four standard deviations of this share among 260 rows are 0.13.
    assert abs(len(present) / len(referrers) - 0.5) < 0.15


def test_c17_request_ids_in_a_column_called_addr_keep_their_pattern(fit_and_sample: FitAndSample):
    path = FOLDER / "c17-header-word-makes-an-address" / "log.csv"
    for text in fit_and_sample(path, 50).column("addr"):
        prefix, first, second = text.split("-")
        assert (prefix, len(first), len(second)) == ("req", 8, 4)


@pytest.mark.parametrize("holdout", [(), ("--holdout", "hold.csv")], ids=["no holdout", "holdout"])
def test_c05_fresh_rows_of_columns_with_few_levels_are_not_counted_as_copies(
    outcomes: Outcomes, holdout: tuple[str, ...]
):
    folder = FOLDER / "c05-exact-copies-false-fail"
    options = [str(folder / option) if option.endswith(".csv") else option for option in holdout]
    assert outcomes(folder / "real.csv", folder / "fresh.csv", *options)["exact_copies"] == "pass"
    assert outcomes(folder / "real.csv", folder / "real.csv", *options)["exact_copies"] == "fail"


def test_coerce_option_reads_invalid_values_as_missing(fit_and_sample: FitAndSample, tmp_path: Path):
    rows = "".join(f"{day}-Jan-20{year},{day}\n" for day in range(10, 29) for year in range(10, 20))
    (tmp_path / "t.csv").write_text(f"day,n\napprox. 2010,3\n{rows}")
    kept = fit_and_sample(tmp_path / "t.csv", 5)
    assert (
        "1 of 191 values cannot be read as dates (line 2). Set the option `coerce` to 'day'" in kept.messages
    )
    coerced = fit_and_sample(tmp_path / "t.csv", 20, "--coerce", "day", "--coerce", "n")
    assert "1 value that is not a date was read as missing (line 2)" in coerced.messages
    assert all(re.fullmatch(r"\d\d-[A-Z][a-z]{2}-20\d\d|", text) for text in coerced.column("day"))


def test_c21_sequential_keys_differ_between_seeds_and_the_output_suggests_options_for_the_next_sample(
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


def test_c08_unrelated_columns_of_names_contain_different_people(fit_and_sample: FitAndSample):
    rows = fit_and_sample(FOLDER / "c08-two-people-become-one" / "boss.csv", 300).rows
    names = [" ".join(reversed(row["employee_name"].split(", "))) for row in rows]
    assert sum(name == row["manager_name"] for name, row in zip(names, rows, strict=True)) <= 5


def test_c08_unrelated_full_names_differ_from_first_and_last_names(fit_and_sample: FitAndSample):
    rows = fit_and_sample(FOLDER / "c08-two-people-become-one" / "firstlast.csv", 300).rows
    for other in ("account_manager", "beneficiary"):
        names = [f"{row['first_name']} {row['last_name']}" for row in rows]
        assert sum(name == row[other] for name, row in zip(names, rows, strict=True)) <= 5


def test_c28_nested_objects_become_columns_and_keep_their_shape(fit_and_sample: FitAndSample, tmp_path: Path):
    path = FOLDER / "c28-json-lines-nested" / "nested.jsonl"
    assert read_table(path).schema.names == ["ts", "user.id", "user.country", "ms"]
    result = fit_and_sample(path, 50, "--flatten")
    assert "flatten" not in result.messages
    assert list(result.rows[0]) == ["ts", "user.id", "user.country", "ms"]
    model, sample = tmp_path / "m.model", tmp_path / "sample.jsonl"
    assert run(["sample", str(model), "-n", "50", "-o", str(sample), "--seed", "2"]) in (None, 0)
    for line in sample.read_text().splitlines():
        row = json.loads(line)
        assert list(row) == ["ts", "user", "ms"]
        assert list(row["user"]) == ["id", "country"]


def test_c19_json_in_a_cell_keeps_its_keys(fit_and_sample: FitAndSample):
    result = fit_and_sample(FOLDER / "c19-json-in-a-cell" / "payload.csv", 300)
    for text in result.column("payload"):
        payload = json.loads(text)
        assert list(payload) == ["item", "qty", "tags"]
        assert isinstance(payload["item"], int)
        assert payload["qty"] in range(1, 6)
        assert set(payload["tags"]) <= {"a", "b", "c"}
    assert "'payload' contains JSON" in result.messages


def test_c07_repeated_customer_numbers_are_replaced_with_new_ones(fit_and_sample: FitAndSample):
    path = FOLDER / "c07-repeated-keys-verbatim" / "orders.csv"
    result = fit_and_sample(path, 1500)
    real = set(read_table(path).column("customer_no").to_pylist())
    assert not real & set(result.column("customer_no"))
    assert all(re.fullmatch(r"C\d{4,}", text) for text in result.column("customer_no"))
    assert "Column 'customer_no' was taken as the subject" in result.messages
    assert "Samples of column 'product_code' contain" in result.messages


def test_c13_values_that_few_rows_share_are_replaced_with_new_ones(fit_and_sample: FitAndSample):
    folder = FOLDER / "c13-repeated-values-become-OTHER"
    subjects = fit_and_sample(folder / "panel.csv", 180).column("subject")
    assert all(re.fullmatch(r"ID-\d{3,}", text) for text in subjects)
    motivations = fit_and_sample(folder / "motivation.csv", 180).column("motivation")
    assert "_OTHER_" not in motivations
    assert len(set(motivations)) > 30


def test_c30_users_and_addresses_within_log_lines_are_replaced_with_new_ones(fit_and_sample: FitAndSample):
    path = FOLDER / "c30-people-inside-repeated-text" / "auth.csv"
    lines = fit_and_sample(path, 400).column("message")
    assert all(re.fullmatch(r"Failed password for [a-z]+ from [\d.]+", line) for line in lines)
    assert not any(re.search("kmoreau|tlindqvist|ohaddad|pnovak|203\\.0\\.113", line) for line in lines)


def test_c09_codes_and_labels_correspond_one_to_one_in_samples(fit_and_sample: FitAndSample):
    path = FOLDER / "c09-code-label-pairs-broken" / "orders.csv"
    with path.open(newline="") as opened:
        real = list(csv.DictReader(opened))
    result = fit_and_sample(path, 15_000)
    name_of = {row["product_code"]: row["product_name"] for row in real}
    pairs = {(row["product_code"], row["product_name"]) for row in result.rows}
    assert len(pairs) == len({code for code, _ in pairs}) == len({name for _, name in pairs})
    shown = {code for code, _ in pairs if code in name_of}
    assert {(code, name_of[code]) for code in shown} <= pairs
    n_rows = Counter(row["product_code"] for row in real)
    assert min(n_rows[code] for code in shown) >= 5
    made_up = [(code, name) for code, name in pairs if code not in name_of]
    assert not {name for _, name in made_up} & set(name_of.values())
    assert all(re.fullmatch(r"P-\d+ Item model [A-Z]\d+", f"{code} {name}") for code, name in made_up)
    # The sample has ten times as many rows as the table.
    synthetic = Counter(result.column("product_code"))
    quantiles = [
        np.quantile([*counts.values()], (0.1, 0.25, 0.5, 0.75, 0.9)) for counts in (n_rows, synthetic)
    ]
    assert np.abs(quantiles[0] - quantiles[1] / 10).max() <= 1
    assert abs(len(synthetic) - len(n_rows)) <= 0.1 * len(n_rows)
    assert re.search(r"Column 'product_code' loses \d+ levels \([\d,]+ rows\)", result.messages)
