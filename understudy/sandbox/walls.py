"""The walls of a sandbox child: kernel mechanisms that confine it permanently."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from understudy.sandbox import landlock, seccomp
from understudy.sandbox.accounts import Accounts, find_accounts

# The first version of Landlock that can deny the truncation of files.
LANDLOCK_VERSION_MIN = 3
CAP_CHOWN, CAP_DAC_READ_SEARCH, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SYS_PTRACE = 0, 2, 5, 6, 7, 19
# Capabilities that the server needs to start and end runs with other user IDs.
SERVER_CAPABILITIES = (CAP_CHOWN, CAP_DAC_READ_SEARCH, CAP_KILL, CAP_SETGID, CAP_SETUID)
# The worker also lists a run's open files because their sizes count toward a limit.
CAPABILITIES_NEEDED = (*SERVER_CAPABILITIES, CAP_SYS_PTRACE)

# Files of the system that libraries read: the linker's cache, the time zone, processors and memory.
SYSTEM_FILES = (
    *("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib"),
    *("/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/etc/ssl/openssl.cnf"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm/overcommit_memory", "/proc/filesystems"),
    *("/sys/devices/system", "/sys/fs/cgroup", "/sys/kernel/mm/transparent_hugepage"),
    *("/dev/urandom", "/dev/random", "/dev/zero"),
)


@dataclass(frozen=True)
class Walls:
    """The walls that the kernel and the account of this process allow.

    Parameters
    ----------
    landlock : int
        Version of the kernel's Landlock interface, or 0 if the kernel has no Landlock.
    seccomp : bool
        Whether the kernel can filter the system calls of the child.
    accounts : Accounts or None
        User IDs for the runs. None unless this process runs as root and may change its user ID.
    """

    landlock: int
    seccomp: bool
    accounts: Accounts | None

    def missing(self) -> tuple[str, ...]:
        """Return a sentence about each missing wall and its consequence."""
        sentences = []
        if self.landlock < LANDLOCK_VERSION_MIN:
            sentences.append(
                "The kernel has no Landlock (Linux 6.2 or later, with `landlock` in its list of security "
                "modules), so a job's process can access all files of the worker's account."
            )
        if not self.seccomp:
            sentences.append(
                "The kernel or the processor has no seccomp filter, so a job's process can open sockets and "
                "start other processes."
            )
        if os.geteuid() == 0 and self.accounts is None:
            sentences.append(
                "The worker runs as root but cannot give a job's process another user ID, because Landlock, "
                "a writable folder /run, or one of the capabilities chown, dac_read_search, kill, setgid, "
                "setuid and sys_ptrace is missing."
            )
        return tuple(sentences)


def find_walls() -> Walls:
    """Return the walls of this machine."""
    version = landlock.version()
    # The child keeps the capability to read files because the interpreter may be in a folder that only root
    # can enter. Without Landlock, that capability would give access to all files.
    may_change = version >= LANDLOCK_VERSION_MIN and os.geteuid() == 0 and _has_capabilities()
    return Walls(version, seccomp.is_available(), find_accounts() if may_change else None)


def library_paths() -> tuple[Path, ...]:
    """Return the files and folders that imported code may read later.

    These are the system libraries, the standard library, the installed packages, and the folder of each
    package imported from elsewhere, such as a checkout of this project.
    """
    packages = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    packages |= {Path(folder) for folder in [*site.getsitepackages(), site.getusersitepackages()]}
    packages |= {Path(prefix) / "lib" for prefix in (sys.prefix, sys.base_prefix)}
    elsewhere = {
        folder
        for name, module in list(sys.modules.items())
        if "." not in name
        for folder in map(Path, getattr(module, "__path__", ()))
        if not any(folder.is_relative_to(package) for package in packages)
    }
    return tuple(sorted({*packages, *elsewhere, *map(Path, SYSTEM_FILES)}))


def shut(walls: Walls, libraries: Sequence[Path], inputs: Sequence[Path], folder: Path) -> None:
    """Confine this process permanently to its inputs, its folder and the libraries.

    Parameters
    ----------
    libraries, inputs : sequence of Path
        Files and folders that the process may read.
    folder : Path
        Folder where the process may create, change and delete files.
    """
    if walls.landlock:
        readable = [(path, landlock.READ) for path in (*libraries, *inputs, Path("/proc/self"))]
        null = Path("/dev/null"), landlock.READ | landlock.WRITE_FILE
        landlock.restrict([*readable, null, (folder, landlock.WORK)])
    if walls.seccomp:
        seccomp.deny_calls()


def _has_capabilities() -> bool:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return False
    effective = next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
    needed = sum(1 << number for number in CAPABILITIES_NEEDED)
    return effective & needed == needed
