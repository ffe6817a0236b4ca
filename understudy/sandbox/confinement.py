"""Functions that bind a process to the life of its parent, limit its resources and drop its privileges.

Linux supports all of these functions. macOS has no prctl, capabilities or namespaces. Limits and process
groups work there too, but a child survives a killed server until its next write.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

from understudy.sandbox.messages import SandboxLimits
from understudy.sandbox.walls import CAP_DAC_READ_SEARCH, SERVER_CAPABILITIES

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
CAPABILITY_VERSION_3 = 0x20080522
N_OPEN_FILES_MAX = 1024
# Maximum number of threads in a run.
N_THREADS_MAX = 1024
# CPU seconds between SIGXCPU, which the work may catch, and SIGKILL, which it cannot.
CPU_GRACE_SECONDS = 5
# With this score, the kernel kills a job before it kills the worker or the database if memory runs out.
OOM_SCORE = "800"

IS_LINUX = sys.platform == "linux"
# The library is loaded at import because it is not safe to load a library after a fork.
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent_pid: int) -> None:
    """Make the kernel kill this process when the thread that started it ends.

    The setting has no effect if the parent has already ended, so the parent's pid is checked afterwards.
    """
    if IS_LINUX:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def forbid_new_privileges() -> None:
    """Prevent this process and its descendants permanently from gaining privileges."""
    if IS_LINUX:
        _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def leave_network() -> bool:
    """Move into a network namespace without interfaces, and return whether the system allowed it.

    Containers usually forbid this operation, so the network policy of the container applies there.
    """
    if not IS_LINUX:
        return False
    if _libc.unshare(CLONE_NEWNET) == 0:
        return True
    return _enter_user_namespace(CLONE_NEWNET)


def count_alone() -> bool:
    """Make the kernel count this process's threads separately from its account's threads, if possible.

    The process moves into its own user namespace, without any capability. Root without capabilities cannot
    do so, because it may not map its user ID into a namespace.
    """
    is_alone = IS_LINUX and os.geteuid() != 0 and _enter_user_namespace(0)
    drop_capabilities()
    return is_alone


def _enter_user_namespace(other_namespaces: int) -> bool:
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(CLONE_NEWUSER | other_namespaces) != 0:
        return False
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    return True


def drop_capabilities() -> None:
    """Drop all capabilities of root. After `forbid_new_privileges`, they cannot be regained."""
    _set_capabilities(0)


def keep_server_capabilities() -> None:
    """Drop all root capabilities except those that the server needs to start and end runs."""
    _set_capabilities(sum(1 << number for number in SERVER_CAPABILITIES))


def change_account(uid: int) -> None:
    """Change root's user and group ID to `uid`, and drop all capabilities except the one for reading files.

    The caller must limit the readable files with Landlock before it reads any data.
    """
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    _libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setresuid(uid, uid, uid)
    _set_capabilities(1 << CAP_DAC_READ_SEARCH)
    # After the change, root owns this process's files in /proc. Undo that because the child reads some of
    # these files.
    _libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


def _set_capabilities(bits: int) -> None:
    if IS_LINUX:
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        # Effective, permitted and inheritable capabilities, first the lower and then the upper 32 bits.
        _libc.capset(header, (ctypes.c_uint32 * 6)(bits, bits, 0, 0, 0, 0))


def limit_threads(*, is_alone: bool) -> None:
    """Limit the number of threads in this process.

    Parameters
    ----------
    is_alone : bool
        Whether the kernel counts only the threads in this process. Otherwise, the kernel counts all threads
        that belong to the account. All threads on the machine might belong to it, so their number is added to
        the limit.
    """
    if IS_LINUX:
        n_others = 0 if is_alone else _count_machine_threads()
        _limit(resource.RLIMIT_NPROC, n_others + N_THREADS_MAX)


def _count_machine_threads() -> int:
    # The fourth field in this file contains the numbers of running threads and of all threads
    # (proc_loadavg(5)).
    return int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])


def apply_limits(limits: SandboxLimits) -> None:
    """Limit this process and its descendants. The limits cannot be raised again."""
    cpu = limits.cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + CPU_GRACE_SECONDS))
    for kind, value in (
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, N_OPEN_FILES_MAX),
        (resource.RLIMIT_AS, limits.memory_bytes),
    ):
        _limit(kind, value)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    # macOS rejects an address space limit below the current usage.
    with contextlib.suppress(ValueError):
        resource.setrlimit(kind, (value, value))


def offer_to_oom_killer() -> None:
    """Make the kernel kill this process first when memory runs out."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)
