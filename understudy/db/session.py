"""Open a process's database connections, and translate connection errors to `Unavailable`."""

from __future__ import annotations

import os
import socket
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from understudy import counters
from understudy.db.deadlines import watch_server
from understudy.errors import Unavailable, UnderstudyError
from understudy.failpoints import failpoint

# A session that is frozen inside a transaction keeps its row locks, which also prevent the rescue of its job,
# until the server ends it. Therefore each limit is well below the duration of a lease.
LIMITS = {
    "idle_in_transaction_session_timeout": "10s",
    "statement_timeout": "15s",
    "lock_timeout": "3s",
    "timezone": "UTC",
}
KEEPALIVE = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
# Time in seconds without any response of the server after which a request fails. Every request fails within
# two seconds while the server is frozen.
PATIENCE_SECONDS = 1.5
# SQLSTATEs for a session that was ended because it idled in a transaction, and for a database that is
# read-only after a failover. psycopg raises them as classes other than OperationalError.
UNAVAILABLE_STATES = {"25P03", "25006"}
# SQLSTATEs for a missing table or column: the schema is older than the code.
OLD_SCHEMA_STATES = {"42P01", "42703", "42883"}


def parse_url(database_url: str) -> URL:
    """Return the URL with the psycopg 3 driver. ``postgres://`` and ``postgresql://`` are both accepted."""
    try:
        url = make_url(database_url)
    # The cause is dropped because it may contain the URL.
    except (ArgumentError, ValueError):
        raise UnderstudyError(
            "UNDERSTUDY_DATABASE_URL is not the URL of a database. Set it to a URL such as "
            "postgresql://user:password@host/name.",
            code="configuration",
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise UnderstudyError(
            f"UNDERSTUDY_DATABASE_URL begins with {url.drivername}://, but only postgresql:// is supported. "
            "Set it to the URL of a PostgreSQL database.",
            code="configuration",
        )
    return url.set(drivername="postgresql+psycopg")


def connect_arguments(limits: dict[str, str]) -> dict[str, Any]:
    """Return the arguments of every connection: server limits and client keepalive settings."""
    options = " ".join(f"-c {name}={value}" for name, value in limits.items())
    return {**KEEPALIVE, "options": options, "application_name": "understudy"}


def make_sessions(
    database_url: str, threads: int, *, patience_seconds: float = PATIENCE_SECONDS
) -> sessionmaker[Session]:
    """Return a session factory for this process. A process that forks must call this function after the fork.

    Parameters
    ----------
    database_url : str
        ``postgresql://user:password@host/name``, or ``postgresql:///name?host=/folder`` for a Unix socket.
    threads : int
        Number of threads that use the factory at once. Each thread may hold two connections: one for reading,
        and one for the transaction of a use case.
    patience_seconds : float
        Time without any response of the server after which a call raises `Unavailable`.
    """
    engine = create_engine(
        parse_url(database_url),
        pool_size=threads,
        max_overflow=threads,
        pool_timeout=5,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=connect_arguments(LIMITS),
    )
    translate_errors(engine)
    watch_server(engine, patience_seconds)
    return sessionmaker(engine, expire_on_commit=False)


def without_transactions(sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    """Return a factory of read-only sessions that use the same connections.

    Each statement is its own transaction and reads all committed data. This saves BEGIN and ROLLBACK, which
    are two of the five round trips to the database in the most frequent request.
    """
    engine = sessions.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
    return sessionmaker(engine, expire_on_commit=False)


def translate_errors(engine: Engine) -> None:
    """Make an engine raise `Unavailable` if the database does not respond, disconnects or times out.

    After an error in COMMIT, it is unknown whether the transaction was committed. A caller that gets
    `Unavailable` must read the current state, or repeat the call if it is idempotent.
    """
    event.listen(engine, "handle_error", translate_error)


def translate_error(context: ExceptionContext) -> BaseException | None:
    """Return the exception to raise instead of a driver's error, or None to keep the error."""
    # The pool needs the driver's error to replace a connection that does not respond to a ping.
    if context.is_pre_ping:
        return None
    if getattr(context.original_exception, "sqlstate", None) in OLD_SCHEMA_STATES:
        return Unavailable("The database schema is older than this version. Run `understudy migrate`.")
    if not is_unavailable(context):
        return None
    counters.count("database_errors")
    return Unavailable("The database does not respond. Repeat the call in a few seconds.")


def is_unavailable(context: ExceptionContext) -> bool:
    """Return whether an error is caused by the state of the database, not by the statement."""
    return (
        context.is_disconnect
        or isinstance(context.sqlalchemy_exception, OperationalError | InterfaceError)
        or getattr(context.original_exception, "sqlstate", None) in UNAVAILABLE_STATES
    )


def close_sessions(sessions: sessionmaker[Session]) -> None:
    """Close the connections of a session factory."""
    engine = sessions.kw["bind"]
    assert isinstance(engine, Engine)
    engine.dispose()


def transaction_failpoint(session: Session, name: str) -> None:
    """Reach a failpoint that can also break the connection of a transaction."""
    failpoint(name, lambda: _break_connection(session))


def _break_connection(session: Session) -> None:
    driver_connection = session.connection().connection.driver_connection
    assert driver_connection is not None
    with socket.socket(fileno=os.dup(driver_connection.fileno())) as connection:
        connection.shutdown(socket.SHUT_RDWR)
