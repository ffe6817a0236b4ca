"""Access to uploaded files, after joining and verifying files that were uploaded in parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from understudy.errors import Conflict, InvalidInput
from understudy.work.base import Workspace

PIECE_BYTES = 1 << 20


class Digest(Protocol):
    """A hash object of hashlib."""

    def update(self, data: bytes, /) -> None: ...


@dataclass(frozen=True)
class Part:
    """A part of a file, and its SHA-256 when it was uploaded."""

    path: Path
    sha256: str


@contextmanager
def uploaded_file(workspace: Workspace, role: str) -> Iterator[Path]:
    """Yield the path of the file with the given role. A file joined from parts is deleted afterwards.

    Raises
    ------
    Conflict, InvalidInput
        Under the same conditions as `join_parts`.
    """
    if role not in workspace.context["parts"]:
        yield workspace.inputs[role]
        return
    described = workspace.context["parts"][role]
    parts = [
        Part(workspace.inputs[of_part], sha256)
        for of_part, sha256 in zip(described["roles"], described["sha256s"], strict=True)
    ]
    joined = workspace.folder / role
    try:
        join_parts(parts, joined, sha256=described["sha256"])
        yield joined
    finally:
        joined.unlink(missing_ok=True)


def join_parts(parts: Sequence[Part], target: Path, *, sha256: str | None) -> None:
    """Concatenate parts into a file.

    Parameters
    ----------
    parts : sequence of Part
        Parts, in the order of the file.
    target : Path
        Path of the file to write.
    sha256 : str, optional
        Expected SHA-256 of the file. If omitted, every part is verified against its own SHA-256.

    Raises
    ------
    Conflict
        With the code `incomplete_upload`, if a part has changed since its upload.
    InvalidInput
        With the code `digest_mismatch`, if the SHA-256 of the file is not the expected one.
    """
    whole = hashlib.sha256()
    with target.open("wb") as file:
        for number, part in enumerate(parts, 1):
            digest = whole if sha256 is not None else hashlib.sha256()
            _copy(part.path, file, digest)
            if sha256 is None and digest.hexdigest() != part.sha256:
                raise _damaged(number)
    if sha256 is None or whole.hexdigest() == sha256:
        return
    for number, part in enumerate(parts, 1):
        with part.path.open("rb") as source:
            if hashlib.file_digest(source, "sha256").hexdigest() != part.sha256:
                raise _damaged(number)
    raise InvalidInput(
        "The SHA-256 of the file differs from the value declared at the start of the upload, so the file "
        "changed during the upload. Upload the file again.",
        code="digest_mismatch",
    )


def _copy(path: Path, target: BinaryIO, digest: Digest) -> None:
    with path.open("rb") as source:
        while piece := source.read(PIECE_BYTES):
            digest.update(piece)
            target.write(piece)


def _damaged(number: int) -> Conflict:
    return Conflict(
        f"Part {number} of the file was damaged in the store. Upload the file again.",
        code="incomplete_upload",
    )
