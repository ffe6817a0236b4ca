"""Private PostgreSQL and Valkey servers. Each has a separate folder and listens only on a Unix socket."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from understudy.db import log_privacy
from understudy.embedded.accounts import Home, find_home
from understudy.embedded.binaries import postgres_install, valkey_binary
from understudy.embedded.data_folder import write_private
from understudy.embedded.orphans import stop_orphan
from understudy.embedded.passwords import server_password
from understudy.embedded.processes import Child, Program, last_lines, launch_command
from understudy.embedded.sockets import make_private, socket_folder
from understudy.errors import Unavailable

START_SECONDS_MAX = 30
STILL_IN_USE = "still in use"
# File names in the socket folders. The PostgreSQL lock file has the longest name in its folder.
POSTGRES_SOCKET = ".s.PGSQL.5432.lock"
VALKEY_SOCKET = "valkey.sock"


class PrivatePostgres:
    """A PostgreSQL 18 server installed from a wheel.

    Start it from the main thread because it ends with that thread.

    Parameters
    ----------
    folder : Path
        Folder for its data and its socket. It is created if it does not exist.
    durable : bool
        Whether each commit waits for the disk. If not, tests run faster, but a power failure may cause data
        loss.
    log : Path, optional
        File for its output. The default is `server.log` in the folder.
    """

    name = "PostgreSQL"

    def __init__(self, folder: Path, *, durable: bool = True, log: Path | None = None) -> None:
        self._folder = folder.absolute()
        self._durable = durable
        self._log = log or self._folder / "server.log"
        self._data = self._folder / "data"
        self._socket_folder: Path | None = None
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The URL for SQLAlchemy and psycopg. Available after the start."""
        assert self._socket_folder is not None
        return postgres_url(self._socket_folder, server_password(self._folder))

    @property
    def pid(self) -> int:
        """The process ID of the server. Available after the start."""
        assert self._child is not None
        return self._child.pid

    def is_running(self) -> bool:
        """Return whether this object started the server and the server has not ended."""
        return self._child is not None and self._child.is_running()

    def start(self) -> None:
        """Start the server, with a new cluster if there is no cluster, and wait until it is ready.

        Raises
        ------
        Unavailable
            If the server cannot run on this machine. The message contains the reason and the remedy.
        """
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the server without waiting until it is ready."""
        install = postgres_install()
        _make_folder(self._folder)
        stop_orphan(self._data / "postmaster.pid", self._data, signal.SIGINT)
        home = find_home(install, self._folder)
        owner = home.account.owner if home.account else (os.geteuid(), os.getegid())
        self._socket_folder = socket_folder(self._folder, POSTGRES_SOCKET, owner)
        make_private(self._data, owner)
        if not (self._data / "PG_VERSION").exists():
            self._initialise(home, owner)
        self._require_password(home)
        self._child = self._make_child(home)
        self._child.start()

    def wait_until_ready(self) -> None:
        """Wait until the server is ready. Raise the same exceptions as `start`."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._is_ready():
            if (
                not self.is_running()
                and STILL_IN_USE in last_lines(self._log, 3)
                and time.monotonic() < deadline
            ):
                # Some processes of a killed server have not yet ended.
                time.sleep(0.2)
                assert self._child is not None
                self._child.start()
            _fail_unless_alive(self, self._log, deadline)
            time.sleep(0.01)

    def ask_to_stop(self) -> None:
        """Ask the server to stop, without waiting."""
        if self._child is not None:
            self._child.ask_to_stop()

    def stop(self) -> None:
        """End all sessions and stop the server cleanly. Do nothing if it is not running."""
        if self._child is not None:
            self._child.stop()

    def _is_ready(self) -> bool:
        # The eighth line of the pid file is the status that pg_ctl reads.
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return self.is_running() and lines[:1] == [str(self.pid)] and lines[7:8] == ["ready   "]

    def _initialise(self, home: Home, owner: tuple[int, int]) -> None:
        # The PostgreSQL account cannot read the stack's password file.
        handle, name = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(handle, "w") as file:
            file.write(server_password(self._folder))
        os.chown(name, *owner)
        try:
            arguments = ["-D", str(self._data), "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={name}"]
            arguments += ["--encoding=utf8", "--locale=C", *([] if self._durable else ["--no-sync"])]
            self._run(home, "initdb", arguments)
        finally:
            Path(name).unlink()

    def _require_password(self, home: Home) -> None:
        """Set the password of a cluster of an earlier version, which did not require one."""
        file = self._data / "pg_hba.conf"
        rules = file.read_text()
        lines = [line.split() for line in rules.splitlines()]
        if not any(words[-1:] == ["trust"] for words in lines if not "".join(words[:1]).startswith("#")):
            return
        password = server_password(self._folder)
        # The statement goes through standard input because other processes can read command lines.
        statement = f"alter role postgres password '{password}';\n"
        self._run(home, "postgres", ["--single", "-D", str(self._data), "postgres"], statement)
        file.write_text(re.sub(r"(?m)^([^#\n].*\s)trust$", r"\1scram-sha-256", rules))

    def _run(self, home: Home, program: str, arguments: list[str], text: str | None = None) -> None:
        """Run a program of the installation to completion, with the given text as standard input."""
        command = [str(home.install / "bin" / program), *arguments]
        launched = launch_command(
            command, folder=self._folder, account=home.account, death_signal=signal.SIGKILL
        )
        done = subprocess.run(launched, check=False, capture_output=True, text=True, input=text)  # noqa: S603 (our own command)
        if done.returncode != 0:
            self._log.write_text(done.stdout + done.stderr)
            raise _not_started(self, self._log)

    def _make_child(self, home: Home) -> Child:
        options = {"shared_buffers": "32MB", "max_connections": "100", "max_wal_size": "256MB", "jit": "off"}
        options |= log_privacy.SETTINGS
        if not self._durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        command = [str(home.install / "bin" / "postgres"), "-D", str(self._data), "-h", ""]
        command += ["-k", str(self._socket_folder)]
        for option, value in options.items():
            command += ["-c", f"{option}={value}"]
        # SIGINT is Postgres' fast shutdown, which does not wait until all clients have disconnected.
        return Child(
            Program(
                command,
                folder=self._folder,
                log=self._log,
                stop_signal=signal.SIGINT,
                account=home.account,
            )
        )


