"""Tests for CSV reading: delimiters, headers, line endings, encodings and types."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.tables.formats import FORMATS, Ingested, ReadLimits, format_for_path, read_table


def _read(tmp_path: Path, data: bytes | str) -> pa.Table:
    path = tmp_path / "table.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_table(path)


def _ingest(tmp_path: Path, data: str) -> Ingested:
    (tmp_path / "table.csv").write_text(data, encoding="utf-8", newline="")
    return FORMATS["csv"].ingest(tmp_path / "table.csv", tmp_path / "table.parquet", ReadLimits())


def _column(tmp_path: Path, *values: str) -> pa.ChunkedArray:
    """Ingest a column with the given fields, and return its type and values."""
    rows = "".join(f"{value},0\n" for value in values)
    return _read(tmp_path, f"a,b\n{rows}").column("a")


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "-2", "0"], pa.int64()),
        (["9223372036854775807", "-9223372036854775808"], pa.int64()),
        (["1", "2.5"], pa.float64()),
        (["1.0", "2.0"], pa.float64()),
        (["1e5", ".5", "5.", "-1E-7"], pa.float64()),
        (["true", "false"], pa.bool_()),
        (["TRUE", "False"], pa.bool_()),
        (["2024-02-29", "0001-01-01"], pa.date32()),
        (["12:30", "23:59:59"], pa.time32("s")),
        (["12:30:00.5"], pa.time32("ms")),
        (["12:30:00.123456"], pa.time64("us")),
        (["12:30:00.123456789"], pa.time64("ns")),
        (["2024-02-29 12:30", "2024-02-29T12:30:00"], pa.timestamp("s")),
        (["2024-02-29 12:30:00.123"], pa.timestamp("ms")),
        (["2024-02-29 12:30:00.123456"], pa.timestamp("us")),
        (["2024-02-29 12:30:00.123456789"], pa.timestamp("ns")),
        (["2024-02-29T12:30:00Z", "2024-02-29 12:30:00+02:00"], pa.timestamp("s", tz="UTC")),
        (["2024-02-29 12:30:00.5Z", "2024-02-29 12:30-0500"], pa.timestamp("ms", tz="UTC")),
    ],
    ids=str,
)
def test_type_of_a_column_fits_all_values(tmp_path: Path, values: list[str], type_: pa.DataType):
    assert _column(tmp_path, *values).type == type_
    assert _column(tmp_path, *values).null_count == 0


@pytest.mark.parametrize(
    "values",
    [
        ["00501", "10001"],
        ["+4930123", "+4930124"],
        ["99999999999999999999", "1"],
        ["1", "2", "x"],
        ["0", "1", "true"],
        ["2023-02-29", "2024-02-29"],
        ["0000-01-01", "2024-01-01"],
        ["24:61:00", "12:00:00"],
        ["2024-02-29 12:30", "2024-02-29 12:30Z"],
        ["2500-01-01 00:00:00.123456789", "2024-01-01 00:00:00"],
        ["01/02/2024", "02/01/2024"],
        ["=1+1", "@x"],
    ],
    ids=str,
)
def test_values_that_conversion_would_change_stay_text(tmp_path: Path, values: list[str]):
    column = _column(tmp_path, *values)
    assert column.type == pa.string()
    assert column.to_pylist() == [value.strip('"') for value in values]


@pytest.mark.parametrize("token", ["", "NA", "N/A", "NULL", "null", "NaN"])
def test_missing_values_do_not_affect_the_type_of_a_column(tmp_path: Path, token: str):
    assert _column(tmp_path, "1", token).to_pylist() == [1, None]
    assert _column(tmp_path, "x", token).to_pylist() == ["x", None]
    assert _column(tmp_path, "true", token).to_pylist() == [True, None]


def test_quoted_words_for_missing_values_are_text_except_in_numeric_columns(tmp_path: Path):
    assert _column(tmp_path, "x", '""', '"NA"').to_pylist() == ["x", "", "NA"]
    assert _column(tmp_path, "1", '""', '"NA"').to_pylist() == [1, None, None]


def test_infinite_values_are_read_as_missing_and_reported(tmp_path: Path):
    ingested = _ingest(tmp_path, "a,b\n1.5,x\ninf,x\n-Infinity,x\n1e999,x\n")
    assert ingested.warnings == ["Column 'a': 3 infinite values were replaced with missing values."]
    assert ingested.schema.columns[0].nullable


def test_column_without_values_is_text(tmp_path: Path):
    assert _column(tmp_path, "", "").type == pa.string()


def test_last_value_can_change_the_type_of_a_column(tmp_path: Path):
    numbers = "true,1,1\n" * 5_000
    table = _read(tmp_path, f"a,b,c\n{numbers}x,2.5,01\n")
    assert table.schema.types == [pa.string(), pa.float64(), pa.string()]
    assert table.column("c")[0].as_py() == "1"


def test_type_is_detected_if_only_the_last_row_has_a_value(tmp_path: Path):
    gaps = ",x\n" * 5_000
    assert _read(tmp_path, f"a,b\n{gaps}2024-01-01,x\n").schema.types[0] == pa.date32()


def test_whitespace_is_removed_around_numbers_and_kept_around_text(tmp_path: Path):
    assert _read(tmp_path, "a,b\n  1, x \n 10,y\n").to_pydict() == {"a": [1, 10], "b": [" x ", "y"]}


def test_column_with_missing_values_is_nullable(tmp_path: Path):
    schema = _ingest(tmp_path, "a,b\n1,\n2,x\n").schema
    assert [column.nullable for column in schema.columns] == [False, True]


def test_warning_about_invalid_values_contains_no_values(tmp_path: Path):
    ingested = _ingest(tmp_path, "zip,n\n" + "00501,1\n" * 99 + "00501,canary\n")
    assert "leading zeros" in next(iter(ingested.findings.columns.values())).evidence
    (warning,) = ingested.warnings
    assert warning.startswith("Column 'n': 1 of 100 values cannot be read as whole numbers (line 101).")
    assert "canary" not in warning
    assert "canary" not in ingested.schema.model_dump_json()


def test_numeric_header_produces_a_warning(tmp_path: Path):
    assert "Check that the header is not missing." in _ingest(tmp_path, "1,2.5\n3,4\n").warnings[0]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_delimiter_is_detected(tmp_path: Path, delimiter: str):
    rows = [["a", "b"], ["1", '"x,;|\ty"'], ["2", "z"]]
    table = _read(tmp_path, "\n".join(delimiter.join(row) for row in rows))
    assert table.to_pydict() == {"a": [1, 2], "b": ["x,;|\ty", "z"]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_every_kind_of_line_ending_is_supported(tmp_path: Path, end: str, last: bool):
    text = end.join(["a,b", "1,x", "2,y"]) + (end if last else "")
    assert _read(tmp_path, text).to_pydict() == {"a": [1, 2], "b": ["x", "y"]}


def test_mixed_line_endings_are_supported(tmp_path: Path):
    assert _read(tmp_path, 'a,b\r\n1,x\n2,"y\rz"\r3,w\n').to_pydict() == {
        "a": [1, 2, 3],
        "b": ["x", "y\nz", "w"],
    }


def test_blank_lines_are_skipped(tmp_path: Path):
    assert _read(tmp_path, "\n\na,b\n1,2\n\n\n3,4\n\n").to_pydict() == {"a": [1, 3], "b": [2, 4]}


def test_blank_line_in_a_single_column_table_is_a_missing_value(tmp_path: Path):
    assert _read(tmp_path, "a\n1\n\n3\n").to_pydict() == {"a": [1, None, 3]}


def test_prose_with_commas_is_read_as_a_single_column(tmp_path: Path):
    assert _read(tmp_path, "note\nhello world\nso, it is\n").to_pydict() == {
        "note": ["hello world", "so, it is"]
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_encodings_are_read(tmp_path: Path, encoding: str):
    assert _read(tmp_path, "naïve,b\né😀,1\n".encode(encoding)).to_pydict() == {"naïve": ["é😀"], "b": [1]}


def test_characters_that_cross_a_read_boundary_are_decoded(tmp_path: Path):
    # The check reads 1 MiB at a time. An odd offset puts a two-byte character across each boundary.
    table = _read(tmp_path, "a,bb\n" + ("é" * 1_000 + ",1\n") * 2_000)
    assert table.num_rows == 2_000
    assert set(table.column("a").to_pylist()) == {"é" * 1_000}


@pytest.mark.parametrize(
    "names",
    [["A", "a"], ["é", "e\u0301"], ["__proto__", "'; DROP TABLE x; --"], ["c1", "c0"], ["x" * 1_000, " a "]],
    ids=str,
)
def test_unusual_column_names_are_kept(tmp_path: Path, names: list[str]):
    assert _read(tmp_path, ",".join(names) + "\n1,2\n").column_names == names


def test_quoted_column_name_can_contain_any_character(tmp_path: Path):
    assert _read(tmp_path, '"a ""x"",\nb",c\n1,2\n').column_names == ['a "x",\nb', "c"]


def test_error_about_a_ragged_row_contains_its_line_number_and_the_field_counts(tmp_path: Path):
    with pytest.raises(InvalidInput, match=r"Line 5 of the file has 3 fields, but the header has 2 fields"):
        _read(tmp_path, "a,b\n1,2\n\n3,4\n5,6,7\n")


def test_error_contains_the_line_number_of_the_first_ragged_row(tmp_path: Path):
    with pytest.raises(InvalidInput, match="Line 102 "):
        _read(tmp_path, "a,b\n" + "1,2\n" * 100 + "1\n" + "1,2\n" * 200_000 + "1\n" * 5)


def test_encoding_error_contains_the_line_number_and_the_byte_position(tmp_path: Path):
    with pytest.raises(InvalidInput, match=r"Line 300,003 \(byte 2,100,019 of the file\)"):
        _read(tmp_path, "name,n\ncafé,1\n".encode() + b"cafe,1\n" * 300_000 + b"caf\xe9,1\n")


def test_error_about_a_nul_character_contains_the_line_number(tmp_path: Path):
    (tmp_path / "table.csv").write_bytes("a,b\n1,x\0y\n".encode("utf-16"))
    with pytest.raises(InvalidInput, match="line 2 contains a NUL character"):
        read_table(tmp_path / "table.csv")


def test_format_is_selected_by_the_file_suffix():
    assert format_for_path(Path("x.CSV")) is FORMATS["csv"]
    assert format_for_path(Path("x.tsv")) is FORMATS["csv"]
    assert format_for_path(Path("x.y.parquet")) is FORMATS["parquet"]


@pytest.mark.parametrize("name", ["x.csv.xz", "x.table"])
def test_error_about_an_unknown_suffix_lists_the_known_suffixes(name: str):
    with pytest.raises(InvalidInput, match=r"\.csv, \.tsv, \.txt, \.tab, \.dat, \.parquet") as caught:
        format_for_path(Path(name))
    assert caught.value.code == "unknown_format"


@pytest.mark.parametrize(
    ("name", "remedy"), [("x.xlsb", r"save the sheet as \.xlsx"), ("x", r"\.csv"), (".csv", r"\.csv")]
)
def test_error_about_another_file_type_contains_a_remedy(name: str, remedy: str):
    with pytest.raises(InvalidInput, match=remedy) as caught:
        format_for_path(Path(name))
    assert caught.value.code == "unknown_format"


def test_tsv_files_are_written_with_tabs(tmp_path: Path):
    table = pa.table({"a": [1, None], "b": ["x\ty", None]})
    FORMATS["csv"].write(tmp_path / "t.tsv", table.to_batches(), table.schema)
    assert (tmp_path / "t.tsv").read_text() == '"a"\t"b"\n1\t"x\ty"\n\t\n'
    assert read_table(tmp_path / "t.tsv").equals(table)
