"""Follow how-to pages, whose blocks create files, change lines and run commands.

- A `python` block with a title creates a file with that name.
- A `diff` block with a title changes that file. Each hunk must match exactly one position in the file.
- An `sh` block runs in the project root.
  A `text` block after an `sh` block shows lines of the output, in order.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "site", "results"
)
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
COMMAND_SECONDS_MAX = 300


@dataclass(frozen=True)
class Block:
    """A code block of a page."""

    language: str
    title: str | None
    code: str


def read_blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in order."""
    return [Block(kind, title or None, code) for kind, title, code in BLOCK.findall(page.read_text())]


def copy_project(folder: Path) -> Path:
    """Copy the project into a new folder. The copy keeps file times, so that compiled kernels stay valid."""
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED, symlinks=True)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def follow(page: Path, project: Path) -> None:
    """Follow the instructions of a page, block by block.

    Raises
    ------
    AssertionError
        If a new file already exists, if the lines to change do not occur exactly once, if a command fails, or
        if its output does not contain a line that the page shows. The message names the block.
    """
    output = ""
    for block in read_blocks(page):
        if block.language == "text":
            check_output(block, output)
        elif block.language == "diff":
            change_file(block, project)
        elif block.title is not None:
            create_file(block, project)
        elif block.language == "sh":
            output = run(block.code, project)
        else:
            raise AssertionError(f"{page.name} contains a block of an unsupported kind: {block}")


def build(page: Path, project: Path) -> None:
    """Create and change the files of a page without running its commands."""
    for block in read_blocks(page):
        if block.language == "diff":
            change_file(block, project)
        elif block.title is not None:
            create_file(block, project)


def create_file(block: Block, project: Path) -> None:
    """Create the file named in the title."""
    assert block.title is not None
    path = project / block.title
    assert not path.exists(), f"{block.title} already exists."
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.code)


def change_file(block: Block, project: Path) -> None:
    """Apply the hunks of a `diff` block. Lines of `...` separate the hunks."""
    assert block.title is not None, f"A diff block has no title with the name of its file:\n{block.code}"
    path = project / block.title
    text = path.read_text()
    for hunk in re.split(r"^\.\.\.\n", block.code, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] or "\n" for line in lines if not line.startswith("+"))
        after = "".join(line[1:] or "\n" for line in lines if not line.startswith("-"))
        assert text.count(before) == 1, (
            f"{block.title} must contain these lines once, but contains them "
            f"{text.count(before)} times:\n{before}"
        )
        text = text.replace(before, after)
    path.write_text(text)


def run(code: str, project: Path) -> str:
    """Run shell commands in the root of the project and return their output."""
    # Use the PATH that `. .venv/bin/activate` sets. Every page begins with this activation command.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(project), "COLUMNS": "200"}
    completed = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=project,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
    )
    assert completed.returncode == 0, (
        f"{code}\nended with {completed.returncode}:\n{completed.stdout[-4000:]}"
    )
    return completed.stdout


def check_output(block: Block, output: str) -> None:
    """Check that the output contains the lines of a `text` block, in order. `…` stands for any text."""
    position = 0
    for line in filter(None, map(str.strip, block.code.splitlines())):
        pattern = ".*?".join(re.escape(part) for part in line.split("…"))
        match = re.compile(pattern).search(output, position)
        assert match is not None, f"The output of the command lacks the line {line!r}:\n{output[-4000:]}"
        position = match.end()
