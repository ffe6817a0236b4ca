"""Requirements that a job places on the worker that runs it."""

from __future__ import annotations

from dataclasses import dataclass

# The queue of jobs without special requirements.
DEFAULT_QUEUE = "default"
# The queue of jobs that need a lot of memory, if the setting `large_job_bytes` is set.
LARGE_QUEUE = "large"


@dataclass(frozen=True)
class Needs:
    """The queue of a job, and limits that are lower than the limits of the installation.

    Parameters
    ----------
    queue : str
        Name of the queue, such as ``gpu``. ``UNDERSTUDY_WORKER_QUEUES`` lists the queues of a worker.
    memory_bytes_max, cpu_seconds_max : int, optional
        Maximum memory in bytes and maximum CPU time in seconds. The lower of this limit and the
        installation's limit applies.
    """

    queue: str = DEFAULT_QUEUE
    memory_bytes_max: int | None = None
    cpu_seconds_max: int | None = None


# Any worker can run the job, within the limits of the installation.
NOTHING_SPECIAL = Needs()
