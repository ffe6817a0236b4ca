from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from understudy.storage.space import check_space

BLOCK = 4096
MEBIBYTE = 1 << 20


def set_disk(monkeypatch: pytest.MonkeyPatch, size_bytes: int, free_bytes: int) -> None:
    n_blocks, n_free = size_bytes // BLOCK, free_bytes // BLOCK
    values = (BLOCK, BLOCK, n_blocks, n_free, n_free, 100, 100, 100, 0, 255)
    monkeypatch.setattr(os, "fstatvfs", lambda _: os.statvfs_result(values))


@pytest.mark.parametrize(
    ("size_bytes", "free_bytes"),
    [(1 << 40, 65 * MEBIBYTE), (32 * MEBIBYTE, 2 * MEBIBYTE), (0, 0)],
    ids=["large", "small", "unknown"],
)
def test_disk_with_free_space_is_usable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size_bytes: int, free_bytes: int
) -> None:
    set_disk(monkeypatch, size_bytes, free_bytes)
    check_space(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("size_bytes", "free_bytes"), [(1 << 40, 63 * MEBIBYTE), (32 * MEBIBYTE, MEBIBYTE // 2)]
)
def test_disk_with_hardly_any_free_space_counts_as_full(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size_bytes: int, free_bytes: int
) -> None:
    set_disk(monkeypatch, size_bytes, free_bytes)
    with pytest.raises(OSError, match="No space left") as caught:
        check_space(tmp_path)
    assert caught.value.errno == errno.ENOSPC
