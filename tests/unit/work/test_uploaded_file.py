"""Tests for joining and verifying files that were uploaded in parts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from understudy.errors import Conflict, InvalidInput
from understudy.progress import no_progress
from understudy.work.base import Workspace
from understudy.work.uploaded_file import Part, join_parts, uploaded_file

PIECES = (b"a,b\n1,2\n", b"3,4\n", b"5,6\n")
WHOLE = b"".join(PIECES)


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def parts(tmp_path: Path) -> list[Part]:
    """Return parts with existing files."""
    parts = [Part(tmp_path / f"part-{i}", sha256_of(piece)) for i, piece in enumerate(PIECES)]
    for part, piece in zip(parts, PIECES, strict=True):
        part.path.write_bytes(piece)
    return parts


@pytest.mark.parametrize("sha256", [sha256_of(WHOLE), None], ids=["with-digest", "without-digest"])
def test_parts_are_joined_in_order(parts: list[Part], tmp_path: Path, sha256: str | None):
    join_parts(parts, tmp_path / "joined", sha256=sha256)
    assert (tmp_path / "joined").read_bytes() == WHOLE


@pytest.mark.parametrize("sha256", [sha256_of(WHOLE), None], ids=["with-digest", "without-digest"])
def test_error_names_the_damaged_part(parts: list[Part], tmp_path: Path, sha256: str | None):
    parts[1].path.write_bytes(b"3,5\n")
    with pytest.raises(Conflict, match="Part 2 of the file was damaged") as caught:
        join_parts(parts, tmp_path / "joined", sha256=sha256)
    assert caught.value.code == "incomplete_upload"


def test_file_with_a_wrong_digest_is_refused(parts: list[Part], tmp_path: Path):
    with pytest.raises(InvalidInput, match="SHA-256 of the file differs") as caught:
        join_parts(parts, tmp_path / "joined", sha256=sha256_of(b"something else"))
    assert caught.value.code == "digest_mismatch"


def test_joined_file_is_deleted_after_it_is_used(parts: list[Part], tmp_path: Path):
    roles = ["upload_part_1", "upload_part_2", "upload_part_3"]
    described = {"roles": roles, "sha256s": [part.sha256 for part in parts], "sha256": None}
    inputs = {role: part.path for role, part in zip(roles, parts, strict=True)}
    folder = tmp_path / "work"
    folder.mkdir()
    workspace = Workspace(inputs, folder, {"parts": {"upload": described}}, no_progress)
    with uploaded_file(workspace, "upload") as path:
        assert path.read_bytes() == WHOLE
    assert list(folder.iterdir()) == []


def test_file_that_was_uploaded_in_one_part_is_read_in_place(tmp_path: Path):
    workspace = Workspace({"upload": tmp_path / "whole"}, tmp_path, {"parts": {}}, no_progress)
    with uploaded_file(workspace, "upload") as path:
        assert path == tmp_path / "whole"
