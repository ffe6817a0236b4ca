"""A seccomp filter that permanently denies a process certain system calls.

The filter denies calls that lead out of the sandbox: creating processes, executing programs, sockets,
signaling or tracing other processes, namespaces, mounts, changing a file's owner or mode, and kernel
interfaces that circumvent the other mechanisms of the sandbox. A denied call fails with EPERM. All other
calls are allowed because numerical libraries use many of these calls.

The module `calls` contains the lists. The structures are defined in ``linux/filter.h`` and
``linux/seccomp.h``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
from collections.abc import Sequence

from understudy.sandbox.calls import (
    CHECKED,
    DENIED,
    NEW_CALLS,
    NEWEST_CALL,
    RULES,
    UNSUPPORTED,
    UNSUPPORTED_REQUESTS,
    Only,
    OwnProcess,
    Rule,
    Without,
)

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
SECCOMP_GET_ACTION_AVAIL = 2
RETURN_ALLOW, RETURN_ERRNO, RETURN_KILL = 0x7FFF0000, 0x00050000, 0x80000000

# Instructions of the classic Berkeley Packet Filter: load a word, compare, test bits, return.
LOAD, EQUAL, AT_LEAST, HAS_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Offsets in `struct seccomp_data`. An argument has 8 bytes, and its lower half comes first on both
# processors.
NUMBER, ARCHITECTURE, FIRST_ARGUMENT, ARGUMENT_BYTES = 0, 4, 16, 8

# Call numbers greater than or equal to this value belong to the x32 interface of x86-64 processors.
X32 = 0x40000000
AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}

# The library is loaded at import because it is not safe to load a library after a fork.
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_processor = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine(), platform.machine())


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


Instruction = tuple[int, int, int, int]


def is_available() -> bool:
    """Return whether the kernel accepts a filter, and the list of calls covers this processor."""
    if sys.platform != "linux" or _processor not in DENIED:
        return False
    action = ctypes.c_uint32(RETURN_ERRNO)
    call = ctypes.c_uint(SECCOMP_GET_ACTION_AVAIL), ctypes.c_uint(0), ctypes.byref(action)
    return bool(_libc.syscall(SYS_SECCOMP[_processor], *call) == 0)


def deny_calls() -> None:
    """Permanently deny the listed calls to this thread and to all threads that it starts later.

    Call this function after `no_new_privs` was set, and before any thread is started.

    Raises
    ------
    OSError
        If the kernel rejects the filter.
    """
    install(filter_program(_processor, os.getpid()))


def install(instructions: Sequence[Instruction]) -> None:
    """Install a filter in this thread permanently.

    Raises
    ------
    OSError
        If the kernel rejects the filter.
    """
    array = (_Instruction * len(instructions))(*(_Instruction(*fields) for fields in instructions))
    program = _Program(len(instructions), array)
    if _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"The kernel rejected the seccomp filter: {os.strerror(code)}")


def filter_program(processor: str, pid: int) -> Sequence[Instruction]:
    """Return the filter of a process.

    Parameters
    ----------
    processor : str
        `x86_64` or `aarch64`.
    pid : int
        Process ID of the process, which may send signals to itself.
    """
    program = [
        *[(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, AUDIT_ARCHITECTURE[processor]), _give(RETURN_KILL)],
        (LOAD, 0, 0, NUMBER),
    ]
    if processor == "x86_64":
        program += [(AT_LEAST, 0, 1, X32), _give(RETURN_KILL)]
    program += [(AT_LEAST, 0, 1, NEWEST_CALL + 1), _fail(errno.ENOSYS)]
    # A filter cannot read the arguments of `clone3` and `openat2`. If these calls do not exist, the C library
    # uses `clone` and `openat` instead.
    for name in ("clone3", "openat2"):
        program += [(EQUAL, 0, 1, NEW_CALLS[name]), _fail(errno.ENOSYS)]
    for number in sorted({**DENIED[processor], **NEW_CALLS}.values()):
        program += [(EQUAL, 0, 1, number), _fail(errno.EPERM)]
    for number in UNSUPPORTED[processor].values():
        program += [(EQUAL, 0, 1, number), _fail(errno.EOPNOTSUPP)]
    for name, number in CHECKED[processor].items():
        deny = _fail(errno.EOPNOTSUPP if name in UNSUPPORTED_REQUESTS else errno.EPERM)
        check = _check(RULES[name], pid, deny)
        program += [(EQUAL, 0, len(check), number), *check]
    return [*program, _give(RETURN_ALLOW)]


def _check(rule: Rule, pid: int, deny: Instruction) -> Sequence[Instruction]:
    """Return the instructions that allow or deny a call based on one of its arguments."""
    allow = _give(RETURN_ALLOW)
    match rule:
        case Only(argument, values):
            comparisons = [(EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
            return [_load(argument), *comparisons, deny, allow]
        case Without(argument, bits):
            return [_load(argument), (HAS_BITS, 0, 1, bits), deny, allow]
        case OwnProcess(by_zero):
            values = (0, pid) if by_zero else (pid,)
            return _check(Only(0, values), pid, deny)


def _load(argument: int) -> Instruction:
    return (LOAD, 0, 0, FIRST_ARGUMENT + ARGUMENT_BYTES * argument)


def _give(value: int) -> Instruction:
    return (RETURN, 0, 0, value)


def _fail(code: int) -> Instruction:
    return _give(RETURN_ERRNO | code)
