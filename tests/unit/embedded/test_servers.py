"""Tests for private servers without a supervisor."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from understudy.db.migrate import upgrade
from understudy.embedded.servers import PrivatePostgres, PrivateValkey
from understudy.errors import Unavailable

pytestmark = pytest.mark.stack

Server = PrivatePostgres | PrivateValkey
PATIENCE_SECONDS = 30

START_AND_WAIT = """
import sys, time
from pathlib import Path
from understudy.embedded import servers
server = getattr(servers, sys.argv[1])(Path(sys.argv[2]))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Create a folder with a short path that other users can traverse, like the default data folder."""
    folder = Path(tempfile.mkdtemp(prefix="us-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[type[Server]], Server]]:
    """Return a function that starts a server in the folder. All servers are stopped at the end."""
    started: list[Server] = []

    def start_one(kind: type[Server]) -> Server:
        server = PrivateValkey(folder) if kind is PrivateValkey else PrivatePostgres(folder, durable=False)
        started.append(server)
        server.start()
        return server

    yield start_one
    for server in started:
        server.stop()


def write(server: Server, word: str) -> None:
    """Store a word durably on a server."""
    if isinstance(server, PrivateValkey):
        assert ask_valkey(server, f"SET word {word}") == "+OK"
        assert ask_valkey(server, "WAITAOF 1 0 5000").startswith("*2")
        return
    with psycopg.connect(server.url) as connection:
        # The test kills the server but not the operating system, which keeps all bytes that it has received.
        connection.execute("set synchronous_commit to on")
        connection.execute("create table words (word text)")
        connection.execute("insert into words values (%s)", [word])


def read(server: Server) -> str:
    """Return the stored word."""
    if isinstance(server, PrivateValkey):
        return ask_valkey(server, "GET word").splitlines()[1]
    with psycopg.connect(server.url) as connection:
        row = connection.execute("select word from words").fetchone()
        assert row is not None
        return str(row[0])


def ask_valkey(server: PrivateValkey, command: str) -> str:
    """Send an inline command and return the reply."""
    with socket.socket(socket.AF_UNIX) as connection:
        url = urlsplit(server.url)
        connection.connect(unquote(url.path))
        connection.sendall(f"AUTH {url.password}\r\n".encode())
        assert connection.recv(4096) == b"+OK\r\n"
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(4096).decode().strip()


def is_alive(pid: int) -> bool:
    """Return whether a process is running. A zombie does not count as running."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for_end(pid: int) -> None:
    """Wait until a process has ended."""
    wait_until(lambda: not is_alive(pid))


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("kind", [PrivatePostgres, PrivateValkey])
def test_data_survives_an_orderly_stop(start, kind):
    first = start(kind)
    write(first, "kept")
    first.stop()
    assert not first.is_running()
    assert read(start(kind)) == "kept"


@pytest.mark.parametrize("kind", [PrivatePostgres, PrivateValkey])
def test_data_survives_kill_9(start, kind):
    first = start(kind)
    write(first, "kept")
    os.kill(first.pid, signal.SIGKILL)
    # `wait_for_end` is not used, because a process can be reaped only when the last of its threads has ended.
    wait_until(lambda: not first.is_running())
    assert read(start(kind)) == "kept"


def test_valkey_is_ready_only_after_it_has_loaded_its_data(start):
    first = start(PrivateValkey)
    ask_valkey(first, "EVAL \"for i = 1, 500000 do server.call('SET', i, i) end\" 0")
    write(first, "kept")
    first.stop()
    assert read(start(PrivateValkey)) == "kept"


@pytest.mark.parametrize("kind", [PrivatePostgres, PrivateValkey])
def test_orphaned_server_is_stopped_before_a_new_start(start, kind):
    orphan = start(kind)
    write(orphan, "kept")
    assert read(start(kind)) == "kept"
    assert not orphan.is_running()


@pytest.mark.parametrize("kind", [PrivatePostgres, PrivateValkey])
def test_server_dies_with_the_process_that_started_it(folder, start, kind):
    command = [sys.executable, "-c", START_AND_WAIT, kind.__name__, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    wait_for_end(pid)


@pytest.mark.parametrize("kind", [PrivatePostgres, PrivateValkey])
def test_stopping_twice_or_before_the_start_does_nothing(folder, start, kind):
    kind(folder).stop()
    server = start(kind)
    server.stop()
    server.stop()


@pytest.mark.parametrize("kind", [PrivatePostgres, PrivateValkey])
def test_only_the_owner_can_access_the_socket(folder, start, kind):
    start(kind)
    for private in ("socket", "data"):
        assert stat.S_IMODE((folder / private).stat().st_mode) == 0o700


def test_postgres_does_not_listen_on_the_network(start):
    with psycopg.connect(start(PrivatePostgres).url) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)


