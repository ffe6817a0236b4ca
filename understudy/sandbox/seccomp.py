"""A seccomp filter, with which a process gives up system calls permanently.

The filter denies calls that lead out of the sandbox: new processes and programs, sockets, signals and tracing
of other processes, namespaces, mounts, changes of a file's owner or mode, and interfaces of the kernel that
circumvent the other walls. A denied call fails with EPERM. All other calls are allowed, because libraries for
arithmetic use many of them.

The numbers of the calls are those of ``arch/x86/entry/syscalls/syscall_64.tbl`` and
``include/uapi/asm-generic/unistd.h`` of Linux. The structures are those of ``linux/filter.h`` and
``linux/seccomp.h``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
from collections.abc import Sequence

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
SECCOMP_GET_ACTION_AVAIL = 2
RETURN_ALLOW, RETURN_ERRNO, RETURN_KILL = 0x7FFF0000, 0x00050000, 0x80000000

# Instructions of the classic Berkeley Packet Filter: load a word, compare, test bits, return.
LOAD, EQUAL, AT_LEAST, HAS_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Offsets in `struct seccomp_data`. The lower half of the first argument comes first on both processors.
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16

CLONE_THREAD = 0x10000
PR_SET_PDEATHSIG = 1
# Call numbers from this value on belong to the x32 interface of x86-64 processors.
X32 = 0x40000000
# Calls from this number on did not exist when this list was written. Libraries handle calls that do not
# exist.
NEWEST_CALL = 462

# Calls with the same number on all processors.
NEW_CALLS = {
    "pidfd_send_signal": 424,
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "pidfd_open": 434,
    "clone3": 435,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "process_mrelease": 448,
    "fchmodat2": 452,
    "statmount": 457,
    "listmount": 458,
    "lsm_set_self_attr": 460,
}
DENIED = {
    "x86_64": {
        # Sockets.
        **{"socket": 41, "connect": 42, "accept": 43, "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50},
        **{"socketpair": 53, "accept4": 288, "sendmmsg": 307},
        # Processes, programs and groups of processes.
        **{"fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "setpgid": 109, "setsid": 112},
        # Signals to and tracing of other processes.
        **{"tkill": 200, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297, "ptrace": 101, "kcmp": 312},
        **{"process_vm_readv": 310, "process_vm_writev": 311, "perf_event_open": 298},
        **{"setpriority": 141, "migrate_pages": 256, "move_pages": 279},
        **{"sched_setparam": 142, "sched_setscheduler": 144, "sched_setattr": 314},
        # Namespaces and mounts.
        **{"unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161},
        # Owner, mode, attributes and times of files, which Landlock does not cover.
        **{"chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "fchownat": 260},
        **{"fchmodat": 268, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197},
        **{"lremovexattr": 198, "fremovexattr": 199, "utime": 132, "utimes": 235, "futimesat": 261},
        **{"utimensat": 280, "mknod": 133, "mknodat": 259, "quotactl": 179, "acct": 163, "swapon": 167},
        **{"swapoff": 168, "inotify_add_watch": 254, "fanotify_init": 300, "fanotify_mark": 301},
        **{"name_to_handle_at": 303, "open_by_handle_at": 304},
        # Memory and queues that processes share by name.
        **{"shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "msgget": 68, "mq_open": 240},
        **{"semctl": 66, "semop": 65, "semtimedop": 220, "msgsnd": 69, "msgrcv": 70, "msgctl": 71},
        **{"mq_unlink": 241, "io_setup": 206},
        # Identity and interfaces of the kernel.
        **{
            "setuid": 105,
            "setgid": 106,
            "setreuid": 113,
            "setregid": 114,
            "setgroups": 116,
            "setresuid": 117,
        },
        **{"setresgid": 119, "setfsuid": 122, "setfsgid": 123, "capset": 126, "personality": 135},
        **{"add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321, "userfaultfd": 323, "syslog": 103},
        **{"init_module": 175, "finit_module": 313, "delete_module": 176, "kexec_load": 246},
        **{"kexec_file_load": 320, "reboot": 169, "iopl": 172, "ioperm": 173, "modify_ldt": 154},
        **{"settimeofday": 164, "clock_settime": 227, "clock_adjtime": 305, "adjtimex": 159, "vhangup": 153},
        **{"sethostname": 170, "setdomainname": 171, "ioprio_set": 251, "lookup_dcookie": 212},
    },
    "aarch64": {
        **{"socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203},
        **{"sendto": 206, "sendmsg": 211, "accept4": 242, "sendmmsg": 269},
        **{"execve": 221, "execveat": 281, "setpgid": 154, "setsid": 157},
        **{"tkill": 130, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240, "ptrace": 117, "kcmp": 272},
        **{"process_vm_readv": 270, "process_vm_writev": 271, "perf_event_open": 241},
        **{"setpriority": 140, "migrate_pages": 238, "move_pages": 239},
        **{"sched_setparam": 118, "sched_setscheduler": 119, "sched_setattr": 274},
        **{"unshare": 97, "setns": 268, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51},
        **{"fchmod": 52, "fchmodat": 53, "fchownat": 54, "fchown": 55, "setxattr": 5, "lsetxattr": 6},
        **{"fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16, "utimensat": 88},
        **{"mknodat": 33, "quotactl": 60, "acct": 89, "swapon": 224, "swapoff": 225},
        **{"inotify_add_watch": 27, "fanotify_init": 262, "fanotify_mark": 263},
        **{"name_to_handle_at": 264, "open_by_handle_at": 265},
        **{"shmget": 194, "shmctl": 195, "shmat": 196, "semget": 190, "msgget": 186, "mq_open": 180},
        **{"semctl": 191, "semtimedop": 192, "semop": 193, "msgctl": 187, "msgrcv": 188, "msgsnd": 189},
        **{"mq_unlink": 181, "io_setup": 0},
        **{"setregid": 143, "setgid": 144, "setreuid": 145, "setuid": 146, "setresuid": 147},
        **{"setresgid": 149, "setfsuid": 151, "setfsgid": 152, "setgroups": 159, "capset": 91},
        **{"personality": 92, "add_key": 217, "request_key": 218, "keyctl": 219, "bpf": 280},
        **{"userfaultfd": 282, "syslog": 116, "init_module": 105, "delete_module": 106, "finit_module": 273},
        **{"kexec_load": 104, "kexec_file_load": 294, "reboot": 142, "settimeofday": 170},
        **{"clock_settime": 112, "clock_adjtime": 266, "adjtimex": 171, "vhangup": 58, "sethostname": 161},
        **{"setdomainname": 162, "ioprio_set": 30, "lookup_dcookie": 18},
    },
}
# Calls that the filter allows only with certain first arguments.
CHECKED = {
    "x86_64": {
        "clone": 56,
        "kill": 62,
        "tgkill": 234,
        "prctl": 157,
        "prlimit64": 302,
        "sched_setaffinity": 203,
    },
    "aarch64": {
        **{"clone": 220, "kill": 129, "tgkill": 131, "prctl": 167, "prlimit64": 261},
        "sched_setaffinity": 122,
    },
}
AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}

# The library is loaded at import, because it is not safe to load a library after a fork.
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
    """Give up the denied calls in this thread, and in all threads that it starts later.

    Call this function after `no_new_privs` was set, and before any thread is started.

    Raises
    ------
    OSError
        If the kernel refuses the filter.
    """
    install(filter_program(_processor, os.getpid()))


def install(instructions: Sequence[Instruction]) -> None:
    """Install a filter in this thread permanently.

    Raises
    ------
    OSError
        If the kernel refuses the filter.
    """
    array = (_Instruction * len(instructions))(*(_Instruction(*fields) for fields in instructions))
    program = _Program(len(instructions), array)
    if _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"The kernel refused the seccomp filter: {os.strerror(code)}")


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
    # The C library uses `clone` if `clone3`, whose arguments a filter cannot read, does not exist.
    program += [(EQUAL, 0, 1, NEW_CALLS["clone3"]), _fail(errno.ENOSYS)]
    for number in sorted({**DENIED[processor], **NEW_CALLS}.values()):
        program += [(EQUAL, 0, 1, number), _fail(errno.EPERM)]
    for name, number in CHECKED[processor].items():
        check = _check(name, pid)
        program += [(EQUAL, 0, len(check), number), *check]
    return [*program, _give(RETURN_ALLOW)]


def _check(name: str, pid: int) -> Sequence[Instruction]:
    """Return the instructions that decide about a call by its first argument."""
    load, allow, deny = (LOAD, 0, 0, FIRST_ARGUMENT), _give(RETURN_ALLOW), _fail(errno.EPERM)
    match name:
        case "clone":
            return [load, (HAS_BITS, 0, 1, CLONE_THREAD), allow, deny]
        case "kill" | "tgkill":
            return [load, (EQUAL, 0, 1, pid), allow, deny]
        case "prctl":
            return [load, (EQUAL, 0, 1, PR_SET_PDEATHSIG), deny, allow]
        case _:
            # The number 0 means the calling process.
            return [load, (EQUAL, 1, 0, 0), (EQUAL, 0, 1, pid), allow, deny]


def _give(value: int) -> Instruction:
    return (RETURN, 0, 0, value)


def _fail(code: int) -> Instruction:
    return _give(RETURN_ERRNO | code)
