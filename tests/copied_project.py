"""Copies of the project with one more member of a family, for the tests that adding one takes little."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("understudy", "app", "workers", "tests/contracts")
FILES = ("pyproject.toml", "tests/__init__.py", "tests/one_table.py", "tests/tables.py")


def copy_project(folder: Path, *others: str) -> Path:
    """Copy the product, the contract suite and other files of the repository into a folder."""
    for package in PACKAGES:
        # With their times, so that compiled kernels are found.
        shutil.copytree(ROOT / package, folder / package)
    for name in (*FILES, *others):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def add_line(file: Path, after: str, line: str) -> None:
    """Add one line to a file, after a line that it contains once."""
    text = file.read_text()
    assert text.count(f"{after}\n") == 1, f"{after!r} in {file}"
    file.write_text(text.replace(f"{after}\n", f"{after}\n{line}\n"))


def run(project: Path, *arguments: str) -> str:
    """Run a module or code in the copy; return what it prints."""
    environment = os.environ | {"PYTHONPATH": str(project), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    ).stdout