def test_postgres_does_not_run_as_root(start):
    pid = start(PrivatePostgres).pid
    (line,) = [
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("Uid:")
    ]
    assert "0" not in line.split()[1:]


def test_folder_that_only_root_can_enter_can_be_used(folder, start):
    folder.chmod(0o700)
    server = start(PrivatePostgres)
    write(server, "kept")
    assert read(server) == "kept"


@pytest.mark.parametrize("kind", [PrivatePostgres, PrivateValkey])
def test_socket_of_a_folder_with_a_long_path_is_in_a_permanent_shorter_folder(folder, kind):
    deep = folder / ("d" * 60) / ("e" * 60)
    urls = []
    for _ in range(2):
        server = kind(deep)
        server.start()
        server.stop()
        urls.append(server.url)
    assert urls[0] == urls[1]
    assert str(deep) not in urls[0]
    elsewhere = Path((deep / "socket-folder").read_text())
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700
    shutil.rmtree(elsewhere)


@pytest.mark.parametrize(
    ("kind", "setting"),
    [(PrivatePostgres, "UNDERSTUDY_DATABASE_URL"), (PrivateValkey, "UNDERSTUDY_REDIS_URL")],
)
def test_error_for_a_missing_wheel_suggests_the_alternative_setting(folder, monkeypatch, kind, setting):
    monkeypatch.setattr("understudy.embedded.binaries.find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=setting) as caught:
        kind(folder).start()
    assert caught.value.code == "configuration"


def test_error_of_a_server_that_cannot_start_contains_the_path_of_its_log(folder, start):
    server = start(PrivateValkey)
    server.stop()
    for file in (folder / "data").rglob("*.manifest"):
        file.write_text("nonsense\n")
    with pytest.raises(Unavailable, match=r"at the end of its log .*server\.log"):
        start(PrivateValkey)


def test_postgres_requires_its_password(start):
    server = start(PrivatePostgres)
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(urlsplit(server.url)._replace(netloc="postgres@").geturl())


LOUD = """
alter role postgres set log_min_messages = 'debug1';
alter role postgres set log_min_error_statement = 'debug1';
alter role postgres set log_min_duration_statement = 0;
alter role postgres set log_parameter_max_length = -1;
alter role postgres set log_parameter_max_length_on_error = -1;
alter role postgres set log_error_verbosity = 'verbose';
"""


def make_errors(url: str, value: str) -> None:
    """Run statements that contain a value in their errors, details, text or parameters."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table if not exists t (a text primary key)")
        connection.execute("insert into t values (%s)", [value])
        for statement, parameters in [
            (f"select '{value}'::int", None),
            ("select %s::int", [value]),
            ("insert into t values (%s)", [value]),
            (f"insert into t values ('{value}')", None),  # noqa: S608 - the value is a constant
            (f"select {value}", None),
        ]:
            with pytest.raises(psycopg.Error):
                connection.execute(statement, parameters)


def test_log_of_postgres_contains_no_values(start, folder):
    server = start(PrivatePostgres)
    make_errors(server.url, "zqvalue1xk")
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(LOUD)
    make_errors(server.url, "zqvalue2xk")
    assert "zqvalue2xk" in (folder / "server.log").read_text()
    upgrade(server.url)
    make_errors(server.url, "zqvalue3xk")
    log = (folder / "server.log").read_text()
    assert "zqvalue1xk" not in log
    assert "zqvalue3xk" not in log


def test_valkey_requires_its_password(start):
    server = start(PrivateValkey)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(unquote(urlsplit(server.url).path))
        connection.sendall(b"GET word\r\n")
        assert connection.recv(4096).startswith(b"-NOAUTH")


@pytest.mark.parametrize("kind", [PrivatePostgres, PrivateValkey])
def test_password_is_neither_in_a_command_line_nor_readable_by_others(kind, start, folder):
    server = start(kind)
    password = urlsplit(server.url).password.encode()
    assert password not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
    files = [file for file in folder.rglob("*") if file.is_file() and password in file.read_bytes()]
    assert files
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)


def test_cluster_of_an_earlier_version_gets_a_password_and_keeps_its_data(start, folder):
    server = start(PrivatePostgres)
    write(server, "kept")
    server.stop()
    rules = folder / "data" / "pg_hba.conf"
    rules.write_text(rules.read_text().replace("scram-sha-256", "trust"))
    (folder / "password").unlink()

    server = start(PrivatePostgres)

    assert read(server) == "kept"
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(urlsplit(server.url)._replace(netloc="postgres@").geturl())
