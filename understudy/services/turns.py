"""Periodic tasks that one worker at a time performs, regardless of the number of workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from understudy.db import turns
from understudy.resources import Resources

# Time without a renewal after which another worker continues the pass.
HELD = timedelta(seconds=30)


@dataclass(frozen=True)
class Turn:
    """A task that this worker has taken.

    Parameters
    ----------
    position : str
        The last key that an interrupted pass has processed, or an empty string.
    """

    resources: Resources
    name: str
    holder: UUID
    position: str

    def keep(self, position: str) -> bool:
        """Store the position of the pass. Return False if another worker has taken the task."""
        with self.resources.sessions.begin() as session:
            return turns.keep(session, self.name, self.holder, position, held=HELD)


@contextmanager
def take_turn(resources: Resources, name: str, *, every: timedelta = timedelta(0)) -> Iterator[Turn | None]:
    """Take a task, or yield None if another worker has taken it or its last pass ended less than `every` ago.

    If the block raises an exception, another worker may continue the pass at once.
    """
    holder = uuid4()
    with resources.sessions.begin() as session:
        position = turns.take(session, name, holder, every=every, held=HELD)
    if position is None:
        yield None
        return
    try:
        yield Turn(resources, name, holder, position)
    except BaseException:
        with resources.sessions.begin() as session:
            turns.leave(session, name, holder)
        raise
    with resources.sessions.begin() as session:
        turns.complete(session, name, holder)
