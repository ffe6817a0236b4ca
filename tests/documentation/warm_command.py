"""A process that runs `understudy` commands in forks of itself, so that no command imports the package again.

The pages contain about 60 commands, and most of the duration of a command is the import of libraries. The
program `understudy` that `write_program` creates sends its arguments and files to this process. It runs the
installed program for commands that use the service.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pkgutil import walk_packages

from tests.documentation.blocks import ROOT

COMMANDS = ("fit", "sample", "impute", "evaluate", "verify")
# The process imports the modules of these packages before the first command.
PACKAGES = ("evaluation", "synthesizers", "tables", "transformers")
PROGRAM = """\
#!{python} -IS
import json, os, socket, sys
if sys.argv[1:2] and sys.argv[1] not in {commands}:
    os.execv({installed!r}, ["understudy", *sys.argv[1:]])
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({address!r})
    request = json.dumps([sys.argv, dict(os.environ)]).encode() + b"\\n"
    socket.send_fds(connection, [request], [0, 1, 2, os.open(".", os.O_RDONLY)])
    answer = connection.recv(16)
sys.exit(int(answer) if answer else "The command ended without a status.")
"""


@contextmanager
def warm_program(folder: Path) -> Iterator[Path]:
    """Start the process, and yield a folder with the program `understudy`."""
    address, programs = folder / "socket", folder / "bin"
    programs.mkdir()
    program = programs / "understudy"
    installed = str(Path(sys.executable).parent / "understudy")
    program.write_text(
        PROGRAM.format(python=sys.executable, commands=COMMANDS, installed=installed, address=str(address))
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    command = [sys.executable, "-P", "-m", __name__, str(address)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield programs
        finally:
            process.kill()


def _serve(address: str) -> None:
    from understudy.pandas_import import without_pandas  # not needed to start the process

    with without_pandas():
        _import_modules()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _run(connection)
            connection.close()


def _import_modules() -> None:
    import understudy.cli.files
    import understudy.cli.reports

    for package in PACKAGES:
        path = [str(Path(understudy.__file__).parent / package)]
        for module in walk_packages(path, f"understudy.{package}."):
            __import__(module.name)


def _run(connection: socket.socket) -> None:
    """Run the command of a request in this fork, and end the fork."""
    from understudy.cli import main

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, files, _, _ = socket.recv_fds(connection, 1 << 20, 4)
    while not request.endswith(b"\n"):
        request += connection.recv(1 << 20)
    sys.argv, environment = json.loads(request)
    os.environ.clear()
    os.environ.update(environment)
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    os.fchdir(files[3])
    status = 1
    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(str(status).encode())
        os._exit(status)


if __name__ == "__main__":
    _serve(sys.argv[1])
