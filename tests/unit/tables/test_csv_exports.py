"""Tests for CSV files that banks, databases, loggers and reporting tools export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from understudy.errors import InvalidInput
from understudy.parameters.read_options import read_options
from understudy.tables.formats import FORMATS
from understudy.tables.formats.base import Loaded
from understudy.tables.formats.csv import notes
from understudy.tables.formats.layout.sums import find_sum_row


def _load(tmp_path: Path, text: str, **options: Any) -> Loaded:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    return FORMATS["csv"].load(path, options=read_options(options))


def _rows(pattern: str, n: int = 30) -> str:
    return "".join(pattern.format(n=n, day=n % 28 + 1, place="NESW"[n * 7 % 4]) for n in range(n))


def test_account_data_and_closing_balances_of_a_statement_are_skipped(tmp_path: Path):
    above = "Konto:;DE00\nZeitraum:;01.01.2024-31.01.2024\n\nTag;Text;Betrag;Saldo\n"
    below = "\nAnfangssaldo;1.000,00\nEndsaldo;2.034,12\nSumme Soll;;-123,00;\n"
    loaded = _load(tmp_path, above + _rows("{day:02}.01.2024;Miete {place};{n},50;1.{n:03},25\n") + below)
    assert loaded.table.column_names == ["Tag", "Text", "Betrag", "Saldo"]
    assert [str(type_) for type_ in loaded.table.schema.types] == [
        "date32[day]",
        "string",
        "double",
        "double",
    ]
    assert loaded.table.num_rows == 30
    assert any("Lines 35 to 38 below the table" in warning for warning in loaded.warnings)


@pytest.mark.parametrize("end", ["Total,435,{}\n", "TOTAL,435,\n", "Gesamt,435,9\n", "Somme,435,9\n"])
def test_totals_rows_in_several_languages_are_skipped(tmp_path: Path, end: str):
    loaded = _load(tmp_path, "day,n,m\n" + _rows("2024-01-{day:02},{n},{n}\n") + end.format(870))
    assert loaded.table.num_rows == 30
    assert str(loaded.table.schema.types[0]) == "date32[day]"


@pytest.mark.parametrize("end", [";435;450,0 €", ";;450,00 €", ";435;450 €", ";435;450,00 €\n\nStand: Mai"])
def test_sums_without_a_label_below_the_table_are_skipped(tmp_path: Path, end: str):
    loaded = _load(tmp_path, "Ort;Menge;Betrag\n" + _rows("{place};{n};{n},50 €\n") + end + "\n")
    assert loaded.table.num_rows == 30
    (warning,) = loaded.warnings
    assert "below the table" in warning


@pytest.mark.parametrize("end", [";435;451,50 €", ";;29,50 €", ";29;450,00 €", "N;435;450,00 €", ";30;"])
def test_last_row_without_a_label_is_kept_unless_all_numbers_are_sums(tmp_path: Path, end: str):
    loaded = _load(tmp_path, "Ort;Menge;Betrag\n" + _rows("{place};{n};{n},50 €\n") + end + "\n")
    assert loaded.table.num_rows == 31


@pytest.mark.parametrize(
    ("rows", "end"),
    [
        (["a,5,-7", "b,-5,7"] * 10, ",0,0"),
        (["a,0.5,0.25", "b,0.2,0.45", "c,0.1,0.15"] + ["d,0.02,0.06"] * 9, ",1,1"),
        ([f"a,{n % 5 // 4}," for n in range(19)], ",3,"),
        (["a,1e308,1e308"] * 12, ",5,5"),
    ],
    ids=["zero", "rounded", "small", "infinite"],
)
def test_last_row_without_a_label_is_kept_if_it_may_equal_the_sums_by_chance(
    tmp_path: Path, rows: list[str], end: str
):
    table = _load(tmp_path, "\n".join(["place,n,m", *rows, end]) + "\n").table
    assert table.num_rows == len(rows) + 1


def test_rows_are_not_added_up_if_all_columns_have_both_signs():
    rows = [["a", "5", "9"], ["b", "-1", "-2"]] * 10
    assert find_sum_row([*rows, ["", "40", "70"]]) is None
    assert find_sum_row([*rows, ["c", "1", "2"], ["", "41", "72"]]) is None
    assert find_sum_row([[name, x, y.strip("-")] for name, x, y in rows] + [["", "40", "110"]]) is not None


def test_large_file_is_not_searched_for_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = "place,n,m\n" + _rows("{place},{n},{n}.5\n") + ",435,450\n"
    assert _load(tmp_path, text).table.num_rows == 30
    monkeypatch.setattr(notes, "_SUMMED_BYTES_MAX", 100)
    assert _load(tmp_path, text).table.num_rows == 31


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0c", "\x1c"])
def test_unusual_line_separators_within_values_do_not_end_a_line(tmp_path: Path, mark: str):
    rows = _rows("{n} part{n} " + f'"a{mark}b"' + "\n")
    loaded = _load(tmp_path, "id name text\n" + rows)
    assert loaded.table.column("text").to_pylist() == [f"a{mark}b"] * 30
    report = _rows("{n},part{n},2\n") + "id,name,size\n" + _rows("{n},part{n},2\n")
    loaded = _load(tmp_path, f"Report{mark}of parts\n\nid,name,size\n" + report)
    assert loaded.table.num_rows == 60
    assert any("1 repetition of the header" in warning for warning in loaded.warnings)


def test_rows_with_a_category_named_total_are_kept(tmp_path: Path):
    rows = _rows("0-14,{place},{n}\n15-64,{place},{n}\nTotal,{place},{n}\n")
    assert _load(tmp_path, "age,place,n\n" + rows).table.num_rows == 90


def test_unnamed_column_of_empty_texts_is_dropped(tmp_path: Path):
    rows = _rows('"{day:02}.01.24";"{place} GmbH";"{n},50";""\n')
    loaded = _load(tmp_path, '"Tag";"Name";"Betrag";""\n' + rows)
    assert loaded.table.column_names == ["Tag", "Name", "Betrag"]
    assert "neither a name nor values" in loaded.warnings[0]


def test_three_header_rows_are_joined_across_blank_cells(tmp_path: Path):
    rows = _rows("{place} {n},{n},2,3,4\n")
    loaded = _load(tmp_path, ",Trade,,,\n,2022,,2023,\nRegion,t,EUR,t,EUR\n" + rows)
    assert loaded.table.column_names[2:4] == ["Trade / 2022 / EUR", "Trade / 2023 / t"]


def test_wide_first_line_and_unit_rows_of_a_logger_are_recognized(tmp_path: Path):
    head = '"TOA5","CR1000","CR1000","1234","CPU:a.CR1"\n"TIMESTAMP","RECORD","Volt"\n"TS","RN","Volts"\n'
    loaded = _load(tmp_path, head + '"","","Avg"\n' + _rows('"2024-01-{day:02} 00:00:00",{n},12.{n}\n'))
    assert loaded.table.column_names == ["TIMESTAMP / TS", "RECORD / RN", "Volt / Volts / Avg"]
    assert [str(type_) for type_ in loaded.table.schema.types] == ["timestamp[s]", "int64", "double"]


@pytest.mark.parametrize("page", ["", "\nPage 2 of 9\n\n", "\f\n"])
def test_repeated_headers_of_a_paged_report_are_skipped(tmp_path: Path, page: str):
    header = "Article,Store,Sold\n"
    text = f"Stock list\n\n{header}" + (_rows("{place},S{n},{n}\n", 150) + page + header) * 3 + "x,y,1\n"
    loaded = _load(tmp_path, text)
    assert loaded.table.num_rows == 451
    assert str(loaded.table.schema.types[2]) == "int64"
    assert "3 repetitions of the header were skipped." in loaded.warnings


def test_header_line_within_a_quoted_field_is_kept(tmp_path: Path):
    text = "a,b\n" + "".join(f'{n},"text\na,b\nend"\n' for n in range(20))
    assert _load(tmp_path, text).table.column("b").to_pylist() == ["text\na,b\nend"] * 20


@pytest.mark.parametrize("label", ["Total {0}", "{0} total", "Subtotal", "Zwischensumme", "Sous-total {0}"])
def test_subtotal_rows_are_skipped(tmp_path: Path, label: str):
    group = "".join(f"{{0}},shop {n},{n * 5}\n" for n in range(12)) + label + ",,999\n"
    text = "region,shop,sales\n" + "".join(group.format(name) for name in ("North", "South", "West"))
    loaded = _load(tmp_path, text + "Grand total,,2997\n")
    assert loaded.table.num_rows == 36
    assert set(loaded.table.column("region").to_pylist()) == {"North", "South", "West"}
    assert any("rows of totals within the table were skipped" in warning for warning in loaded.warnings)


def test_row_whose_title_begins_with_the_word_total_is_kept(tmp_path: Path):
    rows = _rows("film {n},{place},{n}\n")
    assert _load(tmp_path, "title,director,year\nTotal eclipse,,1995\n" + rows).table.num_rows == 31


@pytest.mark.parametrize("mark", ["#", "//", "%"])
def test_comments_with_different_comment_marks_are_skipped(tmp_path: Path, mark: str):
    rows = _rows("{n};{day};{place}\n", 20)
    loaded = _load(tmp_path, f"{mark} sensor 5\nn;day;place\n{rows}{mark} moved, again\n{rows}")
    assert loaded.table.num_rows == 40
    assert f"1 line that starts with {mark} was skipped as a comment." in loaded.warnings


@pytest.mark.parametrize("line", ["   \n", " ,,\n", "\t\n", "\x1a"])
def test_lines_that_contain_only_blank_fields_are_skipped(tmp_path: Path, line: str):
    loaded = _load(tmp_path, "a,b,c\n" + _rows("{n},{place},{day}\n") + line)
    assert loaded.table.num_rows == 30
    assert str(loaded.table.schema.types[0]) == "int64"


@pytest.mark.parametrize(
    "text",
    [
        " id | name  | qty \n----+-------+-----\n"
        + _rows("  {n} | {place}     |   {day}\n")
        + "(30 rows)\n\n",
        "+----+------+-----+\n| id | name | qty |\n+----+------+-----+\n"
        + _rows("| {n} | {place}    | {day} |\n")
        + "+----+------+-----+\n30 rows in set (0.01 sec)\n",
        "| id | name | qty |\n|:---|------|----:|\n" + _rows("| {n} | {place} | {day} |\n"),
        "id,name,qty\n--,----,---\n" + _rows("{n},{place},{day}\n") + "\n(30 rows affected)\n",
    ],
    ids=["psql", "mysql", "markdown", "sqlcmd"],
)
def test_tables_drawn_with_text_are_read(tmp_path: Path, text: str):
    table = _load(tmp_path, text).table
    assert table.column_names == ["id", "name", "qty"]
    assert table.num_rows == 30
    assert [str(type_) for type_ in table.schema.types] == ["int64", "string", "int64"]
    assert table.column("name").to_pylist()[1] == "W"


@pytest.mark.parametrize("delimiter", ["^", "~", "!", "\x01", "\x1f", ":"])
def test_unusual_delimiter_is_detected_with_a_warning(tmp_path: Path, delimiter: str):
    text = "id,name,amount\n" + _rows("{n},{place} x,{n}.5\n")
    loaded = _load(tmp_path, text.replace(",", delimiter))
    assert loaded.table.column_names == ["id", "name", "amount"]
    assert "was read as the delimiter" in loaded.warnings[0]
    assert _load(tmp_path, text.replace(",", delimiter), delimiter=delimiter).warnings == []


@pytest.mark.parametrize(
    "text",
    [
        "id  name amount\n" + _rows("{n}   {place}    {n}.5\n"),
        "id name amount\n" + _rows("{n} {place} {n}.5\n"),
        "   ID  NAME    AMOUNT\r\n" + _rows('{n:>5}  "{place}, x"  {n:>8}.5\r\n').replace(",", ""),
    ],
    ids=["aligned", "single", "quoted"],
)
def test_columns_separated_by_spaces_are_read_with_a_warning(tmp_path: Path, text: str):
    loaded = _load(tmp_path, text)
    assert [name.lower() for name in loaded.table.column_names] == ["id", "name", "amount"]
    assert [str(type_) for type_ in loaded.table.schema.types] == ["int64", "string", "double"]
    assert "`whitespace`" in loaded.warnings[0]
    assert _load(tmp_path, text, delimiter="whitespace").warnings == []


@pytest.mark.parametrize(
    "text",
    [
        "full name\n" + "John Smith\n" * 20,
        "a remark here\n" + "three words only\n" * 20,
        "time\n" + "12:30:00\n" * 20,
        "url\n" + "https://example.org/a?b=c&d\n" * 20,
        "name: text\n" + "Alpha: one\n" * 20,
    ],
)
def test_single_column_of_text_is_not_split(tmp_path: Path, text: str):
    assert _load(tmp_path, text).table.num_columns == 1


def test_columns_of_fixed_width_with_spaces_in_values_produce_a_warning(tmp_path: Path):
    text = "CITY       COUNTRY\n" + "New York   USA    \nRome       Italy  \n" * 20
    assert "columns of fixed width" in _load(tmp_path, text).warnings[0]


def test_single_quotation_marks_around_the_delimiter_are_recognized(tmp_path: Path):
    table = _load(tmp_path, "id,name\n" + _rows("{n},'it, {place}'\n")).table
    assert table.column("name").to_pylist()[0] == "it, N"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<table><tr><td>1,2</td></tr></table>", "HTML or XML"),
        (b"<rows>\n<r a='1'/>\n</rows>", "HTML or XML"),
        (b"-- dump\n--\nDROP TABLE IF EXISTS t;\nCREATE TABLE t (id int);\n", "SQL"),
        (b"INSERT INTO t (a, b) VALUES (1, 2);\n", "SQL"),
        (b"SET statement_timeout = 0;\n", "SQL"),
        (b"[\n{}]", "JSON"),
        (b"{\\rtf1}", "RTF"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "workbook"),
        (
            b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
            "OpenDocument",
        ),
    ],
)
def test_files_in_other_formats_are_refused_with_a_remedy(tmp_path: Path, data: bytes, words: str):
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match="The file is not CSV but") as caught:
        FORMATS["csv"].load(path)
    assert words in str(caught.value)
    assert caught.value.code == "unreadable_file"


@pytest.mark.parametrize(
    ("row", "n_columns"),
    [
        ("{n},{place},2024-01-{day:02},{n}.50\n", 4),
        ("{day}, {place}, 77{n}, Masters\n", 4),
        ("5.{day},3.5,1.{n},0.2\n", 4),
        ("user{n}@example.org\n", 1),
        ('10.0.0.{day} - - [10/Oct/2000:13:55:{day:02} -0700] "GET /a HTTP/1.0" 200 {n}\n', 1),
    ],
    ids=["dates", "levels", "numbers", "email", "log"],
)
def test_file_without_a_header_is_refused_unless_the_header_row_is_specified(
    tmp_path: Path, row: str, n_columns: int
):
    text = _rows(row)
    with pytest.raises(InvalidInput, match=r"Line 1 looks like a row of data.*`header_row` to 0") as caught:
        _load(tmp_path, text)
    assert caught.value.code == "invalid_header"
    table = _load(tmp_path, text, header_row="0").table
    assert table.column_names == [f"column_{number}" for number in range(1, n_columns + 1)]
    assert table.num_rows == 30
    assert _load(tmp_path, text, header_row="1").table.num_rows == 29


@pytest.mark.parametrize(
    "text",
    [
        "0,1,2\n" + _rows("{n},{day},5\n"),
        "wave,400.5,401.0,401.5\n" + _rows("{place},0.5,0.6,0.{n}\n"),
        "basket,item_1,item_2\n" + _rows("{n},item_{day},item_7\n"),
        "country,2019,2020\n" + _rows("{place},{n}.5,{day}\n"),
        "product,2024-01-01,2024-02-01\n" + _rows("{place},{n},{day}\n"),
    ],
)
def test_column_names_with_digits_are_read_as_a_header(tmp_path: Path, text: str):
    assert _load(tmp_path, text).table.num_rows == 30


def test_error_in_a_file_without_a_header_contains_the_line_number(tmp_path: Path):
    text = "\n" + _rows("{n},{place}\n") + "1,2,3\n"
    with pytest.raises(InvalidInput, match="Line 32 of the file has 3 fields"):
        _load(tmp_path, text, header_row="0")
    loaded = _load(tmp_path, text, header_row="0", bad_rows="skip", bad_rows_share_max="0.1")
    assert loaded.table.num_rows == 30
