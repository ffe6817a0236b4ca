"""Sessions that run the blocks of a page in order: one namespace for Python, one bash for shell."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
import traceback
from pathlib import Path
from threading import Timer
from typing import Any

from tests.documentation.blocks import Block, matches

BLOCK_SECONDS_MAX = 300
# Notes the line at which bash ends.
PRELUDE = """\
set -Eeuo pipefail
trap 'printf %s "$LINENO" > "$SESSION_FOLDER/failed"' ERR
"""


class PageError(AssertionError):
    """A block that failed or printed something else than the page states."""


class PythonSession:
    """The Python blocks of a page, run in one namespace in the current folder."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {"__name__": "__main__"}

    def run(self, block: Block) -> None:
        """Run a block and compare its output."""
        # Empty lines in front, so that a traceback shows the line of the page.
        source = "\n" * (block.line - 1) + block.source
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output):
                exec(compile(source, block.page, "exec"), self._names)  # noqa: S102 - our own pages
        except Exception as error:
            lines = [part.lineno for part in traceback.extract_tb(error.__traceback__)]
            # The first entry is this function. A syntax error has no other.
            line = (lines[1] if len(lines) > 1 else None) or block.line
            raise PageError(
                f"{block.page}:{line}: this line fails:\n    {block.line_at(line)}\n"
                f"{type(error).__name__}: {error}"
            ) from error
        check_output(block, output.getvalue())


class ShellSession:
    """The shell blocks of a page, run in one `bash -euo pipefail` whose home is a folder of the test."""

    def __init__(self, folder: Path, session_folder: Path, environment: dict[str, str]) -> None:
        session_folder.mkdir()
        self._folder = session_folder
        self._process = subprocess.Popen(
            [shutil.which("bash") or "bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment | {"SESSION_FOLDER": str(session_folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._send(PRELUDE)

    def run(self, block: Block, source: str) -> None:
        """Run the source of a block and compare its output."""
        script, output, errors = (self._folder / name for name in ("block.sh", "output", "errors"))
        # Empty lines in front, so that bash counts as the page does.
        script.write_text("\n" * (block.line - 1) + source)
        self._send(f"source {script} < /dev/null > {output} 2> {errors}\necho done\n")
        timer = Timer(BLOCK_SECONDS_MAX, self._kill)
        timer.start()
        try:
            is_done = self._process.stdout.readline() == "done\n"  # type: ignore[union-attr]
        finally:
            timer.cancel()
        if not is_done:
            raise PageError(self._failure(block, output, errors))
        check_output(block, output.read_text())

    def close(self) -> None:
        """End bash and all that it has started."""
        self._kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]

    def _send(self, commands: str) -> None:
        assert self._process.stdin is not None
        # A bash that has ended is reported by the block that ended it.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(commands)
            self._process.stdin.flush()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _failure(self, block: Block, output: Path, errors: Path) -> str:
        failed = self._folder / "failed"
        # There is no note if an unset variable or the time limit ended bash.
        line = int(failed.read_text()) if failed.exists() else block.line
        return (
            f"{block.page}:{line}: this command fails, or runs longer than {BLOCK_SECONDS_MAX} s:\n"
            f"    {block.line_at(line)}\n"
            f"--- stdout\n{output.read_text()}\n--- stderr\n{errors.read_text()}"
        )


def check_output(block: Block, output: str) -> None:
    """Compare the output of a block with the one that the page states, if it states one."""
    if block.output is not None and not matches(block.output, output):
        raise PageError(
            f"{block.place}: the block prints something else.\n"
            f"--- the page\n{block.output}\n--- the output\n{output}"
        )
