"""Virtual environments of the peers, which are created on first use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.engine.peers import Peer

DONE = "installed.txt"


def python_of(peer: Peer, folder: Path) -> Path:
    """Return the interpreter of a peer's environment, after installing a missing or outdated environment.

    Raises
    ------
    subprocess.CalledProcessError
        If the environment cannot be installed.
    """
    environment = folder / peer.environment
    python = environment / "bin" / "python"
    requirements_text = "\n".join((*peer.requirements, *(f"without {name}" for name in peer.removed))) + "\n"
    done = environment / DONE
    if not done.exists() or done.read_text() != requirements_text:
        folder.mkdir(parents=True, exist_ok=True)
        _run(sys.executable, "-m", "venv", "--clear", str(environment))
        pip = (str(python), "-m", "pip", "--disable-pip-version-check", "--quiet")
        _run(*pip, "install", *peer.requirements)
        if peer.removed:
            _run(*pip, "uninstall", "--yes", *peer.removed)
        done.write_text(requirements_text)
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True)  # noqa: S603 - trusted arguments
