"""Tests for numbers, dates, quotation marks and encodings that depend on the locale or the program."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from understudy.errors import InvalidInput
from understudy.tables.formats import FORMATS, Ingested, ReadLimits, ReadOptions, read_table


def _read(folder: Path, data: bytes | str, **options: Any) -> pa.Table:
    (folder / "table.csv").write_bytes(data.encode() if isinstance(data, str) else data)
    return read_table(folder / "table.csv", options=ReadOptions(**options))


def _ingest(folder: Path, data: bytes | str, **options: Any) -> Ingested:
    (folder / "table.csv").write_bytes(data.encode() if isinstance(data, str) else data)
    return FORMATS["csv"].ingest(
        folder / "table.csv", folder / "table.parquet", ReadLimits(), options=ReadOptions(**options)
    )


def _column(folder: Path, *values: str, **options: Any) -> list[object]:
    rows = "".join(f"{value};0\n" for value in values)
    column: list[object] = _read(folder, f"a;b\n{rows}", **options).column("a").to_pylist()
    return column


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["1.234,56", "2,5"], [1234.56, 2.5]),
        (["1,5", "2,25"], [1.5, 2.25]),
        (["-1.234,5", "-0,5", "7"], [-1234.5, -0.5, 7.0]),
        (["1,234,567", "12"], [1234567, 12]),
        (["1,234.5", "0.25"], [1234.5, 0.25]),
        (["1 234,5", "12"], [1234.5, 12.0]),
        (["1\u00a0234", "12"], [1234, 12]),
        (["1'234.50", "7"], [1234.5, 7.0]),
        (["1,5e3", "2"], [1500.0, 2.0]),
        (["1,5", "NA", ""], [1.5, None, None]),
    ],
    ids=str,
)
def test_numbers_in_an_unambiguous_local_notation_are_read(
    tmp_path: Path, values: list[str], numbers: list[object]
):
    read = _column(tmp_path, *values)
    assert read == numbers
    assert [type(value) for value in read] == [type(number) for number in numbers]


@pytest.mark.parametrize(
    ("price", "clicks"), [("0.80", 1234), ("0,80", 1.234), ("$0.80", 1234)], ids=["point", "comma", "dollars"]
)
def test_ambiguous_commas_follow_the_decimal_separator_of_other_columns(
    tmp_path: Path, price: str, clicks: float
):
    table = _read(tmp_path, f"clicks\tprice\n1,234\t{price}\n2,345\t{price}\n".encode())
    assert table["clicks"].to_pylist()[0] == clicks


@pytest.mark.parametrize(
    ("values", "option"),
    [
        (["1,234", "5"], "decimal"),
        (["171 234 567", "555 123 456"], "thousands"),
        (["01/02/2024", "03/04/2024"], "date_order"),
    ],
    ids=str,
)
def test_ambiguous_column_is_text_and_the_warning_contains_the_option(
    tmp_path: Path, values: list[str], option: str
):
    assert _column(tmp_path, *values) == values
    (warning,) = _ingest(tmp_path, "a\n" + "".join(f'"{value}"\n' for value in values)).warnings
    assert f"set the option `{option}`" in warning


@pytest.mark.parametrize(
    ("values", "options", "read"),
    [
        (["1,234", "5"], {"decimal": ","}, [1.234, 5.0]),
        (["1,234", "5"], {"decimal": "."}, [1234, 5]),
        (["1.234", "2.000"], {"decimal": ","}, [1234, 2000]),
        (["1.234", "5"], {"thousands": "."}, [1234, 5]),
        (["171 234 567", "555 123 456"], {"thousands": " "}, [171234567, 555123456]),
        (["01/02/2024"], {"date_order": "day_first"}, [date(2024, 2, 1)]),
        (["01/02/2024"], {"date_order": "month_first"}, [date(2024, 1, 2)]),
        (["1.5", "2"], {"decimal": ","}, ["1.5", "2"]),
        (["31.12.2024"], {"date_order": "month_first"}, ["31.12.2024"]),
    ],
    ids=str,
)
def test_option_resolves_an_ambiguous_column(
    tmp_path: Path, values: list[str], options: dict[str, str], read: list[object]
):
    assert _column(tmp_path, *values, **options) == read


@pytest.mark.parametrize(
    ("values", "days"),
    [
        (["31.12.2024", "01.02.2024"], [date(2024, 12, 31), date(2024, 2, 1)]),
        (["12/31/2024", "2/1/2024"], [date(2024, 12, 31), date(2024, 2, 1)]),
        (["31-12-2024", "1-2-2024"], [date(2024, 12, 31), date(2024, 2, 1)]),
        (["2024/3/1"], [date(2024, 3, 1)]),
        (["05.05.2024"], [date(2024, 5, 5)]),
    ],
    ids=str,
)
def test_dates_in_an_unambiguous_local_notation_are_read(tmp_path: Path, values: list[str], days: list[date]):
    assert _column(tmp_path, *values) == days


@pytest.mark.parametrize(
    "values",
    [
        ["31.12.2024", "12/31/2024"],
        ["30.02.2024", "31.12.2024"],
        ["1,5", "1.5"],
        ["12,3,567"],
        ["1.2.3"],
        ["01,5"],
        ["31.12.2024", "31.12.2024 12:00"],
    ],
    ids=str,
)
def test_values_that_follow_no_convention_stay_text(tmp_path: Path, values: list[str]):
    assert _column(tmp_path, *values) == values


def test_timestamps_that_start_with_the_day_keep_their_precision(tmp_path: Path):
    table = _read(tmp_path, "a;b\n31.12.2024 12:30;0\n01.01.2024 00:00:05.25;0\n")
    assert table.schema.types[0] == pa.timestamp("ms")
    assert str(table.column("a")[1]) == "2024-01-01 00:00:05.250000"


@pytest.mark.parametrize(
    ("values", "words"), [(["5%", "0.1"], "percent"), (["€5", "10 EUR", "$1,000"], "currency")]
)
def test_columns_that_mix_notations_of_percentages_or_amounts_are_text(
    tmp_path: Path, values: list[str], words: str
):
    ingested = _ingest(tmp_path, "a;b\n" + "".join(f"{value};0\n" for value in values))
    assert ingested.schema.columns[0].kind == "category"
    assert f"numbers with {words} signs" in next(iter(ingested.findings.columns.values())).evidence


def test_words_for_missing_values_are_read_as_missing(tmp_path: Path):
    assert _column(tmp_path, "1", "-", "-999", '"-999"', "2", missing="-,-999") == [1, None, None, None, 2]
    assert _column(tmp_path, "x", "?", missing=("?",)) == ["x", None]


def test_warning_about_invalid_values_contains_their_line_numbers(tmp_path: Path):
    data = "a,b\n" + '1,"two\nlines"\n' * 96 + "\nx,1\n\ny,1\nz,1\nw,1\n"
    (warning,) = _ingest(tmp_path, data).warnings
    assert "4 of 100 values cannot be read as whole numbers (first on lines 195, 197, 198)" in warning


def test_single_quotation_marks_are_detected_or_set_by_option(tmp_path: Path):
    assert _read(tmp_path, "a,b\n'x, y',1\n'it''s',2\n").to_pydict() == {"a": ["x, y", "it's"], "b": [1, 2]}
    assert _read(tmp_path, "a,b\n'tis,1\nx,2\n").column("a").to_pylist() == ["'tis", "x"]
    assert _read(tmp_path, "a,b\n'x',1\ny,2\n", quote="'").column("a").to_pylist() == ["x", "y"]
    assert _read(tmp_path, 'a,b\n"x,1\ny",2\n', quote="none").column("a").to_pylist() == ['"x', 'y"']


def test_delimiter_is_set_by_option_or_by_the_first_line(tmp_path: Path):
    assert _read(tmp_path, "a^b\n1^2\n", delimiter="^").column_names == ["a", "b"]
    assert _read(tmp_path, "a,b\tc\n1,2\t3\n", delimiter="tab").column_names == ["a,b", "c"]
    assert _read(tmp_path, "sep=|\na;b|c\n1;2|3\n").column_names == ["a;b", "c"]


def test_detected_delimiter_fits_the_whole_file(tmp_path: Path):
    # The first rows fit both delimiters, but the rows after the first 2 MiB fit only one.
    table = _read(tmp_path, "a,x;b\n" + "1,5;2\n" * 400_000 + "7;8\n" * 400_000)
    assert table.column_names == ["a,x", "b"]


@pytest.mark.parametrize(
    "encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32", "utf-8-sig", "cp1252", "latin-1"]
)
def test_encoding_is_detected(tmp_path: Path, encoding: str):
    table = _read(tmp_path, "name,n\ncafé,1\n".encode(encoding))
    assert table.to_pydict() == {"name": ["café"], "n": [1]}


def test_reading_a_file_as_windows_1252_produces_a_warning(tmp_path: Path):
    data = b"name,n\n" + b"cafe,1\n" * 300_000 + b"caf\xe9,1\n"
    assert "was read as Windows-1252" in _ingest(tmp_path, data).warnings[0]


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "shift_jis", "cp437", "mac-roman"])
def test_encoding_is_set_by_option(tmp_path: Path, encoding: str):
    word = {"cp437": "café", "mac-roman": "café", "shift_jis": "日本"}.get(encoding, "привет")
    table = _read(tmp_path, f"name,n\n{word},1\n".encode(encoding), encoding=encoding)
    assert table.column("name").to_pylist() == [word]


def test_comment_before_the_header_is_not_part_of_the_table(tmp_path: Path):
    assert _read(tmp_path, "# made today\na,b,c\n1,2,3\n4,5,6\n").column_names == ["a", "b", "c"]
    assert _read(tmp_path, "#id,b\n1,2\n").column_names == ["#id", "b"]


@pytest.mark.parametrize(
    "options",
    [
        {"delimiter": "ab"},
        {"delimiter": "x"},
        {"delimiter": '"'},
        {"delimiter": "\n"},
        {"quote": "q"},
        {"encoding": "rot13"},
        {"encoding": "idna"},
        {"decimal": ";"},
        {"decimal": ",", "thousands": ","},
        {"date_order": "dmy"},
        {"missing": ["x" * 65]},
        {"missing": [""]},
        {"bad_rows": "ignore"},
        {"bad_rows_share_max": 0.9},
    ],
    ids=str,
)
def test_option_with_an_invalid_value_is_rejected(options: dict[str, Any]):
    with pytest.raises(ValidationError):
        ReadOptions.model_validate(options)


def test_option_of_another_format_is_rejected(tmp_path: Path):
    table = pa.table({"a": [1]})
    FORMATS["parquet"].write(tmp_path / "t.parquet", table.to_batches(), table.schema)
    with pytest.raises(InvalidInput, match="`delimiter`"):
        read_table(tmp_path / "t.parquet", options=ReadOptions(delimiter=";"))


@pytest.mark.parametrize("written", ["31.12.2024", "12/31/2024", "2024/12/31", "31-12-2024"])
def test_missing_values_among_local_dates_are_preserved(tmp_path: Path, written: str):
    assert _column(tmp_path, written, "", written) == [date(2024, 12, 31), None, date(2024, 12, 31)]


def test_missing_values_among_local_timestamps_are_preserved(tmp_path: Path):
    assert _column(tmp_path, "31.12.2024 12:30", "", "NA")[1:] == [None, None]
