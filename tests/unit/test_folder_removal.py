from __future__ import annotations

import os
from pathlib import Path

import pytest

from understudy.folder_removal import remove_folder


def test_folder_of_any_depth_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    parent = os.open(folder, os.O_RDONLY)
    for _ in range(3_000):
        os.mkdir("d", dir_fd=parent)
        child = os.open("d", os.O_RDONLY, dir_fd=parent)
        os.close(parent)
        parent = child
    os.close(parent)
    remove_folder(folder)
    assert not folder.exists()


@pytest.mark.parametrize("mode", [0o000, 0o300, 0o500])
def test_folders_without_permissions_are_removed(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "closed"
    (folder / "outer" / "inner").mkdir(parents=True)
    (folder / "outer" / "inner" / "file").write_text("x")
    (folder / "outer" / "inner").chmod(mode)
    (folder / "outer").chmod(mode)
    remove_folder(folder)
    assert not folder.exists()


def test_links_are_removed_but_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("x")
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "kept")
    (folder / "sub" / "link").symlink_to(tmp_path / "kept")
    remove_folder(folder)
    assert not folder.exists()
    assert (tmp_path / "kept" / "file").read_text() == "x"


def test_missing_folder_is_not_an_error(tmp_path: Path) -> None:
    remove_folder(tmp_path / "missing")
