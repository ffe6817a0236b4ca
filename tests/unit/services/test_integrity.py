from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
from understudy.services.integrity import CHUNK_BYTES, check_digest, read_checked

CONTENT = os.urandom(2 * CHUNK_BYTES + 5)
SHA256 = hashlib.sha256(CONTENT).digest()


def flip(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


def test_unchanged_file_passes_and_can_be_read_from_its_start():
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
def test_checked_reading_yields_the_whole_file(content):
    chunks = read_checked(io.BytesIO(content), hashlib.sha256(content).digest())
    assert b"".join(chunks) == content


@pytest.mark.parametrize("position", [0, CHUNK_BYTES, len(CONTENT) - 1])
def test_checked_reading_withholds_the_end_of_a_damaged_file(position):
    chunks = read_checked(io.BytesIO(flip(CONTENT, position)), SHA256)
    received = [next(chunks), next(chunks)]
    assert len(b"".join(received)) < len(CONTENT)
    with pytest.raises(UnderstudyError, match="does not match its checksum"):
        next(chunks)
