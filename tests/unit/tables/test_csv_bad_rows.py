"""Tests for unreadable rows, which cause an error with a line number or are skipped and listed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from understudy.errors import InvalidInput
from understudy.tables.formats import FORMATS, Ingested, ReadLimits, ReadOptions
from understudy.tables.formats.csv import bad_rows

GOOD = "a,b\n" + "1,2\n" * 300


def _skip(
    folder: Path, data: bytes | str, limits: ReadLimits | None = None, **options: Any
) -> tuple[Ingested, list[tuple[Any, ...]]]:
    """Ingest a file that contains bad rows, and also return the skipped rows."""
    (folder / "table.csv").write_bytes(data.encode() if isinstance(data, str) else data)
    given = ReadOptions(bad_rows="skip", **options)
    ingested = FORMATS["csv"].ingest(
        folder / "table.csv", folder / "table.parquet", limits or ReadLimits(), options=given
    )
    rejects = ingested.rejects.to_pylist() if ingested.rejects else []
    return ingested, [tuple(row.values()) for row in rejects]


@pytest.mark.parametrize(
    ("rows", "rejects"),
    [
        ("1\n", [(302, None, "too_few_fields")]),
        ("1,2,3\n", [(302, None, "too_many_fields")]),
        ('1,"two\nlines"\n1\n', [(304, None, "too_few_fields")]),
        ('\n\n1,"x\n3,4\n', [(304, None, "unclosed_quote")]),
        ('1,"x"y\n3,4\n', [(302, None, "unclosed_quote")]),
        ('1,"x\ny",3\n', [(302, None, "too_many_fields")]),
        ('1,"x\n' + "3,4\n" * 10 + '5,"y"\n', [(302, None, "unclosed_quote")]),
    ],
    ids=str,
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_bad_row_is_skipped_and_listed(tmp_path: Path, rows: str, rejects: list[tuple[Any, ...]], end: str):
    ingested, listed = _skip(tmp_path, (GOOD + rows + "5,6\n").replace("\n", end))
    assert listed == rejects
    assert f"1 of {ingested.n_rows + 1:,} rows could not be read and was skipped." in ingested.warnings[0]
    assert pq.read_table(tmp_path / "table.parquet").column("a").to_pylist()[-1] == 5


def test_row_in_another_encoding_is_skipped_and_listed_with_its_column(tmp_path: Path):
    _, listed = _skip(tmp_path, ("é,2\n" * 300 + "x,caf").encode() + b"\xe9\n1,2\n")
    assert listed == [(301, 2, "wrong_encoding")]


def test_line_that_is_too_long_is_skipped(tmp_path: Path):
    _, listed = _skip(tmp_path, GOOD + "1," + "x" * 3_000_000 + "\n3,4\n1\n")
    assert listed == [(302, None, "line_too_long"), (304, None, "too_few_fields")]


def test_lone_carriage_returns_count_as_line_endings(tmp_path: Path):
    _, listed = _skip(tmp_path, (GOOD + "1\n3,4\n").replace("\n", "\r"))
    assert listed == [(302, None, "too_few_fields")]


def test_file_without_bad_rows_has_no_rejects(tmp_path: Path):
    ingested, listed = _skip(tmp_path, GOOD)
    assert (ingested.rejects, listed, ingested.warnings) == (None, [], [])


def test_exceeding_the_allowed_share_of_bad_rows_is_an_error(tmp_path: Path):
    with pytest.raises(
        InvalidInput, match=r"4 of 304 rows .* \(0\.01\).* lines 302, .*, 305, check"
    ) as caught:
        _skip(tmp_path, GOOD + "1\n" * 4)
    assert caught.value.code == "too_many_bad_rows"
    assert len(_skip(tmp_path, GOOD + "1\n" * 4, bad_rows_share_max=0.02)[1]) == 4
    assert len(_skip(tmp_path, GOOD + "1\n" * 3)[1]) == 3


def test_exceeding_the_number_of_bad_rows_that_can_be_listed_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bad_rows, "_ROWS_MAX", 2)
    with pytest.raises(
        InvalidInput, match=r"^More than 2 rows .* the rows on lines 302, 303, 304, or"
    ) as caught:
        _skip(tmp_path, GOOD + "1\n" * 3, bad_rows_share_max=0.5)
    assert caught.value.code == "too_many_bad_rows"


def test_error_contains_the_line_number_of_the_first_bad_row(tmp_path: Path):
    data = 'a,b\n"two\nlines",1\n\n' + "1,2\n" * 10 + "1\n1,2,3\n"
    (tmp_path / "table.csv").write_text(data)
    with pytest.raises(InvalidInput, match=r"^Line 15 of the file has 1 field, but the header has 2 fields"):
        FORMATS["csv"].read(tmp_path / "table.csv")


def test_warning_after_skipped_rows_contains_the_line_number_in_the_file(tmp_path: Path):
    ingested, _ = _skip(tmp_path, "a,b\n" + "1,2\n" * 99 + "1\n" + "x,3\n" + "1,2\n" * 50)
    assert "(line 102)" in ingested.warnings[1]


def test_exactly_the_planted_bad_rows_are_skipped(tmp_path: Path):
    rng = random.Random(1)  # noqa: S311
    lines, planted = ["a,b,c"], []
    for row in range(20_000):
        if rng.random() < 0.005:
            planted.append(len(lines) + 1)
            lines.append(rng.choice(["1", "1,2", "1,2,3,4", '1,"2"x,3']))
        elif rng.random() < 0.1:
            lines += [f'{row},"two', f'lines, ""{row}""",x']
        else:
            lines.append(f"{row},{row},x")
    ingested, listed = _skip(tmp_path, "\n".join(lines) + "\n")
    assert [line for line, _, _ in listed] == planted
    assert ingested.n_rows == 20_000 - len(planted)
