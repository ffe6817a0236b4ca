"""Tests for tables in CSV files with titles, notes, comments, units, blank rows or several header rows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from understudy.errors import InvalidInput
from understudy.parameters.read_options import read_options
from understudy.tables.formats import FORMATS
from understudy.tables.formats.base import Loaded

_ROWS = "".join(f"2024-01-{day:02},shop {day % 7},{day}.50,{1000 - day}.25\n" for day in range(1, 29))
_HEADER = "date,text,amount,balance\n"
_NAMES = ["date", "text", "amount", "balance"]
_TYPES = ["date32[day]", "string", "double", "double"]


def _load(tmp_path: Path, text: str | bytes, **options: Any) -> Loaded:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return FORMATS["csv"].load(path, options=read_options(options))


def _padded(text: str, n: int) -> str:
    return "".join(f"{line}{',' * n}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    ("before", "header_line"),
    [
        ("Account statement\nAccount: 12345678\nPeriod: 2024\n\n", 5),
        ("Account statement\n", 2),
        ("Account statement\n\n", 3),
        ("Report: sales, by shop, all\nCreated 2024-02-01, 10:15\n\n", 4),
        ("Account statement,,,\nAccount:,12345678,,\n,,,\n", 4),
        ("Account statement,,,\n", 2),
        ("# made on 2024-02-01\n# by a program, of course\n", 3),
        ('"Statement, ""final"""\n"Two\nlines"\n\n', 5),
        ("Konto;12345678\nZeitraum;2024\n\n", 4),
        ("Account,12345678\nOwner,Nobody\n", 3),
    ],
    ids=[
        "c06",
        "title",
        "title-blank",
        "commas",
        "padded",
        "padded-title",
        "comments",
        "quoted",
        "other",
        "pairs",
    ],
)
def test_lines_above_the_header_are_skipped_with_a_warning(tmp_path: Path, before: str, header_line: int):
    loaded = _load(tmp_path, before + _HEADER + _ROWS)
    assert loaded.table.column_names == _NAMES
    assert [str(type_) for type_ in loaded.table.schema.types] == _TYPES
    assert loaded.table.num_rows == 28
    (warning,) = loaded.warnings
    assert f"line {header_line} was read as the header" in warning
    assert "header_row" in warning


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_lines_above_the_header_are_skipped_with_any_delimiter(tmp_path: Path, delimiter: str):
    text = "Statement, March\n\n" + (_HEADER + _ROWS).replace(",", delimiter)
    assert _load(tmp_path, text).table.column_names == _NAMES


@pytest.mark.parametrize(
    "notes",
    [
        "\nSource: a bank\n",
        "\nSource: a bank, 2024, all branches\nPreliminary figures\n",
        "Source: a bank\n",
        "* without fees\n** with fees\n",
        "These figures are preliminary\n",
        ",,,\nSource: a bank,,,\n",
        "\n\nSource: a bank",
        "Total,,406.50,\n",
    ],
)
def test_notes_below_the_table_are_skipped_with_a_warning(tmp_path: Path, notes: str):
    loaded = _load(tmp_path, _HEADER + _ROWS + notes)
    assert [str(type_) for type_ in loaded.table.schema.types] == _TYPES
    assert loaded.table.num_rows == 28
    (warning,) = loaded.warnings
    assert "below the table" in warning
    assert "line" in warning.lower()


def test_truncated_last_row_is_not_a_note(tmp_path: Path):
    for end in ("2024-01-29", "2024-01-29,shop", "2024-01-29,shop 3,1"):
        with pytest.raises(InvalidInput, match="Line 30") as caught:
            _load(tmp_path, _HEADER + _ROWS + end)
        assert caught.value.code == "ragged_rows"


def test_last_row_within_quotation_marks_is_not_a_note(tmp_path: Path):
    rows = "".join(f'{n},"text of\n\nSource: row {n}"\n' for n in range(20))
    table = _load(tmp_path, "id,text\n" + rows).table
    assert table.column("text").to_pylist()[-1] == "text of\n\nSource: row 19"


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("where", ["everywhere", "rows", "header"])
def test_columns_with_neither_a_name_nor_values_are_dropped_with_a_warning(
    tmp_path: Path, n: int, where: str
):
    header = _HEADER if where == "rows" else _padded(_HEADER, n)
    loaded = _load(tmp_path, header + (_ROWS if where == "header" else _padded(_ROWS, n)))
    assert loaded.table.column_names == _NAMES
    assert len(loaded.warnings) == (where != "header")
    assert all("neither a name nor values" in warning for warning in loaded.warnings)


