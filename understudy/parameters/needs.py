"""What the work of a job needs of the worker that runs it."""

from __future__ import annotations

from dataclasses import dataclass

# The class of workers that takes what needs nothing special.
DEFAULT_QUEUE = "default"


@dataclass(frozen=True)
class Needs:
    """The class of workers that can do some work, and limits below those of the installation.

    Parameters
    ----------
    queue : str
        A worker takes the jobs of the queues that ``UNDERSTUDY_WORKER_QUEUES`` lists, such as ``gpu``.
    memory_bytes_max, cpu_seconds_max : int, optional
        The most that the work takes; a job gets this, or the installation's limit where that is lower.
    """

    queue: str = DEFAULT_QUEUE
    memory_bytes_max: int | None = None
    cpu_seconds_max: int | None = None


# Any worker can do it, within the limits of the installation.
NOTHING_SPECIAL = Needs()
