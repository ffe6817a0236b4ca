"""Search for canaries wherever the service stores data: every column of the database, files and logs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import text

from understudy.db.orm import Base
from understudy.resources import Resources


def find_in_database(resources: Resources, canaries: Iterable[str]) -> set[str]:
    """Return the tables with a row that contains any of the canaries as text or as bytes."""
    words = [word for canary in canaries for word in (canary.lower(), canary.encode().hex())]
    found = set()
    with resources.sessions() as session:
        for table in Base.metadata.tables:
            rows = session.scalars(text(f"select lower(to_jsonb(t)::text) from {table} t"))  # noqa: S608
            if any(word in row for row in rows for word in words):
                found.add(table)
    return found


def find_in_files(folder: Path, canaries: Iterable[str]) -> set[str]:
    """Return each path below a folder if its name or content contains any of the canaries."""
    words = [canary.encode() for canary in canaries]
    # In contrast to `Path.rglob`, `os.walk` continues if another process deletes a folder meanwhile.
    paths = [Path(parent, name) for parent, folders, files in os.walk(folder) for name in (*folders, *files)]
    return {
        path.relative_to(folder).as_posix()
        for path in paths
        if any(word in bytes(path) or word in _read(path) for word in words)
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        # Another process has just deleted the file.
        return b""