def test_blank_column_within_the_table_is_dropped(tmp_path: Path):
    loaded = _load(tmp_path, "a,,b\n" + "1,,x\n" * 12)
    assert loaded.table.column_names == ["a", "b"]


def test_column_without_a_name_is_kept_if_any_row_contains_a_value(tmp_path: Path):
    rows = _padded(_ROWS, 1) * 400
    loaded = _load(tmp_path, _padded(_HEADER, 1) + rows + "2024-02-01,shop 9,1.50,2.25,x\n")
    assert loaded.table.column_names == [*_NAMES, "column_5"]
    assert loaded.table.column("column_5").null_count == 400 * 28
    assert "Column 5 has no name and was named 'column_5'" in loaded.warnings[0]


@pytest.mark.parametrize("header", [",", ""], ids=["blank name", "no name"])
def test_row_numbers_become_an_index_column(tmp_path: Path, header: str):
    rows = "".join(f"{number},{row}" for number, row in enumerate(_ROWS.splitlines(keepends=True)))
    loaded = _load(tmp_path, header + _HEADER + rows)
    assert loaded.table.column_names == ["index", *_NAMES]
    assert "Column 1 has no name and was named 'index'" in loaded.warnings[0]


def test_two_header_rows_are_joined(tmp_path: Path):
    rows = "".join(f"{n},,yes,no,30-44\n" for n in range(100, 120))
    loaded = _load(tmp_path, "id,Which?,,,Age?\n,One,Two,Three,Response\n" + rows)
    assert loaded.table.column_names == [
        "id",
        "Which? / One",
        "Which? / Two",
        "Which? / Three",
        "Age? / Response",
    ]
    assert loaded.table.num_rows == 20
    assert "Lines 1 to 2 were read as header rows" in loaded.warnings[0]


def test_group_names_above_the_header_are_joined_with_it(tmp_path: Path):
    rows = "".join(f"{n},1,2,3,4\n" for n in range(20))
    loaded = _load(tmp_path, ",Sales,,Costs,\nyear,net,gross,net,gross\n" + rows)
    assert loaded.table.column_names == [
        "year",
        "Sales / net",
        "Sales / gross",
        "Costs / net",
        "Costs / gross",
    ]


def test_two_header_rows_below_a_title_are_joined(tmp_path: Path):
    rows = "".join(f"{n},1,2\n" for n in range(20))
    loaded = _load(tmp_path, "Trial 7\n\nsubject,Dose,\n,start,end\n" + rows)
    assert loaded.table.column_names == ["subject", "Dose / start", "Dose / end"]
    assert len(loaded.warnings) == 2


def test_labels_below_the_header_are_joined_with_it(tmp_path: Path):
    rows = "".join(f"{n},{n % 5},a\n" for n in range(20))
    loaded = _load(tmp_path, "q1,q2,q3\nHow old are you?,How many pets?,Which town?\n" + rows)
    assert loaded.table.column_names == ["q1 / How old are you?", "q2 / How many pets?", "q3 / Which town?"]
    assert str(loaded.table.schema.types[0]) == "int64"


@pytest.mark.parametrize("units", [",cm,kg", ",(cm),(kg)", "-,cm,kg/m2", "text,integer,float"])
def test_units_below_the_header_are_skipped_with_a_warning(tmp_path: Path, units: str):
    rows = "".join(f"p{n},{150 + n},{50 + n}.5\n" for n in range(20))
    loaded = _load(tmp_path, f"id,height,weight\n{units}\n" + rows)
    assert loaded.table.column_names == ["id", "height", "weight"]
    assert loaded.table.num_rows == 20
    assert "Line 2, directly below the header, contains units" in loaded.warnings[0]
    joined = _load(tmp_path, "id,height,weight\n,cm,kg\n" + rows, join_headers="true")
    assert joined.table.column_names == ["id", "height / cm", "weight / kg"]
    assert joined.warnings == []


