"""Every broken file ends in its code, leaves nothing behind, and tells no value."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile import BROKEN_FILES, BrokenFile
from understudy.errors import InvalidInput
from understudy.tables.formats import FORMATS, ReadLimits


@pytest.mark.parametrize("broken", BROKEN_FILES, ids=lambda broken: f"{broken.format_name}: {broken.name}")
def test_broken_file_is_refused_and_nothing_is_left(broken: BrokenFile, tmp_path: Path):
    source = tmp_path / "upload"
    source.write_bytes(broken.make())
    with pytest.raises(InvalidInput) as caught:
        FORMATS[broken.format_name].ingest(source, tmp_path / "table.parquet", ReadLimits())
    assert caught.value.code == broken.code
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert list(tmp_path.iterdir()) == [source]
