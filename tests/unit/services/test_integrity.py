from __future__ import annotations

import hashlib
import io
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
from understudy.services.integrity import CHUNK_BYTES, check_digest, read_checked

CONTENT = os.urandom(2 * CHUNK_BYTES + 5)
SHA256 = hashlib.sha256(CONTENT).digest()


def flip(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


def test_unchanged_file_passes_the_check_and_can_be_read_from_its_start():
    file = io.BytesIO(CONTENT)
    check_digest(file, SHA256)
    assert file.read() == CONTENT


@pytest.mark.parametrize("position", [0, CHUNK_BYTES, len(CONTENT) - 1])
def test_flipped_bit_is_reported_as_corrupt(position):
    with pytest.raises(UnderstudyError) as caught:
        check_digest(io.BytesIO(flip(CONTENT, position)), SHA256)
    assert caught.value.code == "artifact_corrupt"


def test_file_that_changes_after_a_check_is_checked_again(tmp_path: Path):
    path = tmp_path / "blob"
    path.write_bytes(CONTENT)
    with path.open("rb") as file:
        check_digest(file, SHA256)
    status = path.stat()
    path.write_bytes(flip(CONTENT, 7))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with path.open("rb") as file, pytest.raises(UnderstudyError):
        check_digest(file, SHA256)


@pytest.mark.parametrize("content", [CONTENT, CONTENT[:CHUNK_BYTES], b"x", b""])
def test_reading_with_a_check_yields_the_whole_file(content):
    chunks = read_checked(io.BytesIO(content), hashlib.sha256(content).digest())
    assert b"".join(chunks) == content


@pytest.mark.parametrize("position", [0, CHUNK_BYTES, len(CONTENT) - 1])
def test_reading_with_a_check_withholds_the_end_of_a_damaged_file(position):
    chunks = read_checked(io.BytesIO(flip(CONTENT, position)), SHA256)
    received: list[bytes] = []
    with pytest.raises(UnderstudyError, match="does not match its checksum"):
        received.extend(chunks)
    assert 0 < len(b"".join(received)) < len(CONTENT)


class CountedFile(io.FileIO):
    """A file that counts how often it has been read to its end."""

    n_ends = 0

    def read(self, size: int | None = -1) -> bytes:
        """Read a chunk slowly, so that several threads overlap."""
        time.sleep(0.01)
        data = super().read(size) or b""
        type(self).n_ends += not data
        return data


def test_threads_that_check_the_same_file_read_it_once(tmp_path, monkeypatch):
    path = tmp_path / "blob"
    path.write_bytes(CONTENT)
    monkeypatch.setattr(CountedFile, "n_ends", 0)

    def check(_: int) -> None:
        with CountedFile(path) as file:
            check_digest(file, SHA256)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(check, range(8)))
    assert CountedFile.n_ends == 1


def test_every_thread_that_checks_a_damaged_file_gets_an_error(tmp_path):
    path = tmp_path / "blob"
    path.write_bytes(flip(CONTENT, 0))

    def check(_: int) -> str:
        with path.open("rb") as file, pytest.raises(UnderstudyError) as caught:
            check_digest(file, SHA256)
        return caught.value.code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(check, range(8))) == {"artifact_corrupt"}
