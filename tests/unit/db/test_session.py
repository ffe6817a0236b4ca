from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from tests.unit.db.states import add_job, add_project
from understudy.db.session import close_sessions, make_sessions, parse_url
from understudy.errors import Unavailable, UnderstudyError


def terminate_others(session: Session) -> None:
    session.execute(
        text(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
            " and datname = current_database()"
        )
    )


def test_connection_to_a_missing_server_raises_unavailable(tmp_path: object) -> None:
    sessions = make_sessions(f"postgresql:///understudy?host={tmp_path}", threads=1)

    with sessions() as session, pytest.raises(Unavailable):
        session.execute(text("select 1"))
    close_sessions(sessions)


def test_connection_that_is_cut_in_a_transaction_raises_unavailable(
    sessions: sessionmaker[Session], database_url: str
) -> None:
    other = make_sessions(database_url, threads=1)
    with sessions() as session:
        session.execute(text("select 1"))
        with other() as killer:
            terminate_others(killer)
        with pytest.raises(Unavailable):
            session.execute(text("select 1"))
    close_sessions(other)


def test_connection_that_is_cut_before_a_commit_raises_unavailable(
    sessions: sessionmaker[Session], database_url: str
) -> None:
    other = make_sessions(database_url, threads=1)
    with sessions() as session:
        session.execute(text("select 1"))
        with other() as killer:
            terminate_others(killer)
        with pytest.raises(Unavailable):
            session.commit()
    close_sessions(other)


def test_connection_that_was_cut_while_idle_is_replaced(
    sessions: sessionmaker[Session], database_url: str
) -> None:
    other = make_sessions(database_url, threads=1)
    with sessions() as session:
        session.execute(text("select 1"))
    with other() as killer:
        terminate_others(killer)

    with sessions() as session:
        assert session.scalar(text("select 1")) == 1
    close_sessions(other)


def test_wait_for_a_lock_times_out(sessions: sessionmaker[Session]) -> None:
    job = add_job(sessions, add_project(sessions))
    lock = text("select 1 from jobs where id = :id for update")

    with sessions() as holder, sessions() as waiter:
        holder.execute(lock, {"id": job.id})
        waiter.execute(text("set lock_timeout = '50ms'"))
        with pytest.raises(Unavailable):
            waiter.execute(lock, {"id": job.id})


def test_session_that_idles_in_a_transaction_is_ended(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        session.execute(text("set idle_in_transaction_session_timeout = '50ms'"))
        session.execute(text("select pg_sleep(0)"))
        wait_until_ended(sessions)
        with pytest.raises(Unavailable):
            session.execute(text("select 1"))


def wait_until_ended(sessions: sessionmaker[Session]) -> None:
    """Wait until the server has no other session on this database."""
    n_others = text(
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    )
    with sessions() as watcher:
        while watcher.scalar(n_others):
            watcher.execute(text("select pg_sleep(0.02)"))
            # PostgreSQL caches `pg_stat_activity` within a transaction, so each query needs a new
            # transaction.
            watcher.rollback()


def test_limits_apply_to_every_connection(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        settings = [
            session.scalar(text(f"show {name}"))
            for name in (
                "idle_in_transaction_session_timeout",
                "statement_timeout",
                "lock_timeout",
                "timezone",
            )
        ]

    assert settings == ["10s", "15s", "3s", "UTC"]


def test_statement_error_is_not_translated_and_does_not_contain_values(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session, pytest.raises(IntegrityError) as caught:
        session.execute(
            text("insert into projects (id, name) values (gen_random_uuid(), :name)"), {"name": None}
        )
    assert "parameters hidden" in str(caught.value)


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg://u@h/d"])
def test_database_url_uses_the_psycopg_driver(url: str) -> None:
    assert parse_url(url).render_as_string() == "postgresql+psycopg://u@h/d"


def test_url_of_another_database_system_is_refused() -> None:
    with pytest.raises(UnderstudyError) as caught:
        parse_url("sqlite:///here.db")
    assert caught.value.code == "configuration"
