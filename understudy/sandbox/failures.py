"""Error codes and messages for exceptions of the work, without any value of the data."""

from __future__ import annotations

import builtins
import errno
import resource
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.sandbox.confinement import N_THREADS_MAX
from understudy.sandbox.messages import Json

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
FOLDER_DETAIL = (
    "The files of the job exceeded the limit on their total size or their number (100,000). Request fewer "
    "rows, or ask your administrator to raise UNDERSTUDY_JOB_FOLDER_BYTES_MAX, which limits the size."
)
START_DETAIL = "The worker's machine could not start a process for the job. The worker tries again later."
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
THREAD_PHRASE = "can't start new thread"
# Address space that the stacks of a few threads need.
THREADS_BYTES = 256 << 20
# Phrases that exceptions of other classes use to report a failed allocation.
MEMORY_PHRASES = (
    "bad_alloc",
    THREAD_PHRASE,
    "cannot allocate memory",
    "failed to map segment",
    "out of memory",
)
ERRNO_CODES = {errno.ENOMEM: "out_of_memory", errno.EFBIG: "file_size_limit", errno.ENOSPC: "storage_full"}
DETAILS = {
    "unavailable": "The machine has no thread left for the job. Retry the job later.",
    "out_of_memory": MEMORY_DETAIL,
    "file_size_limit": FILE_SIZE_DETAIL,
    "storage_full": STORAGE_DETAIL,
}


def describe(error: BaseException) -> Json:
    """Return the code of an exception that the work raised, with its detail or its location in the code."""
    if isinstance(error, UnderstudyError):
        return {"code": error.code, "detail": storable(error.detail)}
    for cause in _causes(error):
        code = _resource_code(cause)
        if code is not None:
            return {"code": code, "detail": DETAILS[code]}
    return {"code": "internal_error", "place": _place(error)}


def storable(text: str) -> str:
    """Replace characters that the database cannot store, which a column name may contain."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


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
    if THREAD_PHRASE in text and _has_room_for_threads():
        return "unavailable"
    if isinstance(error, OSError | ImportError | RuntimeError) and mentions_memory(text):
        return "out_of_memory"
    return None


def mentions_memory(text: str) -> bool:
    """Return whether an error message of a library reports a failed allocation."""
    return any(phrase in text for phrase in MEMORY_PHRASES)


def _has_room_for_threads() -> bool:
    """Return whether this process may start more threads, so that a failed start is due to the machine."""
    try:
        n_threads = len(list(Path("/proc/self/task").iterdir()))
        address_space = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return False
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    has_memory = limit == resource.RLIM_INFINITY or address_space + THREADS_BYTES < limit
    return n_threads < N_THREADS_MAX // 2 and has_memory


def _place(error: BaseException) -> Json:
    """Return the class and the location of an exception. Its message may contain a value."""
    built_in = next(base for base in type(error).__mro__ if base.__module__ == "builtins")
    # Compiled code has frames without an existing file.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".py")]
    place = {"file": frames[-1].filename, "line": frames[-1].lineno} if frames else {}
    return {"class": built_in.__name__, **place}


def describe_place(place: object, code_folders: Sequence[Path]) -> str:
    """Return a sentence about the location of an exception, for the log.

    A hostile child may have written the location. Therefore, only the names of built-in exceptions and
    existing lines in existing code files are accepted, so the sentence contains no values from the data.
    """
    if not isinstance(place, dict):
        return "Exception."
    name, file, line = place.get("class"), place.get("file"), place.get("line")
    known = isinstance(name, str) and isinstance(getattr(builtins, name, None), type)
    sentence = f"{name}" if known else "Exception"
    if not (isinstance(file, str) and type(line) is int and _is_line(Path(file), line, code_folders)):
        return f"{sentence}."
    return f"{sentence} in {Path(file).name} line {line}."


def _is_line(file: Path, line: int, code_folders: Sequence[Path]) -> bool:
    """Return whether a file with code has the line."""
    is_code = ".." not in file.parts and any(file.is_relative_to(folder) for folder in code_folders)
    if not is_code or file.suffix != ".py":
        return False
    try:
        return 1 <= line <= file.read_bytes().count(b"\n") + 1
    except (OSError, ValueError):
        return False
