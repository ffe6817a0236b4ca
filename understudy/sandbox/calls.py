"""Lists of the system calls that are denied to the sandbox's child, and of arguments allowed for others.

The call numbers come from ``arch/x86/entry/syscalls/syscall_64.tbl`` and
``include/uapi/asm-generic/unistd.h`` in the Linux source code.
"""

from __future__ import annotations

from dataclasses import dataclass

# Calls with this or a higher number did not exist when this list was written. They fail with ENOSYS, which
# libraries handle like a kernel without the call.
NEWEST_CALL = 462

# Calls with the same number on all processors.
NEW_CALLS = {
    "openat2": 437,
    "memfd_secret": 447,
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
        **{"memfd_create": 319, "seccomp": 317, "uselib": 134},
        # Locks on files that other processes use, and calls that flush all of the machine's files to disk.
        **{"flock": 73, "sync": 162, "syncfs": 306},
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
        **{"memfd_create": 279, "seccomp": 277, "flock": 32, "sync": 81, "syncfs": 267},
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

# Flags that C libraries pass to `clone` to start a thread. The thread shares memory, files, signal handlers,
# semaphores and the thread group. The flag 0x400000 is a legacy musl flag.
THREAD_FLAGS = 0x3D0F00
# File mode bits that change the account or group of the process that executes the file (setuid and setgid).
PRIVILEGED_MODE = 0o6000
MAP_HUGETLB = 0x40000
CLOSE_RANGE_UNSHARE = 2


@dataclass(frozen=True)
class Only:
    """A rule that allows a call only if an argument has one of the values."""

    argument: int
    values: tuple[int, ...]


@dataclass(frozen=True)
class Without:
    """A rule that allows a call only if an argument has none of the bits."""

    argument: int
    bits: int


@dataclass(frozen=True)
class OwnProcess:
    """A rule that allows a call only if its first argument is the process itself.

    Parameters
    ----------
    by_zero : bool
        Whether the number 0 also means the calling process.
    """

    by_zero: bool


Rule = Only | Without | OwnProcess

# The `fcntl` commands that affect only the caller's descriptors: duplicate a descriptor, read or set its
# flags, and read a pipe's size or a file's seals. Other commands can send signals to other processes, lock
# files, or enlarge pipes beyond the memory limit.
FCNTL_COMMANDS = (0, 1, 2, 3, 4, 1027, 1028, 1030, 1032, 1034, 1035)
# The requests of `ioctl`: whether a descriptor is a terminal and its size, bytes to read, close-on-exec, and
# non-blocking mode.
IOCTL_REQUESTS = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# The options of `prctl`: read the death signal, the dumpable flag, the filter and capabilities, the name of a
# thread, timer slack, new privileges, huge pages, vector length of 64-bit Arm, tagged addresses, and the name
# of memory.
PRCTL_OPTIONS = (2, 3, 15, 16, 21, 23, 29, 30, 38, 39, 41, 42, 50, 51, 55, 56, 63, 64, 0x53564D41)

# Calls that the filter allows only with certain arguments.
CHECKED: dict[str, dict[str, int]] = {
    "x86_64": {
        **{"clone": 56, "kill": 62, "tgkill": 234, "prctl": 157, "prlimit64": 302, "sched_setaffinity": 203},
        **{"fcntl": 72, "ioctl": 16, "close_range": 436, "mmap": 9},
        **{"open": 2, "creat": 85, "openat": 257},
    },
    "aarch64": {
        **{"clone": 220, "kill": 129, "tgkill": 131, "prctl": 167, "prlimit64": 261},
        **{"sched_setaffinity": 122, "fcntl": 25, "ioctl": 29, "close_range": 436, "mmap": 222, "openat": 56},
    },
}
RULES: dict[str, Rule] = {
    "clone": Only(0, (THREAD_FLAGS, THREAD_FLAGS | 0x400000)),
    "kill": OwnProcess(by_zero=False),
    "tgkill": OwnProcess(by_zero=False),
    "prlimit64": OwnProcess(by_zero=True),
    "sched_setaffinity": OwnProcess(by_zero=True),
    "prctl": Only(0, PRCTL_OPTIONS),
    "fcntl": Only(1, FCNTL_COMMANDS),
    "ioctl": Only(1, IOCTL_REQUESTS),
    # A thread with its own descriptors could hide deleted files from the limit of the folder's size.
    "close_range": Without(2, CLOSE_RANGE_UNSHARE),
    "mmap": Without(3, MAP_HUGETLB),
    "open": Without(2, PRIVILEGED_MODE),
    "creat": Without(1, PRIVILEGED_MODE),
    "openat": Without(3, PRIVILEGED_MODE),
}
# Calls that fail as if the file system did not support them, because libraries then use an alternative.
# Otherwise, `fallocate` could fill a disk in an instant, before the size of a folder is measured.
UNSUPPORTED = {"x86_64": {"fallocate": 285}, "aarch64": {"fallocate": 47}}
# Denied requests of these calls fail in the same way.
UNSUPPORTED_REQUESTS = ("ioctl",)
