"""A stack that another process supervises: a running stack, or a new stack in a child process."""

from __future__ import annotations

import sys
import time
from urllib.parse import urlsplit

from understudy.embedded.commands import StackOptions
from understudy.embedded.data_folder import DataFolder
from understudy.embedded.processes import Child, Program, last_lines
from understudy.embedded.supervisor import is_ready
from understudy.errors import Unavailable

START_SECONDS_MAX = 120
STOP_SECONDS_MAX = 30


class BackgroundStack:
    """The stack that already runs in a data folder, or else a new `understudy serve` as a child process."""

    def __init__(self, options: StackOptions) -> None:
        self.folder = DataFolder(options.data_dir)
        self.is_child = not self.folder.is_locked()
        command = [sys.executable, "-P", "-m", "understudy.cli", "serve", "--data-dir", str(self.folder.path)]
        self._command = [*command, "--host", options.host, "--port", str(options.port)]
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The address of the API. Available after the start."""
        url = self.folder.url()
        assert url is not None
        return url

    def start(self) -> None:
        """Start the stack unless it is running, and return when it is ready.

        Raises
        ------
        Unavailable
            If `serve` ends or is not ready in time. If it has ended, the message contains its last line of
            output.
        """
        if self.is_child:
            self._launch()
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._is_ready():
            if self._child is not None and not self._child.is_running():
                raise Unavailable(last_lines(self._child.log, 1).removeprefix("error: "))
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The stack was not ready after {START_SECONDS_MAX} s. "
                    f"Check its logs in {self.folder.logs}."
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the stack if it is a child of this process."""
        if self._child is not None:
            self._child.stop(STOP_SECONDS_MAX)

    def wait(self) -> None:
        """Wait until the stack has stopped. Ctrl-C interrupts the wait."""
        while self._child is not None and self._child.wait(1) is None:
            pass

    def _launch(self) -> None:
        self.folder.make()
        # A stack that was killed leaves its address file behind.
        self.folder.url_file.unlink(missing_ok=True)
        log = self.folder.logs / "serve.log"
        log.unlink(missing_ok=True)
        self._child = Child(Program(self._command, folder=self.folder.path, log=log))
        self._child.start()

    def _is_ready(self) -> bool:
        url = self.folder.url()
        if url is None:
            return False
        address = urlsplit(url)
        assert address.hostname is not None
        assert address.port is not None
        return is_ready(address.hostname, address.port)