def test_error_about_a_possible_second_header_row_contains_the_option(tmp_path: Path):
    text = "town,sights,\nOslo,fjord,ship\n" + "Rome,forum,church\n" * 9
    with pytest.raises(InvalidInput, match=r"Line 2 may be a second header row.*`join_headers`") as caught:
        _load(tmp_path, text)
    assert caught.value.code == "invalid_header"
    assert _load(tmp_path, text, join_headers="false").table.column_names == ["town", "sights", "column_3"]
    assert _load(tmp_path, text, join_headers="true").table.num_rows == 9


def test_error_about_an_uncertain_header_contains_the_option(tmp_path: Path):
    text = "Towns\nof the world\nname,country\n" + "Oslo,Norway\nRome,Italy\n" * 9
    with pytest.raises(InvalidInput, match=r"Lines 1 to 2 have fewer fields.*`header_row`") as caught:
        _load(tmp_path, text)
    assert caught.value.code == "invalid_header"
    assert _load(tmp_path, text, header_row="3").table.column_names == ["name", "country"]


@pytest.mark.parametrize("first", ["# from a station\n", ""])
def test_comments_within_the_table_are_skipped(tmp_path: Path, first: str):
    rows = _ROWS.splitlines(keepends=True)
    rows[4:4] = ["# the station moved, again\n"]
    rows[20:20] = ["#\n"]
    loaded = _load(tmp_path, first + _HEADER + "".join(rows))
    assert loaded.table.num_rows == 28
    assert any("2 lines that start with # were skipped as comments" in text for text in loaded.warnings)


def test_number_sign_within_a_quoted_text_is_kept(tmp_path: Path):
    text = "id,text\n# comment\n" + "".join(f'{n},"a\n# b"\n' for n in range(20))
    table = _load(tmp_path, text).table
    assert table.column("text").to_pylist() == ["a\n# b"] * 20


def test_blank_rows_within_the_table_are_skipped(tmp_path: Path):
    rows = _ROWS.splitlines(keepends=True)
    rows[7:7] = [",,,\n"]
    rows[20:20] = ["\n", ",,,\n"]
    loaded = _load(tmp_path, _HEADER + "".join(rows) + ",,,\n")
    assert loaded.table.num_rows == 28
    assert all(not field.nullable for field in loaded.table.schema)
    assert loaded.warnings == ["3 blank rows were skipped."]


@pytest.mark.parametrize("word", [" ", "NA", "?"])
def test_column_with_words_for_missing_values_stays_nullable_after_blank_rows(word: str, tmp_path: Path):
    rows = [f"{n},{word if n % 7 == 0 else n * 3}\n" for n in range(60)]
    rows[20:20] = [",\n"]
    table = _load(tmp_path, "a,b\n" + "".join(rows)).table
    assert table.column("b").null_count == 9
    assert [field.nullable for field in table.schema] == [False, True]


def test_row_of_missing_values_is_kept_if_every_column_has_missing_values(tmp_path: Path):
    rows = "".join("1,\n" if n % 2 else ",x\n" for n in range(20))
    assert _load(tmp_path, "a,b\n" + rows + ",\n").table.num_rows == 21


def test_errors_after_skipped_lines_contain_the_line_number_in_the_file(tmp_path: Path):
    text = "Title\n\n" + _HEADER + "# note\n" + _ROWS + "1,2\n" + _ROWS + "\nSource: a bank\n"
    with pytest.raises(InvalidInput, match=r"Line 33 of the file has 2 fields"):
        _load(tmp_path, text)
    loaded = _load(tmp_path, text, bad_rows="skip", bad_rows_share_max="0.1")
    assert loaded.rejects is not None
    assert loaded.rejects.column("line").to_pylist() == [33]
    assert loaded.table.num_rows == 56


def test_specified_lines_are_skipped(tmp_path: Path):
    text = "Title\n" + _HEADER + "units\n" + _ROWS + "end, of, it\n"
    table = _load(tmp_path, text, skip_rows="1,3,32-").table
    assert table.column_names == _NAMES
    assert table.num_rows == 28


