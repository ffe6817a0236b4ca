"""Tests that CSV for spreadsheet programs contains no formulas."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from understudy.tables.formats import FORMATS, CsvOutput, stream_table, write_table


def _written(tmp_path: Path, table: pa.Table) -> str:
    write_table(tmp_path / "t.parquet", table.to_batches(), table.schema)
    pieces = stream_table(
        tmp_path / "t.parquet", FORMATS["csv"], tmp_path, output=CsvOutput(without_formulas=True)
    )
    return b"".join(pieces).decode()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30 123", "'+49 30 123"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\nx", "'\nx"),
        ("＝1", "'＝1"),  # noqa: RUF001 - the wide form counts as well
        ("a,=1", "a,'=1"),
        ("a;-1|+2", "a;'-1|'+2"),
        ('"=1', '""\'=1'),
        ("a\n@b", "a\n'@b"),
        ("-5", "-5"),
        ("-1,234.50", "-1,234.50"),
        ("-1e-5", "-1e-5"),
        ("-5x", "'-5x"),
        ("a-b = c", "a-b = c"),
        ("", ""),
    ],
)
def test_no_text_begins_like_a_formula(tmp_path: Path, text: str, written: str):
    table = pa.table({"t": [text, None, "x"]})
    assert _written(tmp_path, table) == f'"t"\n"{written}"\n\n"x"\n'


def test_names_are_escaped_and_numbers_are_unchanged(tmp_path: Path):
    table = pa.table({"=a": [-1, 2], "-b": [-0.5, None], "@c": pa.array([-1, 1], pa.duration("s"))})
    assert _written(tmp_path, table) == '"\'=a","\'-b","\'@c"\n-1,-0.5,-1\n2,,1\n'
