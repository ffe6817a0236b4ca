"""Tests that workbook rows yield the same values and errors with and without the XML parser."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.workbooks import HEADER, shared_strings, sheet, styles, workbook
from understudy.errors import UnderstudyError
from understudy.tables.formats import ReadLimits, read_table
from understudy.tables.formats.xlsx.fast_path import Block, Place, read_block

SHARED = shared_strings("<t>plain</t>", "<t>Ümlaut &amp; Co</t>", "<t/>")
STYLES = styles("yyyy\\-mm\\-dd", "[h]:mm")
ROWS = (
    '<row r="2" spans="1:2" x14ac:dyDescent="0.25"><c r="A2" s="1"><v>45351</v></c>'
    '<c r="B2" t="s"><v>1</v></c></row>'
    '<row r="3"><c r="A3" s="1"/><c r="B3" t="inlineStr">'
    '<is><t xml:space="preserve"> a &lt; b&amp;lt; </t></is></c></row>'
    '<row r="4"/><row r="5" ht="15"></row>'
    '<row r="6"><c r="A6" s="1"><f>A2+1</f><v>45352.5</v></c>'
    '<c r="B6" t="str"><f t="shared" si="0"/><v></v></c></row>'
    '<row r="7"><c r="B7" t="s" s="0"><v>0</v></c></row>'
    '<row r="8"><c r="A8" t="e"><v>#N/A</v></c><c r="B8"><f aca="false">"x"</f><v /></c></row>'
    '<row r="9"><c r="A9" s="1"></c><c r="B9" t="str"><v>東京</v></c></row>'
)
PLACE = Place(first_column=0, width=2, last_row=1)


def _outcome(folder: Path, rows: str | bytes, before: str) -> pa.Table | tuple[str, str]:
    data = rows if isinstance(rows, bytes) else rows.encode()
    start, end = sheet(HEADER + "ROWS", before=before).encode().split(b"ROWS")
    path = folder / "table.xlsx"
    path.write_bytes(workbook(start + data + end, sharedStrings=SHARED, styles=STYLES))
    try:
        return read_table(path)
    except UnderstudyError as error:
        return type(error).__name__, str(error)


def _both(folder: Path, rows: str | bytes) -> list[pa.Table | tuple[str, str]]:
    """Read rows with and without the fast path. A comment in the sheet disables the fast path."""
    return [_outcome(folder, rows, before) for before in ("", "<!-- x -->")]


def _take(rows: str, place: Place = PLACE) -> Block | None:
    return read_block(rows.encode(), place, [0, 5, 10, 10], ReadLimits().cell_bytes_max)


def test_typical_rows_produce_the_same_result_with_and_without_the_parser(tmp_path: Path):
    assert _take(ROWS) is not None
    fast, slow = _both(tmp_path, ROWS)
    assert isinstance(fast, pa.Table)
    assert fast.num_rows == 6
    assert fast.equals(slow)


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="2"><c r="A2"><v>1</v></c><!-- <c r="B2"><v>2</v></c> --></row>',
        '<row r="2"><c r="A2"><v><![CDATA[1]]></v></c></row>',
        '<row r="2"><c r="A2"><v>&#49;</v></c></row>',
        '<row r="2"><c r="A2" t="str"><v>a\r\nb</v></c></row>',
        '<row r="2"><c r="A2" t="str"><v>a_x0041_</v></c></row>',
        '<row r="2"><c r="A2" t="inlineStr"><is><r><t>a</t></r></is></c></row>',
        '<row r="2"><c t="str" r="A2"><v>a</v></c></row>',
        "<row r='2'><c r='A2'><v>1</v></c></row>",
        '<row r="2">\n<c r="A2"><v>1</v></c>\n</row>',
        '<row><c><v>1</v></c></row><row r="3"><c r="A3"><v>1</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c><c r="D2"/></row>',
    ],
)
def test_unusual_rows_are_left_to_the_parser(tmp_path: Path, rows: str):
    fast, slow = _both(tmp_path, rows)
    assert isinstance(fast, pa.Table)
    assert fast.equals(slow)


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="2" r="3"><c r="A2"><v>1</v></c></row>',
        '<row r="2"><c r="A2" s="0" s="0"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row>',
        '<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>',
        '<row r="2"><c r="A3"><v>1</v></c></row>',
        '<row r="2"><c r="C2"><v>1</v></c></row>',
        '<row r="2"><c r="A2" t="s"><v>3</v></c></row>',
        '<row r="2"><c r="A2" t="b"><v>2</v></c></row>',
        '<row r="2"><c r="A2" s="9"><v>1</v></c></row>',
        '<row r="2"><c r="A2"><v>1x</v></c></row>',
        '<row r="2"><c r="A2"><v>a\x01</v></c></row>',
        '<row r="2"><c r="A2" t="str"><v>a]]>b</v></c></row>',
        '<row r="2"><c r="A2" t="str"><v>&x;</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c>',
        '<row r="2"><c r="A2"><v>1</v></c></row></row>',
        '<row r="1048577"><c r="A1048577"><v>1</v></c></row>',
        '<row r="2"><c r="XFE2"><v>1</v></c></row>',
    ],
)
def test_invalid_rows_produce_the_same_error_on_both_paths(tmp_path: Path, rows: str):
    fast, slow = _both(tmp_path, rows)
    assert isinstance(fast, tuple)
    assert fast == slow


@given(
    st.integers(0, len(ROWS) - 1),
    st.integers(1, 3),
    st.sampled_from(['"', "<", "&", "/", ">", "A", "0", " ", ""]),
)
@settings(deadline=None)
def test_changed_bytes_have_the_same_outcome_on_both_paths(
    tmp_path_factory: pytest.TempPathFactory, at: int, n: int, put: str
):
    fast, slow = _both(tmp_path_factory.getbasetemp(), ROWS[:at] + put + ROWS[at + n :])
    assert type(fast) is type(slow)
    assert fast.equals(slow) if isinstance(fast, pa.Table) else fast == slow


def test_duplicated_pieces_have_the_same_outcome_on_both_paths(tmp_path: Path):
    rng = random.Random(0)  # noqa: S311 - a fixed sequence, not a secret
    outcomes = set()
    for _ in range(60):
        pieces = [piece + ">" for piece in ROWS.split(">")][:-1]
        one, other = rng.sample(range(len(pieces)), 2)
        pieces[one] = pieces[other]
        fast, slow = _both(tmp_path, "".join(pieces))
        assert fast.equals(slow) if isinstance(fast, pa.Table) else fast == slow
        outcomes.add(type(fast))
    assert outcomes == {pa.Table, tuple}


def test_rows_that_need_a_lot_of_memory_are_left_to_the_parser():
    sparse = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(2, 1_000))
    assert _take(sparse) is not None
    assert _take(sparse, Place(first_column=0, width=2_000, last_row=1)) is None
    shared = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(2, 1_000))
    assert read_block(shared.encode(), PLACE, [0, 1_000_000], 2_000_000) is None


def test_parser_and_fast_path_can_alternate_within_a_sheet(tmp_path: Path):
    rows = []
    for n in range(2, 30_002):
        text = "a&#49;" if n % 9_000 == 0 else "b&amp;"
        rows.append(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}" t="str"><v>{text}</v></c></row>')
    fast, slow = _both(tmp_path, "".join(rows))
    assert isinstance(fast, pa.Table)
    assert fast.column("a").to_pylist() == list(range(2, 30_002))
    assert fast.column("b").to_pylist().count("a1") == 3
    assert fast.equals(slow)


def test_comment_that_ends_like_a_row_is_ignored(tmp_path: Path):
    row = '<row r="{0}"><c r="A{0}"><v>{0}</v></c></row>'
    rows, hidden = ("".join(row.format(n) for n in range(*span)) for span in ((2, 15_000), (15_000, 34_000)))
    fast, slow = _both(tmp_path, f"{rows}<!-- {hidden} -->{row.format(15_000)}")
    assert isinstance(fast, pa.Table)
    assert fast.column("a").to_pylist() == list(range(2, 15_001))
    assert fast.equals(slow)


@pytest.mark.parametrize(
    "texts",
    [
        ["<t>a</t>", '<t xml:space="preserve"> b </t>', "<t/>", "<t>&lt;&amp;gt;_x0041_</t>", "<t>東京</t>"],
        [
            "<t>a</t>",
            "<r><t>b</t></r><r><t>c</t></r>",
            "<t>d</t><rPh sb='0' eb='1'><t>e</t></rPh>",
            "<t>f\r\n</t>",
        ],
        ["<t>a</t>", "<t>b</t><!-- <si><t>c</t></si> -->", "<t>d</t>"],
    ],
)
def test_shared_strings_are_equal_with_and_without_the_parser(tmp_path: Path, texts: list[str]):
    rows = "".join(f"<row><c t='str'><v>x</v></c><c t='s'><v>{n}</v></c></row>" for n in range(len(texts)))
    shared = shared_strings(*texts)
    columns = []
    for part in (shared, shared.replace("<si>", "<!-- x --><si>", 1)):
        (tmp_path / "table.xlsx").write_bytes(workbook(sheet(HEADER + rows), sharedStrings=part))
        columns.append(read_table(tmp_path / "table.xlsx").column("b"))
    assert columns[0].equals(columns[1])


@pytest.mark.parametrize(
    "text",
    ["<t>a", "<t>a</t></t>", "<t>&x;</t>", "<t>\x01</t>", f"<t>{'x' * 3_000_000}</t>"],
    ids=["cut off", "two ends", "entity", "control character", "long"],
)
def test_invalid_shared_strings_produce_the_same_error_on_both_paths(tmp_path: Path, text: str):
    errors = []
    for first in ("<t>a</t>", "<!-- x --><t>a</t>"):
        part = shared_strings(first, text, "<t>b</t>")
        (tmp_path / "table.xlsx").write_bytes(workbook(sheet(HEADER + ROWS), sharedStrings=part))
        with pytest.raises(UnderstudyError) as caught:
            read_table(tmp_path / "table.xlsx")
        errors.append(str(caught.value))
    assert errors[0] == errors[1]
