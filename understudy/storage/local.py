"""Blobs as files in a folder. A blob gets its name only when its content is safe on the disk."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from understudy.errors import Conflict, StorageFull, Unavailable
from understudy.failpoints import failpoint
from understudy.process_folders import ProcessFolder, remove_abandoned
from understudy.storage.base import check_key, missing
from understudy.storage.space import NO_SPACE, check_space

_INCOMING = ".incoming"
# Age after which a partial copy is removed if its process is unknown. The copies of ended processes are
# removed immediately.
COPIES_KEPT_SECONDS = 24 * 3600


class LocalStore:
    """A store on a file system, which several machines may share."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = ProcessFolder(root / _INCOMING)
        with _translated():
            self.incoming.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        remove_abandoned(self.incoming.root, COPIES_KEPT_SECONDS)

    def put_file(self, key: str, path: Path) -> None:
        """Move a file into the store under the key."""
        target = self._path(key)
        with _translated():
            _make_folders(target.parent, self.root)
            source = self._bring_near(path)
            try:
                failpoint("put.before_fsync")
                _sync(source)
                failpoint("put.after_fsync")
                # The file is linked and not renamed, because a rename would overwrite an existing blob.
                os.link(source, target)
            except FileExistsError as error:
                raise Conflict(
                    f"The blob {key!r} already exists, and blobs are never overwritten. Use another key."
                ) from error
            finally:
                if source != path:
                    source.unlink()
            _sync(target.parent)
            failpoint("put.after_link")
            path.unlink()

    def open(self, key: str) -> BinaryIO:
        """Open a blob for reading."""
        with _translated():
            try:
                return self._path(key).open("rb")
            except FileNotFoundError as error:
                raise missing(key) from error

    def size(self, key: str) -> int:
        """Return the size of a blob in bytes."""
        with _translated():
            try:
                return self._path(key).stat().st_size
            except FileNotFoundError as error:
                raise missing(key) from error

    def open_range(self, key: str, start: int, end: int) -> BinaryIO:
        """Open a range of a blob for reading."""
        file = self.open(key)
        file.seek(start)
        return io.BufferedReader(_Range(file, end - start))

    @contextmanager
    def local_copy(self, key: str, scratch: Path) -> Iterator[Path]:
        """Yield the path of the blob's file. No copy is made."""
        path = self._path(key)
        if not path.is_file():
            raise missing(key)
        yield path

    def delete(self, key: str) -> None:
        """Delete a blob and the folders that become empty."""
        path = self._path(key)
        with _translated():
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self.root or not _remove_if_empty(folder):
                    break

    def delete_partial(self, prefix: str, age: timedelta) -> None:
        """Do nothing because the constructor removes the copies of processes that have ended."""

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """Yield the keys that begin with the prefix, in ascending order."""
        folder = prefix.rpartition("/")[0]
        for key in self._keys_in(self.root / folder, f"{folder}/" if folder else "", after):
            if key.startswith(prefix):
                yield key

    def _keys_in(self, folder: Path, prefix: str, after: str) -> Iterator[str]:
        """Yield the keys in a folder. The keys of a subfolder begin with its name and a slash."""
        try:
            with os.scandir(folder) as entries:
                found = [(entry.name + "/" * entry.is_dir(follow_symlinks=False)) for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            # Another process has deleted the folder.
            return
        for name in sorted(found):
            key = prefix + name
            if name == f"{_INCOMING}/":
                continue
            if not name.endswith("/"):
                if key > after:
                    yield key
            elif key > after or after.startswith(key):
                yield from self._keys_in(folder / name, key, after)

    def check_writable(self) -> None:
        """Write and delete a small file."""
        with _translated():
            check_space(self.incoming.path)

    def presigned_url(self, key: str, *, filename: str, seconds: int) -> None:
        """Return None because files have no URLs."""

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _bring_near(self, path: Path) -> Path:
        """Return the file, or a copy on the store's file system, because a link cannot cross file systems."""
        if path.stat().st_dev == self.root.stat().st_dev:
            return path
        handle, name = tempfile.mkstemp(dir=self.incoming.path)
        os.close(handle)
        try:
            shutil.copyfile(path, name)
        except BaseException:
            Path(name).unlink()
            raise
        return Path(name)


class _Range(io.RawIOBase):
    """The next bytes of a file, up to a limit."""

    def __init__(self, file: BinaryIO, n_bytes: int) -> None:
        self._file = file
        self._n_left = max(n_bytes, 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(min(len(buffer), self._n_left))
        buffer[: len(data)] = data
        self._n_left -= len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _make_folders(folder: Path, root: Path) -> None:
    """Create a folder and its parents below the root, and sync each new name to the disk."""
    if folder.is_dir():
        return
    _make_folders(folder.parent, root)
    folder.mkdir(exist_ok=True, mode=0o700)
    _sync(folder.parent)


def _remove_if_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        # The folder is not empty, or another process has removed it. In both cases, nothing remains to be
        # done.
        return False
    return True


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated() -> Iterator[None]:
    """Translate errors of the operating system to `StorageFull` or `Unavailable`."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise StorageFull("The blob store is full. Free some disk space and try again.") from error
        raise Unavailable(
            f"The blob store is not usable: {os.strerror(error.errno or 0)}. Check UNDERSTUDY_STORAGE_URL."
        ) from error
