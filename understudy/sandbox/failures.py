"""What an exception of the work means to the caller, without a word of the data."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from pathlib import Path

from understudy.errors import UnderstudyError

MEMORY_DETAIL = "The work needed more memory than its limit. Use fewer rows or columns, or raise the limit."
FILE_SIZE_DETAIL = "The work wrote a file larger than its limit. Ask for fewer rows, or raise the limit."
STORAGE_DETAIL = "There is no space left to write to."
TIME_DETAIL = "The work took more CPU time than its limit. Use fewer rows or columns, or raise the limit."

# Classes of libraries that are not imported here; they are told by their names.
MEMORY_CLASSES = {"MemoryError", "ArrowMemoryError", "OutOfMemoryException"}
# How libraries say, in other classes, that address space could not be had.
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
    """Return the code and the detail of what the work raised."""
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
    if isinstance(error, OSError | ImportError | RuntimeError) and speaks_of_memory(text):
        return "out_of_memory"
    return None


def speaks_of_memory(text: str) -> bool:
    """Tell whether what a library wrote says that memory could not be had."""
    return any(phrase in text for phrase in MEMORY_PHRASES)


def _place(error: BaseException) -> str:
    """Return the class and where it was raised; the message itself may hold a value of the data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = (
        f" in {frames[-1].name}, {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""
    )
    return f"{type(error).__name__}{where}."
