"""Tests for connections to a frozen server."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.service import frozen_database as frozen
from tests.stalls import StallClock
from understudy.db.session import close_sessions, make_sessions
from understudy.errors import Unavailable

ONE = text("select 1")
ANSWER_SECONDS_MAX = 2.0


def seconds_until_unavailable(sessions: sessionmaker[Session]) -> float:
    with StallClock() as clock:
        began = clock.seconds()
        with pytest.raises(Unavailable), sessions.begin() as session:
            session.execute(ONE)
        return clock.seconds() - began


def test_query_on_a_frozen_server_raises_unavailable_within_two_seconds(
    sessions: sessionmaker[Session],
) -> None:
    with frozen(sessions):
        with ThreadPoolExecutor(4) as pool:
            first = list(pool.map(seconds_until_unavailable, [sessions] * 8))
        later = [seconds_until_unavailable(sessions) for _ in range(3)]
    assert max(first) < ANSWER_SECONDS_MAX
    assert max(later) < 1
    began = time.monotonic()
    while time.monotonic() - began < 15:
        try:
            with sessions() as session:
                assert session.scalar(ONE) == 1
            break
        except Unavailable:
            time.sleep(0.1)
    assert time.monotonic() - began < 15


def test_server_that_freezes_during_a_transaction_raises_unavailable(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        session.execute(ONE)
        with StallClock() as clock, frozen(sessions):
            began = clock.seconds()
            with pytest.raises(Unavailable):
                session.commit()
            session.close()
            assert clock.seconds() - began < ANSWER_SECONDS_MAX


def test_first_connection_to_a_frozen_server_raises_unavailable_and_leaves_no_thread(
    sessions: sessionmaker[Session], database_url: str
) -> None:
    others = make_sessions(database_url, threads=1)
    with frozen(sessions):
        assert seconds_until_unavailable(others) < ANSWER_SECONDS_MAX
        watchers = [thread for thread in threading.enumerate() if thread.name == "database-watch"]
        assert watchers
        close_sessions(others)
        for thread in watchers:
            thread.join(5)
        assert not any(thread.is_alive() for thread in watchers)


def test_slow_statement_of_a_responding_server_succeeds(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        assert session.scalar(text("select 1 from pg_sleep(2.5)")) == 1
