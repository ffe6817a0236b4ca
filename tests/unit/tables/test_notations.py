"""Tests for notations: detecting, parsing and writing dates and numbers."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from understudy.errors import InvalidInput
from understudy.tables.findings import Findings
from understudy.tables.formats import FORMATS, ReadLimits, ReadOptions, format_for_path, write_table
from understudy.tables.notation import DateNotation, NumberNotation, field_metadata, read_metadata
from understudy.tables.notations import parse, write
from understudy.tables.notations.clues import Clues, Detected
from understudy.tables.notations.detection import detect
from understudy.tables.schema import Column, ColumnKind, DatasetSchema, TableSchema
from understudy.tables.schema_changes import SchemaChange, change_schema
from understudy.tables.sdv_metadata import read_metadata as read_metadata_change
from understudy.tables.sdv_metadata import write_metadata
from understudy.tables.stored_schemas import read_stored
from understudy.tables.validation import check_fits, conform


def _detect(*texts: str | None, **clues: Any) -> Detected:
    detected = detect(lambda: [pa.array(texts, pa.string())], Clues(**clues))
    assert detected is not None
    return detected


@pytest.mark.parametrize(
    ("texts", "pattern"),
    [
        (["19-Aug-2015", "05-MAY-2011"], "%d-%b-%Y"),
        (["August 9, 2015", "May 15, 2011"], "%B %-d, %Y"),
        (["3. März 2020", "13. Mai 2021"], "%-d. %B %Y"),
        (["10/13/05", "02/26/08"], "%m/%d/%y"),
        (["3/13/2003 1:00 PM", "12/3/2004 12:05 AM"], "%-m/%-d/%Y %-I:%M %p"),
        (["2021-01-02T10:00:00+02:00", "2021-01-02T10:00:00+02:00"], "%Y-%m-%dT%H:%M:%S%:z"),
        (["2021-01-02 10:00:00 UTC", None], "%Y-%m-%d %H:%M:%S UTC"),
        (["2021-01-02 10:00:00.123", "2021-01-02 10:00:00.120"], "%Y-%m-%d %H:%M:%S.%3f"),
        (["Wed, 21 Oct 2015 07:28:00 GMT", "Thu, 22 Oct 2015 17:28:01 GMT"], "%a, %d %b %Y %H:%M:%S GMT"),
        (["10/Oct/2000:13:55:36 -0700", "11/Oct/2000:03:55:36 -0700"], "%d/%b/%Y:%H:%M:%S %z"),
        (["20210131", "20210228", "20210105", "20200229", "20191231"], "%Y%m%d"),
        (["20210131T101112Z", "20210228T000000Z"], "%Y%m%dT%H%M%SZ"),
        (["2009-06", "2010-12"], "%Y-%m"),
        (["Jan 2015", "Feb 2016"], "%b %Y"),
        (["2020-W53", "2021-W01"], "%G-W%V"),
        (["2020 Q3", "2021 Q1"], "%Y Q%q"),
        (["2023:07:14 05:32:11", "2022:11:30 23:05:00"], "%Y:%m:%d %H:%M:%S"),
        (["lun. 03/04/2023", "ven. 21/07/2023"], "%a. %d/%m/%Y"),
        (["Sat 2023-07-01", "Fri 2023-07-14"], "%a %Y-%m-%d"),
        (["Monday, 24.07.2023 18:05", "Sunday, 02.07.2023 07:30"], "%A, %d.%m.%Y %H:%M"),
        (["1 января 2023", "13 мая 2021"], "%-d %B %Y"),
        (["03 Şub 2023 18:05", "21 Ağu 2022 07:30"], "%d %b %Y %H:%M"),
        (["7:05 PM", "11:30 AM"], "%-I:%M %p"),
        (["7:05", "11:30"], "%-H:%M"),
    ],
    ids=str,
)
def test_pattern_of_dates_is_detected_and_written_back(texts: list[str], pattern: str):
    detected = _detect(*texts)
    assert isinstance(detected.notation, DateNotation)
    assert (detected.notation.pattern, detected.question) == (pattern, None)
    column = pa.array(texts, pa.string())
    written = write(parse(column, detected.notation, detected.arrow_type), detected.notation).to_pylist()
    assert [text and text.lower() for text in written] == [text and text.lower() for text in texts]


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["$1,837.12", "$5.00", "-$3.50"], [1837.12, 5.0, -3.5]),
        (["(28.25)", "1,285.65"], [-28.25, 1285.65]),
        (["1 837.12 €", "12.00 €"], [1837.12, 12.0]),
        (["1.234,50 EUR", "-2,00 EUR"], [1234.5, -2.0]),
        (["£1,200", "£20"], [1200, 20]),
        (["Rs. 1,200", "Rs. 20"], [1200, 20]),
        (["CHF 1'200.50", "CHF 20.00"], [1200.5, 20.0]),
        (["10%", "7%"], [10, 7]),
        (["+1.5%", "-0.5%"], [1.5, -0.5]),
        (["150K", "38K"], [150_000, 38_000]),
        (["8.7M", "201K"], [8_700_000.0, 201_000.0]),
        (["94 kg", "102 kg"], [94, 102]),
        (["3.5 km", "12.0 km"], [3.5, 12.0]),
        (["12.50-", "3.00"], [-12.5, 3.0]),
        (["12,345,678", "9"], [12_345_678, 9]),
        (["12 345", "-1 034", "9"], [12_345, -1_034, 9]),
    ],
    ids=str,
)
def test_notation_of_numbers_is_detected_and_written_back(texts: list[str], numbers: list[float]):
    detected = _detect(*texts)
    values = parse(pa.array(texts), detected.notation, detected.arrow_type)
    assert (values.to_pylist(), detected.question) == (numbers, None)
    assert write(values, detected.notation).to_pylist() == texts


@pytest.mark.parametrize(
    "texts",
    [
        ["007", "012"],
        ["00501", "10001"],
        ["A12", "A13"],
        ["12B", "14B"],
        ["1.2.3", "1.2.10"],
        ["+4930123", "+4930124"],
        ["+48 502 430 306", "505 975 303", "+48 32 296 700"],
        ["089 123 456", "030 12 345", "30 123 456"],
        ["01.234.567", "02.345.678", "12.345.678"],
        ["01,5", "02,5"],
        ["12-34", "15-36"],
        ["04-0030", "09-0117", "11-0450"],
        ["0030-04", "0117-09"],
        ["5-10", "10-20"],
        ["192.168.0.1", "10.0.0.1"],
    ],
    ids=str,
)
def test_codes_are_not_detected_as_numbers_or_dates(texts: list[str]):
    detected = detect(lambda: [pa.array(texts)], Clues())
    assert detected is None or detected.tally.n_odd or detected.question


@pytest.mark.parametrize("text", ["31.02.2024", "2024-13-01", "25:00", "29.02.2023"])
def test_nonexistent_date_or_time_is_read_as_missing(text: str):
    pattern = "%H:%M" if ":" in text else "%Y-%m-%d" if "-" in text else "%d.%m.%Y"
    target = pa.time32("s") if ":" in text else pa.date32()
    assert parse(pa.array([text]), DateNotation(pattern=pattern), target).to_pylist() == [None]


@pytest.mark.parametrize(
    ("word", "texts"),
    [
        ("?", ["1.5", "2"]),
        ("n/a", ["$5", "$6"]),
        ("-", ["5%", "7%"]),
        ("#N/A Field Not Applicable", ["12/16/23", "01/31/24"]),
        ("00.00.0000", ["31.12.2020", "01.02.2021"]),
    ],
)
def test_known_words_for_missing_values_are_read_as_missing(word: str, texts: list[str]):
    detected = _detect(*texts, word, word)
    assert detected.notation.missing == (word,)
    assert (detected.tally.missing[word], detected.tally.n_odd) == (2, 0)


def test_two_digit_years_of_birth_are_not_in_the_future():
    detected = _detect("02/13/31", "12/31/68", words=("birth", "date"))
    assert isinstance(detected.notation, DateNotation)
    values = parse(pa.array(["02/13/31"]), detected.notation, detected.arrow_type)
    assert values.to_pylist() == [date(1931, 2, 13)]


@pytest.mark.parametrize("pattern", ["%d.%m", "abc", "%Y-%", "%Y-%K-%d", "%I:%M"])
def test_incomplete_pattern_is_rejected(pattern: str):
    with pytest.raises(ValidationError):
        DateNotation(pattern=pattern)


@pytest.mark.parametrize(
    "late", ["1,234,567.5", "1 234 567.5", "1\u202f234\u202f567.5", "1'234'567.5", "1\u2019234\u2019567.5"]
)
def test_separator_that_first_occurs_in_a_late_row_is_detected(late: str):
    detected = _detect(*[f"{i}.25" for i in range(3_000)], late)
    assert (detected.tally.n_fitting, detected.tally.n_odd) == (3_001, 0)


def test_codes_with_leading_zeros_are_numbers_only_if_coerced():
    codes = [f"{37 * i % 1000:03}" for i in range(200)]
    clues = Clues(words=("code",))
    assert detect(lambda: [pa.array(codes)], clues) is None
    coerced = detect(lambda: [pa.array(codes)], Clues(words=("code",), is_coerced=True))
    assert coerced is not None
    assert coerced.tally.n_odd == sum(code.startswith("0") for code in codes)


def test_decimal_comma_option_applies_even_if_no_value_contains_a_comma():
    detected = _detect(*[str(i) for i in range(40)], "n/a", decimal=",")
    assert isinstance(detected.notation, NumberNotation)
    assert detected.notation.decimal == ","


def test_metadata_of_a_field_contains_the_notation():
    notation = NumberNotation(prefix="$", decimals=2)
    assert read_metadata(field_metadata(notation)) == notation
    assert read_metadata({b"understudy.notation": b"{}"}) is None


def test_negative_amount_that_rounds_to_zero_has_no_sign():
    assert write(pa.array([-0.001, -0.005]), NumberNotation(decimals=2)).to_pylist() == ["0.00", "-0.01"]


def _ingest(path: Path, **options: Any) -> Any:
    target = path.with_suffix(".stored")
    return FORMATS[format_for_path(path).name].ingest(
        path, target, ReadLimits(), options=ReadOptions(**options)
    )


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow", ".xlsx"])
def test_text_columns_of_every_format_are_read_in_their_notation(tmp_path: Path, suffix: str):
    table = pa.table(
        {
            "price": ["$1,234.50", "$2.00", None, "$3.25"],
            "hired": ["19-Aug-2015", "n.a.", "01-Jan-2020", "02-Feb-2021"],
            "code": ["007", "012", "013", "014"],
        }
    )
    path = tmp_path / f"table{suffix}"
    write_table(path, table.to_batches(), table.schema)
    ingested = _ingest(path)
    assert [column.arrow_type for column in ingested.schema.columns] == ["double", "date32[day]", "string"]
    assert "'hired': 1 value 'n.a.' was read as missing" in ingested.warnings[0]
    stored = pq.read_table(path.with_suffix(".stored"))
    assert stored.column("price").to_pylist() == [1234.5, 2.0, None, 3.25]
    again = tmp_path / "again.csv"
    write_table(again, stored.to_batches(), ingested.schema.to_arrow().remove_metadata())
    assert again.read_text().splitlines()[1:3] == ['"$1,234.50",19-Aug-2015,"007"', '$2.00,n.a.,"012"']


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow", ".xlsx"])
def test_a_few_invalid_values_are_read_as_missing_but_many_only_with_coerce(tmp_path: Path, suffix: str):
    texts = {"a": ["$1.50"] * 19 + ["approx. 5"], "b": ["$1.50"] * 9 + ["apple"] * 11}
    table = pa.table(texts)
    path = tmp_path / f"table{suffix}"
    write_table(path, table.to_batches(), table.schema)
    without = _ingest(path)
    assert [column.arrow_type for column in without.schema.columns] == ["double", "string"]
    assert "1 of 20 values cannot be read as numbers" in without.warnings[0]
    assert "Set the option `coerce` to 'a'" in without.warnings[0]
    coerced = _ingest(path, coerce=("a",))
    assert coerced.schema.columns[0].arrow_type == "double"
    assert "1 value that is not a number was read as missing" in coerced.warnings[0]


def _schema(*columns: Column) -> DatasetSchema:
    return DatasetSchema(tables={"t": TableSchema(columns=columns)})


def _text_column() -> Column:
    return Column(name="d", kind=ColumnKind.category, arrow_type="string", nullable=True)


def test_notation_in_a_schema_change_determines_how_texts_are_parsed(tmp_path: Path):
    change = SchemaChange.model_validate(
        {"columns": {"d": {"notation": {"type": "date", "pattern": "%d/%m/%Y"}}}}
    )
    changed, _ = change_schema(_schema(_text_column()), Findings(), change, table="t")
    column = changed.tables["t"].columns[0]
    assert (column.kind, column.arrow_type) == (ColumnKind.date, "date32[day]")
    texts = pa.table({"d": ["01/02/2024", "", None]})
    assert conform(texts, changed.tables["t"]).column("d").to_pylist() == [date(2024, 2, 1), None, None]
    pq.write_table(pa.table({"d": ["01/02/2024", "02/30/2024"]}), tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match=r"1 value does not fit type date32\[day\] \(row 2\)"):
        check_fits(tmp_path / "t.parquet", [column])


def test_notation_that_does_not_fit_the_type_is_rejected():
    change = SchemaChange.model_validate(
        {"columns": {"d": {"kind": "date", "notation": {"type": "number", "prefix": "$"}}}}
    )
    with pytest.raises(InvalidInput, match="cannot represent values of type date32"):
        change_schema(_schema(_text_column()), Findings(), change, table="t")


def test_sdv_datetime_format_sets_the_notation_and_is_written():
    metadata = {
        "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
        "columns": {"d": {"sdtype": "datetime", "datetime_format": "%d %b %Y"}},
    }
    schema = _schema(_text_column())
    change = read_metadata_change(metadata, schema.tables["t"]).change
    changed, findings = change_schema(schema, Findings(), change, table="t")
    column = changed.tables["t"].columns[0]
    assert (column.arrow_type, column.notation) == ("date32[day]", DateNotation(pattern="%d %b %Y"))
    written = write_metadata(changed, findings)["tables"]["t"]["columns"]["d"]
    assert written == {"sdtype": "datetime", "datetime_format": "%d %b %Y"}


def test_stored_schema_without_notations_is_read():
    column = {"name": "a", "kind": "date", "arrow_type": "date32[day]", "nullable": False}
    assert Column.model_validate(column).notation is None
    notation = {"type": "date", "pattern": "%d.%m.%Y"}
    schema, _ = read_stored({"columns": [column | {"notation": notation}]})
    assert schema.tables["table"].columns[0].notation == DateNotation(pattern="%d.%m.%Y")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("price", [f"{i}.{i % 10}0" for i in range(30)]),
        ("flag", ["TRUE", "FALSE", "TRUE"] * 10),
        ("at", [f"2024-01-{i + 1:02d}T10:30" for i in range(30)]),
        ("at", [f"2024-01-{i + 1:02d}T10:30:05Z" for i in range(30)]),
        ("at", [f"2024-01-{i + 1:02d}T10:30:05.123+01:00" for i in range(30)]),
        ("seen_at", [f"17000000{i + 10}" for i in range(30)]),
        ("seen_at", [f"17000000{i + 10}250" for i in range(30)]),
        ("day", [f"202401{i + 1:02d}" for i in range(30)]),
        ("month", [f"2024{i % 12 + 1:02d}" for i in range(30)]),
        ("opens", [f"0{i % 9}:30" for i in range(30)]),
        ("n", ["20240131", "20240132"] * 15),
        ("n", [str(1_700_000_000 + i) for i in range(30)]),
    ],
    ids=str,
)
def test_columns_keep_their_notation_when_they_are_written(tmp_path: Path, name: str, values: list[str]):
    path, again = tmp_path / "t.csv", tmp_path / "again.csv"
    path.write_text(f"{name},b\n" + "".join(f"{value},1\n" for value in values))
    ingested = _ingest(path)
    stored = pq.read_table(path.with_suffix(".stored"))
    write_table(again, stored.to_batches(), ingested.schema.to_arrow())
    assert again.read_text().replace('"', "") == path.read_text()


def test_whole_numbers_that_are_not_all_dates_stay_numbers(tmp_path: Path):
    (tmp_path / "t.csv").write_text("n\n" + "".join(f"{20240101 + i}\n" for i in range(60)))
    assert _ingest(tmp_path / "t.csv").schema.columns[0].arrow_type == "int64"


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|x", "a\tb"])
def test_notation_that_would_write_formulas_is_rejected(text: str):
    with pytest.raises(ValidationError):
        NumberNotation(prefix=text)
    with pytest.raises(ValidationError):
        NumberNotation(missing=(text,))


def test_ambiguous_order_of_dates_follows_other_dates_in_the_table(tmp_path: Path):
    (tmp_path / "t.csv").write_text("a,b\n01/02/2024,31/12/2024\n03/04/2024,01/02/2024\n")
    schema = _ingest(tmp_path / "t.csv").schema
    assert [column.notation for column in schema.columns] == [DateNotation(pattern="%d/%m/%Y")] * 2


def _written_csv(path: Path) -> list[str]:
    """Read a CSV file, write it again in the default style, and return the new lines."""
    schema = _ingest(path).schema.to_arrow().remove_metadata()
    stored = pq.read_table(path.with_suffix(".stored"))
    again = path.with_name("again.csv")
    write_table(again, stored.to_batches(), schema)
    return again.read_text().splitlines()


def test_words_for_missing_values_keep_their_shares(tmp_path: Path):
    words = {"a": ["NA", "", "NULL"], "b": ["n/a", "-", "NA"], "c": ["NA"] * 3, "d": ["?"] * 3, "e": [""] * 3}
    plain = {"a": "7", "b": "1.50", "c": "text", "d": "2021-05-03", "e": "2"}
    rows = [",".join(words[name][i % 3] if i % 2 else plain[name] for name in words) for i in range(90)]
    (tmp_path / "t.csv").write_text("a,b,c,d,e\n" + "\n".join(rows) + "\n")
    lines = [line.split(",") for line in _written_csv(tmp_path / "t.csv")[1:]]
    for index, name in enumerate(words):
        written = Counter(fields[index].strip('"') for fields in lines)
        assert written.pop(plain[name]) == 45
        expected = Counter(words[name] * 15)
        assert all(abs(written[word] - expected[word]) <= 1 for word in {*written, *expected})


def test_text_in_quotation_marks_is_not_a_word_for_missing_values(tmp_path: Path):
    (tmp_path / "t.csv").write_text("a,b\n" + '"NA",x\nNA,y\nNA,"y, z"\n"it, is",NA\n' * 9)
    assert _written_csv(tmp_path / "t.csv")[1:5] == ['"NA","x"', 'NA,"y"', 'NA,"y, z"', '"it, is",NA']


def test_repeated_invalid_values_are_written_but_rare_ones_are_not(tmp_path: Path):
    rows = [f"{i / 7:.2f}" for i in range(200)]
    rows[::25] = ["TNTC"] * 8
    rows[1] = "<0.5"
    (tmp_path / "t.csv").write_text("count,x\n" + "".join(f"{row},1\n" for row in rows))
    written = [line.split(",")[0] for line in _written_csv(tmp_path / "t.csv")[1:]]
    assert (written.count("TNTC"), written.count("")) == (8, 1)
    coerced = _ingest(tmp_path / "t.csv", coerce=("count",)).schema.columns[0]
    assert coerced.notation is not None
    assert coerced.notation.missing == ()


def test_json_contains_words_for_missing_values_only_in_text_columns(tmp_path: Path):
    texts = {"a": ["$1.50", "n/a", "$2.25", None] * 9, "b": [1.5, None] * 18}
    table = pa.table(texts)
    write_table(tmp_path / "t.jsonl", table.to_batches(), table.schema)
    schema = _ingest(tmp_path / "t.jsonl").schema.to_arrow()
    stored = pq.read_table(tmp_path / "t.stored")
    write_table(tmp_path / "again.jsonl", stored.to_batches(), schema)
    written = [json.loads(line) for line in (tmp_path / "again.jsonl").read_text().splitlines()]
    assert Counter(row["a"] for row in written) == {"$1.50": 9, "$2.25": 9, "n/a": 9, None: 9}
    assert {row["b"] for row in written} == {1.5, None}


_MOMENTS = [datetime(2021, 1, 3, 5, 7, 9, tzinfo=UTC) + timedelta(hours=37 * i, minutes=i) for i in range(40)]


def _serial(moment: datetime) -> str:
    return f"{(moment - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(days=1):.8f}"


@pytest.mark.parametrize(
    ("name", "texts", "arrow_type"),
    [
        ("when", [f"{moment:%Y%m%d%H%M%S}" for moment in _MOMENTS], "timestamp[s]"),
        ("logged", [f"{moment:%Y%m%d%H%M}" for moment in _MOMENTS], "timestamp[s]"),
        ("day", [f"{moment:%Y-%j}" for moment in _MOMENTS], "date32[day]"),
        ("julian", [f"{moment:%Y%j}" for moment in _MOMENTS], "date32[day]"),
        ("date", [_serial(moment) for moment in _MOMENTS], "timestamp[s]"),
        ("ts", [f"{int(moment.timestamp())}.5" for moment in _MOMENTS], "timestamp[ms]"),
        ("t", [f"[{moment:%d/%b/%Y:%H:%M:%S} -0700]" for moment in _MOMENTS], "timestamp[s, tz=UTC]"),
        ("amount", [f"{13.7 * i:07.2f}" for i in range(40)], "double"),
        ("customer_id", [f"{10_045 + i // 2}.0" for i in range(40)], "int64"),
        ("rupees", [f"₹{lakhs},{i:02},000.50" for i, lakhs in enumerate(range(1, 41))], "double"),
        ("price", [f"8\u00a0{i:03}.25" for i in range(40)], "double"),
        ("profit", [f"$({i}.25)" if i % 3 else f"${i}.25" for i in range(40)], "double"),
        ("sci", [f"{1.7**i:.3e}" for i in range(40)], "double"),
        (
            "log",
            [f"{moment:%a %b} {moment.day:2} {moment:%H:%M:%S %Y}" for moment in _MOMENTS],
            "timestamp[s]",
        ),
        ("week", [f"KW {moment:%V/%G}" for moment in _MOMENTS], "date32[day]"),
        ("heure", [f"{moment.hour}h{moment:%M}" for moment in _MOMENTS], "time32[s]"),
        ("day_ja", [f"{moment.year}年{moment.month}月{moment.day}日" for moment in _MOMENTS], "date32[day]"),
        ("played", [f"{i}:{7 * i % 60:02}:09" for i in range(40)], "duration[s]"),
        ("elapsed", [f"{3 * i}:{7 * i % 60:02}" for i in range(40)], "duration[s]"),
        ("time", [f"{i % 4}:{i:02}:09" if i % 4 else f"{i}:{i:02}" for i in range(10, 50)], "duration[s]"),
        ("room", [f"{floor:02}{room:02}" for floor in range(1, 9) for room in range(1, 21)], "string"),
        ("arrival", [f"{i % 24:02}{7 * i % 60:02}" for i in range(40)], "time32[s]"),
        ("ride", [f"{i % 5}h {i}m" if i % 5 else f"{i}m" for i in range(1, 41)], "duration[s]"),
        ("wait", [f"PT{i}H{i}M" for i in range(1, 41)], "duration[s]"),
        ("stay", [f"{i} day{'s' * (i != 1)}, {i}:05:06" for i in range(1, 21)], "duration[s]"),
        ("run_date", [f"{moment:%y%m%d}" for moment in _MOMENTS], "date32[day]"),
        ("case_number", [f"2021-{i:03}" for i in range(1, 41)], "string"),
        ("order", [f"20210103{i:06}" for i in range(1, 41)], "int64"),
    ],
)
def test_values_are_read_in_their_notation_and_written_unchanged(
    tmp_path: Path, name: str, texts: list[str], arrow_type: str
):
    (tmp_path / "t.csv").write_text(f"{name};b\n" + "".join(f"{text};x\n" for text in texts))
    written = csv.reader(_written_csv(tmp_path / "t.csv")[1:])
    assert [fields[0] for fields in written] == texts
    assert _ingest(tmp_path / "t.csv").schema.columns[0].arrow_type == arrow_type


@pytest.mark.parametrize(
    ("name", "strays", "arrow_type"),
    [
        ("lead", ["<0.5", ">1000", "approx. 5", "ND"], "int64"),
        ("servings", ["12B"], "int64"),
        ("diagnosis", ["V57", "E909", "V10"], "string"),
        ("zip", ["K1A 0B6"], "string"),
        ("code", ["007"], "string"),
    ],
)
def test_invalid_values_do_not_change_the_type_unless_they_are_codes(
    tmp_path: Path, name: str, strays: list[str], arrow_type: str
):
    rows = [str(37 * i % 901 + 1) for i in range(100)] + strays
    (tmp_path / "t.csv").write_text(f"{name},b\n" + "".join(f"{row},x\n" for row in rows))
    ingested = _ingest(tmp_path / "t.csv")
    assert ingested.schema.columns[0].arrow_type == arrow_type
    assert len(ingested.warnings) == 1 or arrow_type == "string"


def test_numbers_with_exponents_are_detected_even_if_the_thousands_separator_is_a_point():
    assert _detect("1e-05", "2e-03", thousands=".").arrow_type == pa.float64()


@pytest.mark.parametrize(
    "texts",
    [
        ["$8.5M", "$491K", "$2.0M", "$12K"],
        ["2.61B", "950.20M", "512.00K", "1.05B"],
        ["2.61B", "950.2M", "512", "17", "3.4K"],
        ["15K", "950", "2K", "7"],
        ["-2.5M", "640K", "1.5M", "-12K"],
    ],
    ids=str,
)
def test_decimals_of_each_scale_are_kept(texts: list[str]):
    detected = _detect(*texts * 20)
    values = parse(pa.array(texts), detected.notation, detected.arrow_type)
    assert write(values, detected.notation).to_pylist() == texts
    # Numbers that do not occur in the table have no more decimals than the numbers in the table.
    drawn = write(pa.array([1_234_567.891, 51_234.567], pa.float64()), detected.notation).to_pylist()
    assert not any(re.search("[.,][0-9]{3}", str(text)) for text in drawn)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("{:%d.%m.%Y %H%M}", "%d.%m.%Y %H%M"),
        ("{:%Y-%m-%d %H%M%S}", "%Y-%m-%d %H%M%S"),
        ("{:%d %b %Y %H%Mh}", "%d %b %Y %H%Mh"),
        ("{:%a %b %d %H:%M:%S %Y} +0100", "%a %b %d %H:%M:%S %Y %z"),
    ],
)
def test_times_without_separators_and_offsets_after_the_year_are_detected(text: str, pattern: str):
    moments = [datetime.fromisoformat("2023-01-05T07:30:15") + timedelta(hours=37 * i) for i in range(60)]
    detected = _detect(*(text.format(moment) for moment in moments))
    assert isinstance(detected.notation, DateNotation)
    assert (detected.notation.pattern, detected.tally.n_odd) == (pattern, 0)


def test_padded_whole_numbers_with_a_unit_are_numbers():
    texts = [f"{37 * i % 360:03}°" for i in range(60)]
    detected = _detect(*texts)
    values = parse(pa.array(texts), detected.notation, detected.arrow_type)
    assert values.to_pylist() == [37 * i % 360 for i in range(60)]
    assert write(values, detected.notation).to_pylist() == texts
