"""Tests that every broken file fails with its error code, leaves no files, and hides the original error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile import BROKEN_FILES, BrokenFile
from understudy.errors import InvalidInput
from understudy.tables.formats import FORMATS, ReadLimits

_ROOT = Path(__file__).parents[2]


# These files expand to between 50 MB and 200 GB.
_BOMBS = (
    *("200 MB of spaces", "3 million rows", "the same 1 MB text in 200,000 cells", "a row of 2 GB"),
    *("shared strings with only spaces", "a cell of 10 MB", "a shared string of 10 MB", "100,000 parts"),
    *("16 million nested elements", "a million element names", "an attribute of 50 MB"),
    *("a comment of 50 MB", "billion laughs", "20,000 columns", "only XFD1048576"),
)
_BOMB_KEYS = {("xlsx", name) for name in _BOMBS}
# A separate process reads the bombs, and the test measures its memory and time.
_OTHER_FILES = [broken for broken in BROKEN_FILES if (broken.format_name, broken.name) not in _BOMB_KEYS]


@pytest.mark.parametrize("broken", _OTHER_FILES, ids=lambda broken: f"{broken.format_name}: {broken.name}")
def test_broken_file_fails_and_leaves_no_files(broken: BrokenFile, tmp_path: Path):
    source = tmp_path / "upload"
    source.write_bytes(broken.make())
    with pytest.raises(InvalidInput) as caught:
        FORMATS[broken.format_name].ingest(source, tmp_path / "table.parquet", ReadLimits())
    assert caught.value.code == broken.code
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert list(tmp_path.iterdir()) == [source]


def test_bombs_in_workbooks_take_little_memory_and_time(tmp_path: Path):
    files = {broken.name: broken for broken in BROKEN_FILES if broken.format_name == "xlsx"}
    paths = [tmp_path / f"{index}.xlsx" for index in range(len(_BOMBS))]
    for path, name in zip(paths, _BOMBS, strict=True):
        path.write_bytes(files[name].make())
    command = [sys.executable, "-m", "tests.hostile.measuring", *map(str, paths)]
    measured = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=_ROOT).stdout)
    assert measured["codes"] == [files[name].code for name in _BOMBS]
    assert (measured["n_left"], measured["n_shown"]) == (0, 0)
    # The libraries alone take about 130 MB.
    assert measured["peak_megabytes"] < 300
    assert max(measured["cpu_seconds"]) < 20
