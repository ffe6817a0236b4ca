"""The invariants I1 to I7 of the fault tests, which are checked during and after every case.

I1 no acknowledged job is lost · I2 one terminal state, event and result · I3 reads match their SHA-256 ·
I4 no attempts overlap, and each running job has a lease · I5 recovery within a bound · I6 nothing is left
over · I7 the API returns 2xx, 4xx, 503 with Retry-After, or 507
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.workers import is_true, slowness, until
from understudy.errors import NotFound, Unavailable
from understudy.services.erasure import erase_files
from understudy.services.maintenance import sweep

if TYPE_CHECKING:
    from uuid import UUID

    from tests.faults.stack import Stack

# These queries find contradictory rows at any time. No query must return a row.
ALWAYS = {
    "I2: a round with several terminal events": """
        select job_id from job_events where type in ('succeeded', 'failed', 'cancelled')
        group by job_id, round having count(*) > 1""",
    "I2: a successful job without exactly one successful attempt": """
        select j.id from jobs j left join job_attempts a on a.job_id = j.id and a.outcome = 'succeeded'
        where j.state = 'succeeded' group by j.id having count(a.token) <> 1""",
    "I2: a terminal state without an event": """
        select j.id from jobs j left join job_events e
          on e.job_id = j.id and e.round = j.round and e.type in ('succeeded', 'failed', 'cancelled')
        where j.state in ('succeeded', 'failed', 'cancelled') group by j.id having count(e.id) <> 1""",
    "I2: a result of a job that did not succeed": """
        select j.id from jobs j where j.state <> 'succeeded' and (
          exists (select from models m where m.job_id = j.id)
          or exists (select from reports r where r.job_id = j.id)
          or exists (select from datasets d where d.job_id = j.id and d.state = 'ready'))""",
    "I2: an artifact of an attempt that did not succeed": """
        select f.id from artifacts f where f.token <> 0 and not exists (
          select from job_attempts a where a.token = f.token and a.outcome = 'succeeded')""",
    "I4: attempts that overlap": """
        select a.job_id from job_attempts a join job_attempts b
          on a.job_id = b.job_id and a.attempt < b.attempt and a.ended_at > b.started_at""",
    "I4: an open attempt before the last one": """
        select a.job_id from job_attempts a join job_attempts b
          on a.job_id = b.job_id and a.attempt < b.attempt where a.outcome is null""",
    "I4: a running job without a lease": """
        select id from jobs where state = 'running' and lease_until is null""",
}
# These queries find contradictory rows after all jobs have ended. No query must return a row.
AT_THE_END = {
    "I1: a job that did not end": "select id from jobs where state in ('queued', 'running')",
    "I1: an attempt that did not end": "select job_id from job_attempts where outcome is null",
    "I2: a job whose number of successful attempts contradicts its state": """
        select j.id from jobs j left join job_attempts a on a.job_id = j.id and a.outcome = 'succeeded'
        group by j.id having count(a.token) <> (case when j.state = 'succeeded' then 1 else 0 end)""",
    "I2: a successful job without a result": """
        select j.id from jobs j where j.state = 'succeeded' and j.erased_at is null and not (
          j.kind = 'probe' or j.parent_id is not null
          or exists (select from models m where m.job_id = j.id)
          or exists (select from reports r where r.job_id = j.id)
          or exists (select from datasets d where d.job_id = j.id and d.state = 'ready'))""",
}
IDLE_TRANSACTIONS = """
    select pid from pg_stat_activity where datname = current_database()
    and state like 'idle in transaction%' and xact_start < clock_timestamp() - interval '11 seconds'"""
# The factor by which the time limits are extended. Even on a quiet machine, the processes that start during a
# recovery compete with each other.
MARGIN = 2
# The newest files, which are the most likely to be affected by a fault, and some others.
FILES = """
    (select storage_key, sha256, size_bytes from artifacts order by id desc limit :n)
    union (select storage_key, sha256, size_bytes from artifacts order by random() limit :n)"""


class Reader:
    """A thread that reads visible files and checks the invariants that must hold at any time."""

    def __init__(self, stack: Stack, queries: dict[str, str] = ALWAYS, pause_seconds: float = 0.2) -> None:
        self.n_reads = 0
        self.n_checks = 0
        self.violations: list[str] = []
        self._stack = stack
        self._queries = queries
        self._pause_seconds = pause_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop reading."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def look(self) -> None:
        """Read some files and check the rows once."""
        for key, sha256, size_bytes in self._stack.rows(FILES, n=8):
            fault = read_fault(self._stack, key, sha256, size_bytes)
            # A deletion between the query and the read is not a fault.
            if fault and self._stack.rows("select 1 from artifacts where storage_key = :key", key=key):
                self.violations.append(f"I3: {fault}")
            self.n_reads += 1
        self.violations += contradictions(self._stack, self._queries)
        self.n_checks += 1

    def _run(self) -> None:
        while not self._stopped.wait(self._pause_seconds):
            try:
                self.look()
            except Unavailable:
                continue


def read_fault(stack: Stack, key: str, sha256: bytes, size_bytes: int) -> str | None:
    """Return a description of how a stored file differs from its row, or None if they match."""
    try:
        with stack.resources.store.open(key) as blob:
            data = blob.read()
    except NotFound:
        return f"{key} is missing"
    if (hashlib.sha256(data).digest(), len(data)) != (sha256, size_bytes):
        return f"{key} differs from its row"
    return None


def contradictions(stack: Stack, queries: dict[str, str]) -> list[str]:
    """Return the contradictions that queries find."""
    return [f"{name} ({rows[0][0]})" for name, query in queries.items() if (rows := stack.rows(query))]


def check_invariants(stack: Stack) -> None:
    """Fail if any invariant is broken. Call this function after all jobs have ended."""
    found = contradictions(stack, {**ALWAYS, **AT_THE_END})
    for key, sha256, size_bytes in stack.rows("select storage_key, sha256, size_bytes from artifacts"):
        fault = read_fault(stack, key, sha256, size_bytes)
        found += [f"I3: {fault}"] if fault else []
    assert not found, found
    _check_leftovers(stack)


def check_accepted(stack: Stack, job_ids: set[UUID]) -> None:
    """Fail if an accepted job has no row."""
    stored = {row.id for row in stack.rows("select id from jobs")}
    assert job_ids <= stored, f"I1: lost {job_ids - stored}"


def _check_leftovers(stack: Stack) -> None:
    sweep(stack.resources, orphans_kept=timedelta(0))
    erase_files(stack.resources, kept=timedelta(0))
    scratch = stack.resources.scratch_folder
    folders = [path.name for path in scratch.iterdir() if path.name.isdecimal()]
    assert folders == [], f"I6: folders of attempts {folders}"
    known = {row.storage_key for row in stack.rows("select storage_key from artifacts")}
    known |= {row.storage_key for row in stack.rows("select storage_key from upload_parts")}
    orphans = set(stack.resources.store.keys("")) - known
    assert not orphans, f"I6: blobs without a row {orphans}"
    assert stack.rows(IDLE_TRANSACTIONS) == [], "I6: transactions that idle"
    until(lambda: staged_files(stack) == [], "I6: staged files are removed")


def staged_files(stack: Stack) -> list[Path]:
    """Return the received and temporary files of API processes."""
    return [path for path in stack.resources.staging.root.rglob("*") if path.is_file()]


class Recovery:
    """An upper bound on the duration of a recovery (I5), which grows with the load of the machine.

    Parameters
    ----------
    seconds : float
        The bound on a quiet machine, in seconds.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds * MARGIN * slowness()

    def wait(self, condition: Callable[[], Any], what: str) -> float:
        """Wait until the condition is true, and return the duration in seconds. Fail after the time limit."""
        began = time.monotonic()
        while True:
            is_fulfilled = is_true(condition)
            waited = time.monotonic() - began
            assert waited < self.seconds, f"I5: not within {waited:.1f} s: {what}"
            if is_fulfilled:
                return waited
            time.sleep(0.05)