def test_layout_is_detected_despite_a_byte_order_mark_and_windows_line_endings(tmp_path: Path):
    text = "\ufeffTitle\n\n" + _HEADER + _ROWS + "\nSource: a bank\n"
    loaded = _load(tmp_path, text.replace("\n", "\r\n"))
    assert loaded.table.column_names == _NAMES
    assert loaded.table.num_rows == 28
    assert "Lines 32 to 33 below" in " ".join(loaded.warnings)


def test_notes_around_a_large_table_are_skipped(tmp_path: Path):
    text = "Title\n\n" + _HEADER + _ROWS * 5_000 + "\nSource: a bank\n"
    loaded = _load(tmp_path, text)
    assert loaded.table.num_rows == 140_000
    assert "Lines 140,004 to 140,005 below the table" in loaded.warnings[1]


@pytest.mark.parametrize(
    "text",
    [
        "amount\n" + "1,5\n" * 20,
        "text\n" + "hello world\nso, it is\none, two, three\n" * 5,
        "a,b\n" + "1,x\n" * 20,
        "#id,b\n" + "1,x\n" * 20,
        "name,score\nBob,absent\n" + "Ann,5\n" * 20,
        "year,2019,2020\n" + "a,1,2\n" * 20,
        "a,b,c\n,,\n" + "1,,2\n" * 3,
    ],
)
def test_plain_tables_are_read_without_warnings(tmp_path: Path, text: str):
    loaded = _load(tmp_path, text)
    assert loaded.table.num_rows == len(text.splitlines()) - 1
    assert loaded.table.column_names[0] == text.splitlines()[0].split(",")[0]
    assert not [warning for warning in loaded.warnings if not re.search("is text|`coerce`", warning)]


@pytest.mark.parametrize("delimiter", [",", "\t", " "])
def test_row_names_written_by_r_become_an_index_column(tmp_path: Path, delimiter: str):
    rows = [(f"gene{i}", f"{i / 7:.3f}", f"{i % 3}") for i in range(40)]
    lines = ['"low","high"', *(f'"{name}",{low},{high}' for name, low, high in rows)]
    loaded = _load(tmp_path, "\n".join(line.replace(",", delimiter) for line in lines) + "\n")
    assert loaded.table.column_names == ["index", "low", "high"]
    assert loaded.table.column("index")[7].as_py() == "gene7"
    assert "Column 1 has no name and was named 'index'" in loaded.warnings[0]


def test_delimiter_at_the_end_of_each_row_does_not_shift_the_columns(tmp_path: Path):
    loaded = _load(tmp_path, "a,b\n" + "".join(f"{i},x{i % 3},\n" for i in range(1, 40)))
    assert loaded.table.slice(0, 1).to_pydict() == {"a": [1], "b": ["x1"]}


def test_single_column_table_that_contains_delimiters_produces_a_warning(tmp_path: Path):
    loaded = _load(tmp_path, "title\n" + "2024-01-01,x,1.5\n" * 20)
    assert loaded.table.num_columns == 1
    assert "read as a table of one column" in loaded.warnings[0]
    assert "header_row" in loaded.warnings[0]


@pytest.mark.parametrize(
    "options",
    [
        {"header_row": "-1"},
        {"header_row": "x"},
        {"skip_rows": "5-2"},
        {"skip_rows": "a"},
        {"skip_rows": "0"},
        {"join_headers": "2 of them"},
    ],
)
def test_invalid_layout_options_are_refused(tmp_path: Path, options: dict[str, str]):
    with pytest.raises(InvalidInput) as caught:
        _load(tmp_path, _HEADER + _ROWS, **options)
    assert caught.value.code == "invalid_parameters"


def test_header_row_after_the_end_of_the_file_is_refused(tmp_path: Path):
    with pytest.raises(InvalidInput, match="Line 99 cannot be the header"):
        _load(tmp_path, _HEADER + _ROWS, header_row="99")


def test_long_runs_of_blanks_are_read_in_linear_time(tmp_path: Path) -> None:
    # With a search that is cubic in the length, this test would take several hours.
    loaded = _load(tmp_path, "a,b\n" + f"1{' ' * 5_000}x,(1{' ' * 5_000}y\n" * 12)
    assert loaded.table.num_rows == 12
