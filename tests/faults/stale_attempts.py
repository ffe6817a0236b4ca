"""Attempts that continue although another attempt of their job is running or has succeeded.

Random faults produce such attempts only by chance. This thread produces them one after another: it freezes a
process or a thread at a step of an attempt, waits until the lease has expired and the job is claimed again,
and lets the stale attempt continue at the worst moment.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.faults.stack import Stack
from tests.faults.workers import send
from understudy.errors import Unavailable
from understudy.failpoints import HOLD_SECONDS_MAX

# Time in seconds between two checks of a condition. The second attempt of a small job takes half a second.
LOOK_SECONDS = 0.02
# Maximum time in seconds to wait until an attempt reaches the step, and again until a later attempt of its
# job has reached the state.
ROUND_SECONDS = HOLD_SECONDS_MAX - 10
RUNNING = "select id, attempt from jobs where state = 'running'"
LATER = "select 1 from jobs where id = :id and attempt > :attempt and state = :state"


@dataclass(frozen=True)
class Round:
    """A step at which an attempt is frozen, and the state of the job at which the attempt continues.

    The action `hold` freezes a thread, and `stop` freezes a process with all its threads.
    """

    step: str
    action: str
    state: str


# The first round detects a missing comparison of the token, and the second detects attempts that share files.
# The worker does not check its lease between this step and its last transaction.
FIRST = (Round("finish.before", "hold", "running"), Round("finish.before", "hold", "succeeded"))
OTHERS = (
    Round("finish.before", "stop", "running"),
    # When the stale attempt continues, its first statement is the heartbeat.
    Round("heartbeat.before", "stop", "running"),
    Round("store.before", "stop", "running"),
    Round("put.after_link", "stop", "running"),
    Round("input.after", "stop", "succeeded"),
)


class StaleAttempts(threading.Thread):
    """A thread that produces stale attempts until it is stopped.

    `counts` contains the number of stale attempts for each kind of round.
    """

    def __init__(self, stack: Stack, seed: int) -> None:
        super().__init__(name="stale-attempts", daemon=True)
        self.counts: Counter[str] = Counter()
        self.is_stopped = threading.Event()
        self._stack = stack
        self._points = stack.worker_points
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def run(self) -> None:
        """Run the first rounds once, then all rounds repeatedly in random order."""
        for current in self._rounds():
            if self.is_stopped.is_set():
                return
            try:
                self._run_round(current)
            # Another fault has made the database unavailable.
            except Unavailable:
                self.is_stopped.wait(LOOK_SECONDS)

    def _rounds(self) -> Iterator[Round]:
        yield from FIRST
        while True:
            # The first rounds detect the most defects, so they occur twice as often as the other rounds.
            rounds = [*FIRST, *FIRST, *OTHERS]
            self._random.shuffle(rounds)
            yield from rounds

    def _run_round(self, current: Round) -> None:
        if not self._points.reserve(current.step):
            self.is_stopped.wait(LOOK_SECONDS)
            return
        try:
            self._points.arm(current.step, current.action)
            if not self._wait(lambda: self._points.is_reached(current.step)):
                return
            pid = self._points.pid(current.step)
            try:
                held = [(row.id, row.attempt) for row in self._stack.rows(RUNNING)]
                if self._wait(lambda: self._has_later(held, current.state)):
                    self.counts[f"stale {current.action} at {current.step} until {current.state}"] += 1
            finally:
                if current.action == "stop":
                    send([pid], signal.SIGCONT)
        finally:
            self._points.free(current.step)

    def _has_later(self, held: list[tuple[object, int]], state: str) -> bool:
        """Return whether a later attempt of any of the held jobs has reached a state."""
        return any(
            self._stack.rows(LATER, id=job_id, attempt=attempt, state=state) for job_id, attempt in held
        )

    def _wait(self, condition: Callable[[], bool]) -> bool:
        end = time.monotonic() + ROUND_SECONDS
        while not self.is_stopped.is_set() and time.monotonic() < end:
            try:
                if condition():
                    return True
            except Unavailable:
                pass
            self.is_stopped.wait(LOOK_SECONDS)
        return False
