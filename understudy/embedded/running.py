"""Access to the stack that runs in a data folder, for other commands of the same user."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from understudy.embedded.data_folder import DataFolder
from understudy.embedded.passwords import server_password
from understudy.embedded.servers import POSTGRES_SOCKET, VALKEY_SOCKET, postgres_url, valkey_url
from understudy.embedded.sockets import find_socket_folder
from understudy.errors import Unavailable
from understudy.job_queue import NO_BROKER


def settings_of_stack(data_dir: Path) -> dict[str, SecretStr]:
    """Return the settings of the running stack: the URLs of its private servers, and its secret.

    The URL of an external database is not included. If the stack has no private broker, commands use none,
    because workers also look for due jobs without notifications.

    Raises
    ------
    Unavailable
        If no stack is running in the folder.
    """
    folder = DataFolder(data_dir)
    if not folder.is_locked():
        raise Unavailable(
            f"No stack is running in {folder.path}. Start one with `understudy serve`, choose another "
            "folder with --data-dir, or set UNDERSTUDY_DATABASE_URL, UNDERSTUDY_REDIS_URL and "
            "UNDERSTUDY_SECRET_KEY.",
            code="configuration",
        )
    values = {"secret_key": folder.secret_key(), "redis_url": NO_BROKER}
    for name, server, socket, url in (
        ("database_url", "postgres", POSTGRES_SOCKET, postgres_url),
        ("redis_url", "valkey", VALKEY_SOCKET, valkey_url),
    ):
        sockets = find_socket_folder(folder.path / server, socket)
        if sockets is not None:
            values[name] = url(sockets, server_password(folder.path / server))
    return {name: SecretStr(value) for name, value in values.items()}
