"""Tests that samples contain the notations of a mixed column in the same shares as the table."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from understudy.tables.formats import read_table, write_table
from understudy.tables.notation import DateNotation, read_metadata

N_ROWS = 300
_START = datetime.fromisoformat("2021-01-01T00:07:00")
_MOMENTS = [_START + timedelta(hours=37 * i, minutes=i, seconds=i) for i in range(N_ROWS)]
_FRENCH = ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."]
_Write = Callable[[int, datetime], str]


def _written(folder: Path, texts: list[str], name: str = "x") -> tuple[pa.Table, list[str]]:
    """Write texts to a CSV file and read it. Return the table, and its first column after writing it back."""
    with (folder / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[name, "other"], *([text, "a"] for text in texts)])
    table = read_table(folder / "t.csv")
    write_table(folder / "again.csv", table.to_batches(), table.schema)
    with (folder / "again.csv").open(newline="", encoding="utf-8") as file:
        return table, [row[0] for row in csv.reader(file)][1:]


def _shape(text: str) -> str:
    return re.sub(r"\d", "0", text) if text[:1].isdigit() else re.sub(r"\d", "0", text[:1])


@pytest.mark.parametrize(
    ("write", "arrow_type"),
    [
        (lambda i, t: f"{t:%Y-%m-%d}" if i % 3 else f"{t:%d/%m/%Y}", "date32[day]"),
        (lambda i, t: f"{t:%m/%d/%Y}" if i % 2 else f"{t:%d.%m.%Y}", "date32[day]"),
        (lambda i, t: f"{t:%d.%m.%Y}" if i % 2 else f"{t:%d.%m.%y}", "date32[day]"),
        (lambda i, t: f"{t:%Y-%m-%d %H:%M}" if i % 2 else f"{t:%d/%m/%Y %H:%M}", "timestamp[s]"),
        (lambda i, t: f"{t:%Y-%m-%dT%H:%M:%S}{['Z', '+02:00', '-05:00'][i % 3]}", "timestamp[s, tz=UTC]"),
        (lambda i, t: f"{t:%Y-%m-%d %H:%M} {['EST', 'EDT'][i % 2]}", "timestamp[s]"),
    ],
)
def test_shares_of_several_patterns_and_offsets_are_preserved(tmp_path: Path, write: _Write, arrow_type: str):
    texts = [write(i, moment) for i, moment in enumerate(_MOMENTS)]
    table, written = _written(tmp_path, texts)
    assert str(table.schema.field("x").type) == arrow_type
    shapes = [
        Counter(re.sub(r"\d\d(?=:\d\d$)", "", _shape(text)) for text in side) for side in (texts, written)
    ]
    # The choice depends on the value, so the shares of the notations among 300 values differ slightly.
    assert all(abs(shapes[0][shape] - shapes[1][shape]) < 0.15 * N_ROWS for shape in {*shapes[0], *shapes[1]})
    again, _ = _written(tmp_path, written)
    assert again.column("x").equals(table.column("x"))


@pytest.mark.parametrize(
    ("name", "write", "arrow_type"),
    [
        ("day", lambda i, t: f"{t:%B} {t.day}{_suffix(t.day)}, {t.year}", "date32[day]"),
        ("jour", lambda i, t: f"{t.day} {_FRENCH[t.month - 1]} {t.year}", "date32[day]"),
        ("tag", lambda i, t: f"{t.day}.{t:%b}.{t.year}", "date32[day]"),
        ("woche", lambda i, t: f"{t.isocalendar()[1]}. KW {t.isocalendar()[0]}", "date32[day]"),
        ("week", lambda i, t: f"{t.isocalendar()[0]} W{t.isocalendar()[1]}", "date32[day]"),
        ("trimestre", lambda i, t: f"T{(t.month + 2) // 3} {t.year}", "date32[day]"),
        ("tag", lambda i, t: f"{i % 12 + 1:02}.{i % 9 + 1:02}.2024", "date32[day]"),
        ("dep", lambda i, t: f"{t:%H%M}", "time32[s]"),
        ("change", lambda i, t: f"{i - 150:,.1f}".replace("-", "\u2212"), "double"),
        ("profit", lambda i, t: f"{(i - 150) * 7.5:,.2f} €".replace("-", "\u2212"), "double"),
        ("sales", lambda i, t: f"{i * 1_234_000:,}원", "int64"),
        ("level", lambda i, t: f"{1.5**i:.2E}", "double"),
        ("version", lambda i, t: f"{i % 3}.{i % 12}", "string"),
        ("edition", lambda i, t: ["1.1", "1.10", "1.2", "2.0"][i % 4], "string"),
        ("period", lambda i, t: f"{6 + i % 5}:00-{14 + i % 9}:00", "string"),
        ("born", lambda i, t: f"{1100 + i * 2}-03-04", "date32[day]"),
        ("until", lambda i, t: ["9999-12-31", "2262-04-12"][i % 2], "date32[day]"),
    ],
)
def test_notations_are_written_back_unchanged(tmp_path: Path, name: str, write: _Write, arrow_type: str):
    texts = [write(i, moment) for i, moment in enumerate(_MOMENTS)]
    table, written = _written(tmp_path, texts, name)
    assert written == texts
    assert str(table.schema.field(name).type) == arrow_type


def _suffix(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def test_batches_of_any_size_produce_the_same_texts(tmp_path: Path):
    texts = [f"{moment:%Y-%m-%d}" if i % 2 else f"{moment:%d/%m/%Y}" for i, moment in enumerate(_MOMENTS)]
    table, written = _written(tmp_path, texts)
    write_table(tmp_path / "small.csv", table.to_batches(max_chunksize=7), table.schema)
    assert [line.split(",")[0] for line in (tmp_path / "small.csv").read_text().splitlines()[1:]] == written
    notation = read_metadata(table.schema.field("x").metadata)
    assert isinstance(notation, DateNotation)
    assert sum(notation.pattern_shares) == pytest.approx(1, abs=0.001)
