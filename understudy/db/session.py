"""The connections of a process; the one place where a silent database becomes `Unavailable`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from understudy.errors import Unavailable, UnderstudyError

# A session frozen inside a transaction keeps its row locks, and hides its job from the rescue, until the
# server ends it: each limit is therefore well below a lease.
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
# Ended for idling in a transaction; read-only after a failover: psycopg files both under other classes.
UNAVAILABLE_STATES = {"25P03", "25006"}


def parse_url(database_url: str) -> URL:
    """Return the URL with the psycopg 3 driver; ``postgres://`` and ``postgresql://`` are both understood."""
    try:
        url = make_url(database_url)
    # Without its cause, which may show the URL.
    except (ArgumentError, ValueError):
        raise UnderstudyError(
            "UNDERSTUDY_DATABASE_URL is not the URL of a database. Give one such as "
            "postgresql://user:password@host/name.",
            code="configuration",
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise UnderstudyError(
            f"UNDERSTUDY_DATABASE_URL begins with {url.drivername}://; only postgresql:// is supported.",
            code="configuration",
        )
    return url.set(drivername="postgresql+psycopg")


def connect_arguments(limits: dict[str, str]) -> dict[str, Any]:
    """Return what every connection is opened with: limits on the server's side, keepalive on ours."""
    options = " ".join(f"-c {name}={value}" for name, value in limits.items())
    return {**KEEPALIVE, "options": options, "application_name": "understudy"}


def make_sessions(database_url: str, threads: int) -> sessionmaker[Session]:
    """Return the factory of sessions of this process; open it after a fork, not before.

    Parameters
    ----------
    database_url : str
        ``postgresql://user:password@host/name``, or ``postgresql:///name?host=/folder`` for a Unix socket.
    threads : int
        How many threads use it at once. Each may hold two connections, one to read and one of a use-case.
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
    return sessionmaker(engine, expire_on_commit=False)


def without_transactions(sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    """Return a factory of sessions that only read, on the same connections.

    Each statement stands for itself, as it sees what is committed either way, and BEGIN and ROLLBACK, two of
    five trips to the database in the commonest request, are saved.
    """
    engine = sessions.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
    return sessionmaker(engine, expire_on_commit=False)


def translate_errors(engine: Engine) -> None:
    """Let an engine raise `Unavailable` when the database does not answer, breaks off or gives up waiting.

    An error in COMMIT leaves it open whether the transaction took place: nothing may be concluded from
    `Unavailable` but that one has to look, or to repeat a call that is safe to repeat.
    """
    event.listen(engine, "handle_error", translate_error)


def translate_error(context: ExceptionContext) -> BaseException | None:
    """Return what to raise instead of a driver's error, or None to leave it as it is."""
    # The pool pings to find broken connections and replaces them itself.
    if context.is_pre_ping or not is_unavailable(context):
        return None
    return Unavailable("The database does not answer; the same call may succeed in a few seconds.")


def is_unavailable(context: ExceptionContext) -> bool:
    """Tell whether the error speaks of the database's state and not of the statement."""
    return (
        context.is_disconnect
        or isinstance(context.sqlalchemy_exception, OperationalError | InterfaceError)
        or getattr(context.original_exception, "sqlstate", None) in UNAVAILABLE_STATES
    )


def close_sessions(sessions: sessionmaker[Session]) -> None:
    """Close the connections behind a factory."""
    engine = sessions.kw["bind"]
    assert isinstance(engine, Engine)
    engine.dispose()
