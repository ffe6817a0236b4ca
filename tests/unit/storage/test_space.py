from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from understudy.errors import StorageFull
from understudy.storage.space import NO_SPACE, check_space, translating_full_disk

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


@pytest.mark.parametrize("number", sorted(NO_SPACE))
def test_error_of_a_full_disk_is_translated_into_storage_full(number: int) -> None:
    with pytest.raises(StorageFull, match="Free some disk space"), translating_full_disk():
        raise OSError(number, os.strerror(number))


def test_other_disk_errors_are_not_translated() -> None:
    with pytest.raises(FileNotFoundError), translating_full_disk():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
