"""Fixtures that need the extra `service`: private servers, an empty database, resources and callers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psutil
import pytest
from redis import Redis
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.orm import Session, sessionmaker

from understudy.access import PROJECT_SCOPES
from understudy.db.migrate import upgrade
from understudy.db.orm import Base
from understudy.db.session import close_sessions, make_sessions, parse_url
from understudy.embedded.servers import PrivatePostgres, PrivateValkey
from understudy.job_queue import ListQueue
from understudy.resources import Resources, open_resources
from understudy.sandbox import Sandbox
from understudy.services.api_keys import Caller
from understudy.services.job_requests import RUN_WORK
from understudy.services.job_runs import run_next_job
from understudy.services.projects import create_project
from understudy.settings import Settings
from workers.worker import PRELOAD

SECRET_KEY = "a key for tests, of 32 characters or more"
# To save memory, real workers do not preload these modules. The tests do, because their jobs would otherwise
# import the modules hundreds of times.
LATE_IMPORTS = (
    *("duckdb", "sklearn.ensemble", "sklearn.linear_model", "understudy.tables.formats.csv"),
    "tests.quiet_exit",
)
# Sessions left open by a test must not block the next one.
DISCONNECT_OTHERS = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a private PostgreSQL and return its URL."""
    server = PrivatePostgres(tmp_path_factory.mktemp("postgres"), durable=False)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def database(postgres: str) -> str:
    """Create a migrated database and return its URL."""
    execute(postgres, "create database understudy_tests")
    url = url_of(postgres, "understudy_tests")
    upgrade(url)
    return url


@pytest.fixture
def empty_url(postgres: str) -> Iterator[str]:
    """Create a database without tables."""
    execute(postgres, "create database without_tables")
    yield url_of(postgres, "without_tables")
    execute(postgres, "drop database without_tables with (force)")


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a private broker and return its URL."""
    server = PrivateValkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server.url
    server.stop()


def connect_valkey(url: str) -> Redis:
    """Return a client of the private broker."""
    parts = urlsplit(url)
    return Redis(unix_socket_path=unquote(parts.path), password=parts.password)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Open the real sandbox for the whole session."""
    with Sandbox(RUN_WORK, [*PRELOAD, *LATE_IMPORTS]) as sandbox:
        yield sandbox


@pytest.fixture
def database_url(database: str) -> Iterator[str]:
    """Return the URL of an empty database, and delete its rows after the test."""
    yield database
    # The deletion takes about 15 ms, and copying a template database takes ten times as long. The role
    # `replica` disables foreign keys, so the tables can be emptied in any order.
    tables = (
        "set session_replication_role = replica",
        *(f"delete from {name}" for name in Base.metadata.tables),  # noqa: S608 - our own names
    )
    execute(database, DISCONNECT_OTHERS, *tables)


@pytest.fixture
def sessions(database_url: str) -> Iterator[sessionmaker[Session]]:
    """Open sessions on the test's database."""
    sessions = make_sessions(database_url, threads=4)
    yield sessions
    close_sessions(sessions)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Return the production settings with shorter pauses."""
    return Settings(
        database_url=database_url,
        secret_key=SECRET_KEY,
        data_dir=tmp_path,
        threads=4,
        lease_seconds=5,
        heartbeat_seconds=1,
        retry_backoff_seconds=0,
    )


@pytest.fixture
def queue() -> ListQueue:
    """Return a doorbell that counts its rings."""
    return ListQueue()


@pytest.fixture
def resources(settings: Settings, queue: ListQueue) -> Iterator[Resources]:
    """Open resources that use the test's database and folder."""
    resources = open_resources(settings, queue=queue)
    yield resources
    resources.close()


@pytest.fixture
def caller(resources: Resources) -> Caller:
    """Return a caller with every scope in a new project."""
    return make_caller(resources)


@pytest.fixture
def other_caller(resources: Resources) -> Caller:
    """Return a caller in another project."""
    return make_caller(resources)


@pytest.fixture
def run_jobs(resources: Resources, sandbox: Sandbox) -> Callable[[], int]:
    """Return a function that runs all queued jobs in the real sandbox and returns their number."""

    def run() -> int:
        n_jobs = 0
        while run_next_job(resources, sandbox, "worker@test"):
            n_jobs += 1
        return n_jobs

    return run


def make_caller(resources: Resources) -> Caller:
    """Return a caller with every scope in a new project."""
    project = create_project(resources, "tests")
    return Caller(project.id, project.id, frozenset(PROJECT_SCOPES))


def url_of(server_url: str, database: str) -> str:
    """Return the URL of a database on a server."""
    return parse_url(server_url).set(database=database).render_as_string(hide_password=False)


def execute(url: str, *statements: str) -> None:
    """Run statements on one connection, outside a transaction."""
    engine = create_engine(parse_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


@contextmanager
def frozen_database(sessions: sessionmaker[Session]) -> Iterator[None]:
    """Stop all processes of the database server with SIGSTOP, and resume them at the end."""
    with sessions() as session:
        folder = session.scalar(text("show data_directory"))
    server = psutil.Process(int((Path(str(folder)) / "postmaster.pid").read_text().split()[0]))
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()
