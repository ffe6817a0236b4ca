"""What a process can do to itself so that it can do less: death with its parent, limits, no network.

Linux knows all of it. On macOS there is no prctl, no capability and no namespace: limits and process groups
hold there too, but a child outlives a killed server until it next writes.
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

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
CAPABILITY_VERSION_3 = 0x20080522
N_OPEN_FILES_MAX = 1024
# After SIGXCPU, which the work may catch, SIGKILL, which it cannot.
CPU_GRACE_SECONDS = 5
# The kernel, short of memory, ends a job before it ends the worker or the database.
OOM_SCORE = "800"

IS_LINUX = sys.platform == "linux"
# Loaded here, and not after a fork, where little may be done.
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent_pid: int) -> None:
    """Let the kernel kill this process when the thread that started it ends.

    The setting does not cover a parent that had ended before; so whose child we are is looked at afterwards.
    """
    if IS_LINUX:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def forbid_new_privileges() -> None:
    """Let no program that is started from here gain rights, for good."""
    if IS_LINUX:
        _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def leave_network() -> bool:
    """Move into a network namespace without interfaces, where the system allows it; return whether it did.

    Containers commonly forbid it; there, the network policy of the container holds.
    """
    if not IS_LINUX:
        return False
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(CLONE_NEWNET) == 0:
        return True
    if _libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        return False
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    return True


def drop_capabilities() -> None:
    """Give up what root may do beyond other users, and cannot get back after `forbid_new_privileges`."""
    if IS_LINUX:
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        _libc.capset(header, (ctypes.c_uint32 * 6)())


def apply_limits(limits: SandboxLimits) -> None:
    """Limit this process and what it starts; nothing can be undone."""
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
    # macOS refuses a limit on address space below what is in use.
    with contextlib.suppress(ValueError):
        resource.setrlimit(kind, (value, value))


def offer_to_oom_killer() -> None:
    """Ask the kernel to choose this process first when memory runs out."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)
