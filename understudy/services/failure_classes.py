"""Classes of job failures, which determine whether and how often a job is retried.

| class | retried | examples |
|---|---|---|
| transient | up to 4 times, with growing pauses | the blob store or the database does not respond |
| crash | twice | the process or the worker was killed |
| memory | once, if there is a `large` queue | the memory limit was exceeded |
| bug | once | an exception that no code expects |
| time | no | the time limit was exceeded |
| permanent | no | the data or the parameters cannot be used |
"""

from __future__ import annotations

from typing import Literal

FailureClass = Literal["transient", "crash", "memory", "bug", "time", "permanent"]

# Error codes of failed jobs. All other codes are permanent.
CLASSES: dict[str, FailureClass] = {
    "unavailable": "transient",
    "storage_full": "transient",
    "worker_crashed": "crash",
    "out_of_memory": "memory",
    "internal_error": "bug",
    "time_limit": "time",
}
# Failure classes that the service may be responsible for. Operators see jobs with these failures as dead
# letters.
DEAD_LETTER_CLASSES: tuple[FailureClass, ...] = ("transient", "crash", "memory", "bug")
DEAD_LETTER_CODES = tuple(code for code, name in CLASSES.items() if name in DEAD_LETTER_CLASSES)


def class_of(error_code: str) -> FailureClass:
    """Return the class of a failure with an error code."""
    return CLASSES.get(error_code, "permanent")
