"""Tests for CSV files with omitted fields, many blank rows, ruler lines, or several spellings of booleans."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.parameters.read_options import read_options
from understudy.tables.formats import FORMATS, format_for_path
from understudy.tables.formats.base import Loaded
from understudy.tables.notation import BooleanNotation, DateNotation
from understudy.tables.notations.parsing import parse
from understudy.tables.notations.writing import write

_HEADER = "city,n,price,note\n"


def _load(tmp_path: Path, text: str, **options: Any) -> Loaded:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    return FORMATS["csv"].load(path, options=read_options(options))


def _optional_notes(n: int = 60) -> str:
    return "".join(f"Ulm,{row},{row}.50" + (",late\n" if row % 7 == 0 else "\n") for row in range(n))


def test_omitted_fields_at_the_end_of_rows_are_missing_values(tmp_path: Path):
    loaded = _load(tmp_path, _HEADER + _optional_notes())
    assert loaded.table.num_rows == 60
    assert loaded.table["note"].null_count == 51
    assert "51 of 60 rows have fewer fields than the header (first on lines 3, 4, 5)" in loaded.warnings[0]


def test_omitted_fields_after_a_quoted_line_break_are_missing_values(tmp_path: Path):
    loaded = _load(tmp_path, _HEADER + '"Neu\nUlm",1,2.50\n' + _optional_notes())
    assert loaded.table["city"][0].as_py() == "Neu\nUlm"
    assert loaded.table["note"].null_count == 52


@pytest.mark.parametrize(
    "rows",
    [
        "Ulm,1,2.50,late\n" * 60 + "Ulm,1\n",
        "Ulm,1,2.50,late\nUlm,1,2.50,in two\nlines\n" * 20,
        "Ulm,1,2.50,late\nUlm,1,2.50,\nUlm,1,2.50\n" * 20,
        "Ulm,1,2.50,late\nUlm,1,2.50,late,never\nUlm,1,2.50\n" * 20,
    ],
    ids=["rare", "line break", "blank last field", "too many fields"],
)
def test_rows_that_could_be_damaged_are_refused(tmp_path: Path, rows: str):
    with pytest.raises(InvalidInput, match="`bad_rows` to `skip`"):
        _load(tmp_path, _HEADER + rows)


def test_rows_without_their_last_fields_are_skipped_if_bad_rows_are_skipped(tmp_path: Path):
    text = _HEADER + _optional_notes() + "Ulm,1,2.50,late\n" * 60
    loaded = _load(tmp_path, text, bad_rows="skip", bad_rows_share_max="0.5")
    assert loaded.table.num_rows == 69
    assert loaded.rejects is not None
    assert loaded.rejects.num_rows == 51


def test_thousands_of_blank_rows_are_skipped(tmp_path: Path):
    row = "Ulm,1,2.50,late\n"
    loaded = _load(tmp_path, _HEADER + row * 30 + ",,,\n" * 3_000 + row * 20 + "\n" * 100 + ",,,\n" * 4_000)
    assert loaded.table.num_rows == 50


def test_many_scattered_rows_without_values_are_kept(tmp_path: Path):
    loaded = _load(tmp_path, _HEADER + "Ulm,1,2.50,late\n,,,\n" * 30)
    assert loaded.table.num_rows == 60


def test_table_between_ruler_lines_without_borders_is_read(tmp_path: Path):
    ruler = "-" * 30 + "\n"
    rows = "".join(f"|{number:010}|Ulm  |  {number}.234,50|\n" for number in range(1, 40))
    loaded = _load(tmp_path, f"List\n\n{ruler}|Customer  |Town |    Sales|\n{ruler}{rows}{ruler}")
    assert loaded.table.column_names == ["Customer", "Town", "Sales"]
    assert loaded.table.num_rows == 39
    assert str(loaded.table.schema.field("Sales").type) == "double"


def test_header_with_doubled_quotation_marks_is_read_after_a_byte_order_mark(tmp_path: Path):
    header = '\ufeff"a / {""id"":""a"",""zone"":""x""}","b / {""id"":""b"",""zone"":""x""}"\n'
    loaded = _load(tmp_path, header + '"1","x"\n"2","y"\n' * 100)
    assert loaded.table.num_rows == 200
    assert loaded.table.column_names[0] == 'a / {"id":"a","zone":"x"}'


def test_spellings_of_booleans_keep_their_shares(tmp_path: Path):
    loaded = _load(tmp_path, "n,flag\n" + "1,TRUE\n2,True\n3,TRUE\n4,true\n5,False\n" * 40)
    assert loaded.table.schema.field("flag").type == pa.bool_()
    target = tmp_path / "written.csv"
    FORMATS["csv"].write(target, loaded.table.to_batches(), loaded.table.schema)
    counts = Counter(row["flag"] for row in csv.DictReader(io.StringIO(target.read_text())))
    assert sum(counts.values()) == 200
    assert counts["TRUE"] == pytest.approx(80, abs=5)
    assert counts["True"] == pytest.approx(40, abs=5)
    assert counts["true"] == pytest.approx(40, abs=5)
    assert counts["False"] == 40


def test_colons_and_rare_flags_in_numeric_columns_become_missing_values(tmp_path: Path):
    cells = ["12.3 ", "8.1 ", ": ", "9.4 ", "7.7 ", "10.2 ", "6.6 ", "3.5 ", "4.4 ", "5.0 "]
    rows = "".join(f"A,{cells[n % 10] if n % 7 else '5.3 b'}\n" for n in range(120))
    loaded = _load(tmp_path, "geo,2022 \n" + rows)
    assert str(loaded.table.schema.field("2022 ").type) == "double"
    assert any("2022" in warning for warning in loaded.warnings)


def test_all_words_of_a_notation_are_parsed():
    notation = BooleanNotation(true="J", false="N", true_words=("j",), true_shares=(0.25,))
    texts = pa.array(["J", "j", "N", "x", None])
    assert parse(texts, notation, pa.bool_()).to_pylist() == [True, True, False, None, None]
    assert set(write(pa.array([True] * 20 + [False]), notation).to_pylist()) == {"J", "j", "N"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("old.xls", "save the sheet as .xlsx or .csv"),
        ("b.xlsb", "save the sheet as .xlsx or .csv"),
        ("a.xlt", "save the sheet as .xlsx or .csv"),
        ("a.xltx.gz", "save the sheet as .xlsx or .csv"),
        ("a.sav", "Export the table as CSV"),
        ("export", "rename it to .csv"),
        ("a.unknown", "Use one of .csv"),
    ],
)
def test_unsupported_formats_are_refused_with_a_remedy(name: str, words: str):
    with pytest.raises(InvalidInput, match=words) as caught:
        format_for_path(Path(name))
    assert caught.value.code == "unknown_format"


def _written(tmp_path: Path, loaded: Loaded, name: str) -> list[str]:
    target = tmp_path / "written.csv"
    FORMATS["csv"].write(target, loaded.table.to_batches(), loaded.table.schema)
    return [row[name] for row in csv.DictReader(io.StringIO(target.read_text()))]


def test_offsets_in_hours_are_written_as_in_the_file(tmp_path: Path):
    values = [f"2024-01-{day:02} 10:{day:02}:00.25{day % 10}+00" for day in range(1, 29)]
    loaded = _load(tmp_path, "n,created\n" + "".join(f"1,{value}\n" for value in values))
    assert str(loaded.table.schema.field("created").type) == "timestamp[ms, tz=UTC]"
    assert _written(tmp_path, loaded, "created") == values


def test_half_hour_utc_offsets_keep_their_minutes():
    notation = DateNotation(pattern="%Y-%m-%d %H:%M%-z", offset_minutes=330)
    values = pa.array([0], pa.timestamp("s", tz="UTC"))
    assert write(values, notation).to_pylist() == ["1970-01-01 05:30+0530"]


def test_dates_with_an_hour_are_read_as_timestamps(tmp_path: Path):
    values = [f"202401{day:02}{hour:02}" for day in (1, 17, 31) for hour in range(24)]
    loaded = _load(tmp_path, "station,measured\n" + "".join(f"7,{value}\n" for value in values))
    assert str(loaded.table.schema.field("measured").type) == "timestamp[s]"
    assert _written(tmp_path, loaded, "measured") == values


@pytest.mark.parametrize("values", [["2024011301"], ["2024011300", "2024011401"], ["2024139917"]])
def test_keys_that_begin_with_a_date_stay_numbers(tmp_path: Path, values: list[str]):
    loaded = _load(tmp_path, "station,batch\n" + "".join(f"7,{value}\n" for value in values * 30))
    assert str(loaded.table.schema.field("batch").type) == "int64"


def test_numbered_labels_stay_text(tmp_path: Path):
    loaded = _load(tmp_path, "term,n\n1. Term,1\n2. Term,2\n10. Term,3\n" * 20)
    assert str(loaded.table.schema.field("term").type) == "string"


@pytest.mark.parametrize("offset", ["GMT+1", "GMT-5", "UTC+05:30"])
def test_timestamps_with_a_named_offset_are_written_as_in_the_file(tmp_path: Path, offset: str):
    values = [
        f"2024/03/{day:02} {day % 12 + 1}:05:{day:02} {'AP'[day % 2]}M {offset}" for day in range(1, 29)
    ]
    loaded = _load(tmp_path, "Timestamp,n\n" + "".join(f"{value},1\n" for value in values))
    assert str(loaded.table.schema.field("Timestamp").type) == "timestamp[s]"
    assert _written(tmp_path, loaded, "Timestamp") == values
