"""Passwords of the private servers, each in a file that only the stack's account can read."""

from __future__ import annotations

import secrets
from pathlib import Path

from understudy.embedded.data_folder import write_private


def server_password(folder: Path) -> str:
    """Return the password of the server in a folder. It is created on the first call."""
    file = folder / "password"
    if not file.exists():
        write_private(file, secrets.token_urlsafe(32))
    return file.read_text().strip()
