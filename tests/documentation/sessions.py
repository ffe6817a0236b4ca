"""Sessions that run the blocks of a page in order, in one Python namespace and one bash process."""

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
# This line makes bash write the number of a failing line to a file.
PRELUDE = """\
set -Eeuo pipefail
trap 'printf %s "$LINENO" > "$SESSION_FOLDER/failed"' ERR
"""


class PageError(AssertionError):
    """Error for a block that fails or prints unexpected output."""


class PythonSession:
    """The Python blocks of a page, run in one namespace in the current folder."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {"__name__": "__main__"}

    def run(self, block: Block) -> None:
        """Run a block and compare its output."""
        # The leading blank lines make the line numbers in a traceback match those on the page.
        source = "\n" * (block.line - 1) + block.source
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output):
                exec(compile(source, block.page, "exec"), self._names)  # noqa: S102 - our own pages
        except Exception as error:
            lines = [part.lineno for part in traceback.extract_tb(error.__traceback__)]
            # The first traceback entry is this function. The traceback of a syntax error has no other entry.
            line = (lines[1] if len(lines) > 1 else None) or block.line
            raise PageError(
                f"{block.page}:{line}: this line failed:\n    {block.line_at(line)}\n"
                f"{type(error).__name__}: {error}"
            ) from error
        check_output(block, output.getvalue())


class ShellSession:
    """The shell blocks of a page, run in one `bash -euo pipefail` with a test folder as its home."""

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
        # The leading empty lines make bash report the line number on the page.
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
        """Kill bash and all processes that it started."""
        self._kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]

    def _send(self, commands: str) -> None:
        assert self._process.stdin is not None
        # If bash has exited, the failure of the block that stopped it has already been reported.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(commands)
            self._process.stdin.flush()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _failure(self, block: Block, output: Path, errors: Path) -> str:
        failed = self._folder / "failed"
        # The file does not exist if bash exited because of an unset variable or the time limit.
        line = int(failed.read_text()) if failed.exists() else block.line
        return (
            f"{block.page}:{line}: this command failed, or ran longer than {BLOCK_SECONDS_MAX} s:\n"
            f"    {block.line_at(line)}\n"
            f"--- stdout\n{output.read_text()}\n--- stderr\n{errors.read_text()}"
        )


def check_output(block: Block, output: str) -> None:
    """Raise `PageError` if the output differs from the block's expected output."""
    if block.output is not None and not matches(block.output, output):
        raise PageError(
            f"{block.place}: the output differs from the page.\n"
            f"--- page\n{block.output}\n--- output\n{output}"
        )