class PrivateValkey:
    """A Valkey 9 server installed from a wheel, with an append-only file. Start it from the main thread.

    Parameters
    ----------
    folder : Path
        Folder for its data and its socket. It is created if it does not exist.
    log : Path, optional
        File for its output. The default is `server.log` in the folder.
    """

    name = "Valkey"

    def __init__(self, folder: Path, *, log: Path | None = None) -> None:
        self._folder = folder.absolute()
        self._log = log or self._folder / "server.log"
        self._socket: Path | None = None
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The URL for Celery. Available after the start."""
        assert self._socket is not None
        return valkey_url(self._socket.parent, server_password(self._folder))

    @property
    def pid(self) -> int:
        """The process ID of the server. Available after the start."""
        assert self._child is not None
        return self._child.pid

    def is_running(self) -> bool:
        """Return whether this object started the server and the server has not ended."""
        return self._child is not None and self._child.is_running()

    def start(self) -> None:
        """Start the server and wait until it is ready.

        Raises
        ------
        Unavailable
            If the server cannot run on this machine. The message contains the reason and the remedy.
        """
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the server without waiting until it is ready."""
        binary = valkey_binary()
        owner = (os.geteuid(), os.getegid())
        _make_folder(self._folder)
        make_private(self._folder / "data", owner)
        pid_file = self._folder / "valkey.pid"
        stop_orphan(pid_file, self._folder / "data", signal.SIGTERM)
        self._socket = socket_folder(self._folder, VALKEY_SOCKET, owner) / VALKEY_SOCKET
        options = {"port": "0", "unixsocket": str(self._socket), "unixsocketperm": "700"}
        options |= {"dir": str(self._folder / "data"), "pidfile": str(pid_file), "save": ""}
        options |= {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
        arguments = [word for option, value in options.items() for word in (f"--{option}", value)]
        # The password is in a file because other processes can read command lines.
        write_private(self._folder / "valkey.conf", f"requirepass {server_password(self._folder)}")
        command = [str(binary), str(self._folder / "valkey.conf"), *arguments]
        self._child = Child(Program(command, folder=self._folder, log=self._log))
        self._child.start()

    def wait_until_ready(self) -> None:
        """Wait until the server is ready. Raise the same exceptions as `start`."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._is_ready():
            _fail_unless_alive(self, self._log, deadline)
            time.sleep(0.01)

    def ask_to_stop(self) -> None:
        """Ask the server to stop, without waiting."""
        if self._child is not None:
            self._child.ask_to_stop()

    def stop(self) -> None:
        """Write all data to disk and stop the server. Do nothing if it is not running."""
        if self._child is not None:
            self._child.stop()

    def _is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self._socket))
                # Only clients that have authenticated learn whether the server is still loading its data.
                connection.sendall(f"AUTH {server_password(self._folder)}\r\nPING\r\nQUIT\r\n".encode())
                with connection.makefile("rb") as replies:
                    return b"+PONG\r\n" in replies
            except OSError:
                return False


PrivateServer = PrivatePostgres | PrivateValkey


def postgres_url(socket_folder: Path, password: str) -> str:
    """Return the SQLAlchemy and psycopg URL for the PostgreSQL server with a socket in this folder."""
    return f"postgresql://postgres:{password}@/postgres?host={quote(str(socket_folder), safe='/')}"


def valkey_url(socket_folder: Path, password: str) -> str:
    """Return the Celery URL for the Valkey server with a socket in this folder."""
    return f"redis+socket://:{password}@{quote(str(socket_folder / VALKEY_SOCKET), safe='/')}"


def _make_folder(folder: Path) -> None:
    # Other users must be able to traverse the folder because Postgres runs as another user if the stack runs
    # as root.
    try:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The folder {folder} cannot be created ({error.strerror}). Set UNDERSTUDY_DATA_DIR to another "
            "folder.",
            code="configuration",
        ) from error


def _fail_unless_alive(server: PrivateServer, log: Path, deadline: float) -> None:
    if server.is_running() and time.monotonic() < deadline:
        return
    server.stop()
    raise _not_started(server, log)


def _not_started(server: PrivateServer, log: Path) -> Unavailable:
    return Unavailable(
        f"The private {server.name} server did not start. Correct the error at the end of its log ({log}), "
        f"then start the stack again:\n{last_lines(log)}"
    )
