"""Choice of the account for the private Postgres, which refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from understudy.embedded.processes import Account, launch_command
from understudy.errors import Unavailable


@dataclass(frozen=True)
class Home:
    """The account and the installation of Postgres. Without an account, Postgres runs as the current user."""

    account: Account | None
    install: Path


def find_home(install: Path, folder: Path) -> Home:
    """Return the first combination of account and installation that can run Postgres.

    Parameters
    ----------
    install : Path
        Folder that contains the `bin`, `lib` and `share` folders of Postgres.
    folder : Path
        Parent of the folder ``data``. An existing data folder keeps its owner.

    Raises
    ------
    Unavailable
        If no combination works. The message lists alternatives.
    """
    owner = _owner(folder / "data")
    if os.geteuid() != 0:
        if owner is not None and owner[0] != os.geteuid():
            raise _refused(f"{folder} belongs to another user")
        return Home(None, install)
    for home in _homes_for_root(install, folder, owner):
        if _works(home, folder):
            return home
    raise _refused(f"it cannot run as root, and no other account can access both {folder} and {install}")


def _homes_for_root(install: Path, folder: Path, owner: tuple[int, int] | None) -> Iterator[Home]:
    nobody = _nobody()
    if owner is None or owner[0] != 0:
        yield Home(Account(*(owner or nobody)), install)
    if owner is None or owner[0] == 0:
        yield Home(Account(*nobody, is_namespaced=True), install)
    if owner is None or owner[0] != 0:
        # The environment may be in a home folder that only root can enter. In this case, use a copy next to
        # the data folder.
        yield Home(Account(*(owner or nobody)), _copy(install, folder))


def _nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise _refused("this system has no user named `nobody`") from None
    return entry.pw_uid, entry.pw_gid


def _owner(data: Path) -> tuple[int, int] | None:
    """Return the owner of a data folder, or None if it contains no cluster."""
    try:
        status = (data / "PG_VERSION").stat()
    except FileNotFoundError:
        return None
    except PermissionError:
        status = data.stat()
    return status.st_uid, status.st_gid


def _copy(install: Path, folder: Path) -> Path:
    """Copy the installation to a folder next to the data folder, once for each build."""
    status = (install / "bin" / "postgres").stat()
    copy = folder / f"install-{status.st_size:x}-{int(status.st_mtime):x}"
    package = install.parent
    if not copy.exists():
        partial = copy.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        # Keep the layout of site-packages because the programs load libraries from a folder next to their
        # package.
        for part in (Path(package.name, install.name), Path(f"{package.name}.libs")):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, partial / part, symlinks=True)
        partial.chmod(0o755)
        partial.rename(copy)
    return copy / package.name / install.name


def _works(home: Home, folder: Path) -> bool:
    program = [str(home.install / "bin" / "postgres"), "--version"]
    command = launch_command(program, folder=folder, account=home.account, death_signal=signal.SIGKILL)
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 (our own command)


def _refused(reason: str) -> Unavailable:
    return Unavailable(
        f"The private PostgreSQL cannot run: {reason}. Run Understudy as an ordinary user, or set "
        "UNDERSTUDY_DATA_DIR to a folder that every user can traverse, such as /var/lib/understudy, or set "
        "UNDERSTUDY_DATABASE_URL to your own server.",
        code="configuration",
    )
