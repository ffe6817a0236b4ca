"""Error codes and messages for exceptions of the work, without any value of the data."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from pathlib import Path

from understudy.errors import UnderstudyError

MEMORY_DETAIL = (
    "The job needed more memory than its limit. Use fewer rows or columns, or ask your "
    "administrator to raise UNDERSTUDY_JOB_MEMORY_BYTES_MAX."
)
KILLED_DETAIL = (
    "The kernel ended the job because the worker's container or control group had no memory left. Use fewer "
    "rows or columns, or ask your administrator to give the worker more memory or fewer concurrent jobs."
)
FILE_SIZE_DETAIL = (
    "The job wrote a file larger than its limit. Request fewer rows, or ask your "
    "administrator to raise UNDERSTUDY_JOB_FILE_BYTES_MAX."
)
STORAGE_DETAIL = "The disk for the files of running jobs is full. Free some disk space and retry the job."
TIME_DETAIL = (
    "The job took more CPU time than its limit. Use fewer rows or columns, or ask your "
    "administrator to raise UNDERSTUDY_JOB_CPU_SECONDS_MAX."
)
DURATION_DETAIL = (
    "The job took longer than its limit. Use fewer rows or columns, or ask your administrator to raise "
    "UNDERSTUDY_JOB_SECONDS_MAX or UNDERSTUDY_JOB_KIND_SECONDS_MAX."
)

# Names of exception classes that report a failed allocation. Their libraries are not imported here.
MEMORY_CLASSES = {"MemoryError", "ArrowMemoryError", "OutOfMemoryException"}
# Phrases that exceptions of other classes use to report a failed allocation.
MEMORY_PHRASES = (
    "bad_alloc",
    "can't start new thread",
    "cannot allocate memory",
    "failed to map segment",
    "out of memory",
)
ERRNO_CODES = {errno.ENOMEM: "out_of_memory", errno.EFBIG: "file_size_limit", errno.ENOSPC: "storage_full"}
DETAILS = {
    "out_of_memory": MEMORY_DETAIL,
    "file_size_limit": FILE_SIZE_DETAIL,
    "storage_full": STORAGE_DETAIL,
}


def describe(error: BaseException) -> tuple[str, str]:
    """Return the code and the detail of an exception that the work raised."""
    if isinstance(error, UnderstudyError):
        return error.code, error.detail
    for cause in _causes(error):
        code = _resource_code(cause)
        if code is not None:
            return code, DETAILS[code]
    return "internal_error", _place(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _resource_code(error: BaseException) -> str | None:
    if any(base.__name__ in MEMORY_CLASSES for base in type(error).__mro__):
        return "out_of_memory"
    if isinstance(error, OSError) and error.errno in ERRNO_CODES:
        return ERRNO_CODES[error.errno]
    text = str(error).lower()
    if isinstance(error, OSError | ImportError | RuntimeError) and mentions_memory(text):
        return "out_of_memory"
    return None


def mentions_memory(text: str) -> bool:
    """Return whether an error message of a library reports a failed allocation."""
    return any(phrase in text for phrase in MEMORY_PHRASES)


def _place(error: BaseException) -> str:
    """Return the class and location of an exception, because its message may contain a value."""
    frames = traceback.extract_tb(error.__traceback__)
    where = (
        f" in {frames[-1].name}, {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""
    )
    return f"{type(error).__name__}{where}."
