"""Virtual environments for the peers, made when they are first asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.engine.peers import Peer

DONE = "installed.txt"


def python_of(peer: Peer, folder: Path) -> Path:
    """Return the interpreter of a peer's environment; install it if it is not there, or is another.

    Raises
    ------
    subprocess.CalledProcessError
        If it cannot be installed.
    """
    environment = folder / peer.environment
    python = environment / "bin" / "python"
    wanted = "\n".join((*peer.requirements, *(f"without {name}" for name in peer.removed))) + "\n"
    done = environment / DONE
    if not done.exists() or done.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        _run(sys.executable, "-m", "venv", "--clear", str(environment))
        pip = (str(python), "-m", "pip", "--disable-pip-version-check", "--quiet")
        _run(*pip, "install", *peer.requirements)
        if peer.removed:
            _run(*pip, "uninstall", "--yes", *peer.removed)
        done.write_text(wanted)
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own arguments
