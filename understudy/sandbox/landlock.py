"""Landlock rules that limit a process's own access to files, TCP ports and other processes.

The Linux source code documents the interface in ``Documentation/userspace-api/landlock.rst``. The structures
and constants below come from ``include/uapi/linux/landlock.h`` and are the same on all processors.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

SYS_CREATE_RULESET, SYS_ADD_RULE, SYS_RESTRICT_SELF = 444, 445, 446
CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1

# Rights on files and folders, with the version of the interface that introduced them.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE = 1 << 4, 1 << 5
MAKE_DIR, MAKE_REG, MAKE_SYM = 1 << 7, 1 << 8, 1 << 12
REFER, TRUNCATE = 1 << 13, 1 << 14
FILE_RIGHTS_BY_VERSION = {1: (1 << 13) - 1, 2: REFER, 3: TRUNCATE, 5: 1 << 15}
# Version 4 added TCP ports. Version 6 added signals and abstract Unix sockets.
TCP_RIGHTS_BY_VERSION = {4: 0b11}
SCOPES_BY_VERSION = {6: 0b11}

READ = READ_FILE | READ_DIR
# All rights that work needs in its folder. Work may not create sockets, pipes or devices, or execute files.
WORK = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | REFER | TRUNCATE
# Rights that the kernel accepts for a file. All other rights apply only to folders.
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | 1 << 15

# The library is loaded at import because it is not safe to load a library after a fork.
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """Return the version of the kernel's Landlock interface, or 0 if the kernel has no Landlock."""
    if sys.platform != "linux":
        return 0
    known: int = _libc.syscall(SYS_CREATE_RULESET, None, ctypes.c_size_t(0), CREATE_RULESET_VERSION)
    return max(0, known)


def restrict(rights_by_path: Iterable[tuple[Path, int]]) -> None:
    """Deny this process all access to files except the given rights.

    The restriction is permanent. It also applies to TCP ports, to signals to other processes and to abstract
    Unix sockets if the kernel supports these. Paths that do not exist are ignored.

    Parameters
    ----------
    rights_by_path : iterable of (Path, int)
        Files, and folders with everything below them, each with its rights.

    Raises
    ------
    OSError
        If the kernel rejects the rules.
    """
    known = version()
    rights = _rights(FILE_RIGHTS_BY_VERSION, known)
    ruleset = _Ruleset(rights, _rights(TCP_RIGHTS_BY_VERSION, known), _rights(SCOPES_BY_VERSION, known))
    descriptor = _call(
        SYS_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(ctypes.sizeof(ruleset)), ctypes.c_uint(0)
    )
    try:
        for path, granted in rights_by_path:
            _add(descriptor, path, granted & rights)
        _call(SYS_RESTRICT_SELF, ctypes.c_int(descriptor), ctypes.c_uint(0))
    finally:
        os.close(descriptor)


def _rights(by_version: dict[int, int], known: int) -> int:
    return sum(rights for introduced, rights in by_version.items() if introduced <= known)


def _add(ruleset: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= FILE_RIGHTS
        rule = _PathBeneath(rights, descriptor)
        _call(SYS_ADD_RULE, ctypes.c_int(ruleset), RULE_PATH_BENEATH, ctypes.byref(rule), ctypes.c_uint(0))
    finally:
        os.close(descriptor)


def _call(number: int, *arguments: object) -> int:
    result: int = _libc.syscall(number, *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock refused a call: {os.strerror(code)}")
    return result
