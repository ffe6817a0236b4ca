from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from understudy.errors import StorageFull, Unavailable, UnderstudyError
from understudy.storage import LocalStore, open_store

KEY = "p/a/blob"


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    """Write a file that the test will store."""
    path = tmp_path / "incoming"
    path.write_bytes(b"data")
    return path


def test_put_syncs_the_file_before_naming_it_and_the_folder_afterwards(
    tmp_path: Path, incoming: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check the order of fsync and link, so that a blob is either complete or absent after a crash."""
    calls: list[str] = []
    store = LocalStore(tmp_path / "root")
    real_sync, real_link = os.fsync, os.link

    def fsync(handle: int) -> None:
        calls.append("sync " + Path(f"/proc/self/fd/{handle}").readlink().name)
        real_sync(handle)

    def link(source: Path, target: Path) -> None:
        calls.append("link")
        real_link(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "link", link)
    store.put_file(KEY, incoming)

    assert calls == ["sync root", "sync p", "sync incoming", "link", "sync a"]


def test_file_on_another_file_system_is_copied_before_it_is_linked(tmp_path: Path) -> None:
    shared_memory = Path("/dev/shm")  # noqa: S108 - the test needs another file system
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == tmp_path.stat().st_dev:
        return
    path = shared_memory / f"understudy-{os.getpid()}"
    path.write_bytes(b"data")
    store = LocalStore(tmp_path / "root")

    store.put_file(KEY, path)

    assert not path.exists()
    assert store.size(KEY) == 4
    assert list(store.incoming.path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EIO, Unavailable),
        (errno.EROFS, Unavailable),
    ],
)
def test_disk_error_is_translated_into_an_understudy_error(
    tmp_path: Path,
    incoming: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    expected: type[UnderstudyError],
) -> None:
    def fail(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    store = LocalStore(tmp_path / "root")
    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(expected):
        store.put_file(KEY, incoming)
    assert incoming.exists()
    assert list(store.keys("")) == []


def test_store_without_its_folder_raises_unavailable(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    shutil.rmtree(tmp_path / "root")

    with pytest.raises(Unavailable):
        store.check_writable()


def test_delete_does_not_follow_a_link_out_of_the_root(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    (tmp_path / "precious").write_bytes(b"keep")
    (store.root / "p").mkdir()
    (store.root / "p" / "blob").symlink_to(tmp_path / "precious")

    store.delete("p/blob")

    assert (tmp_path / "precious").exists()


@pytest.mark.parametrize("url", ["gs://bucket", "/folder", "file://host/folder", "file:folder", ""])
def test_unsupported_storage_url_is_refused(url: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        open_store(url)
    assert caught.value.code == "configuration"


def test_storage_url_can_contain_percent_escapes(tmp_path: Path) -> None:
    open_store(f"file://{tmp_path}/with%20space")

    assert (tmp_path / "with space").is_dir()
