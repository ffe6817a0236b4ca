"""Attempts to escape from the sandbox through little-known interfaces of the kernel."""

from __future__ import annotations

import array
import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Payload = dict[str, Any]

IS_X86 = os.uname().machine == "x86_64"
F_SETOWN_EX, F_NOTIFY = 15, 1026
FIOSETOWN, SIOCSPGRP = 0x8901, 0x8902
CLOSE_RANGE_UNSHARE = 2

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def syscall(on_x86: int, on_arm: int, *arguments: object) -> int:
    """Make a system call, or raise `OSError`."""
    result: int = _libc.syscall(ctypes.c_long(on_x86 if IS_X86 else on_arm), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


def signal_by_owner_of_pipe(payload: Payload) -> object:
    reader, _ = os.pipe()
    return fcntl.fcntl(reader, fcntl.F_SETOWN, payload["pid"])


def signal_by_owner_structure(payload: Payload) -> object:
    reader, _ = os.pipe()
    owner = array.array("i", [1, payload["pid"]]).tobytes()
    return fcntl.fcntl(reader, F_SETOWN_EX, owner)


def choose_signal_of_pipe(payload: Payload) -> object:
    reader, _ = os.pipe()
    return fcntl.fcntl(reader, fcntl.F_SETSIG, signal.SIGKILL)


def signal_by_ioctl(payload: Payload) -> object:
    owner = array.array("i", [payload["pid"]])
    for descriptor in range(3, 100):
        for request in (FIOSETOWN, SIOCSPGRP):
            try:
                fcntl.ioctl(descriptor, request, owner)
            except OSError:
                continue
            return True
    return False


def signal_on_change_of_folder(payload: Payload) -> object:
    return fcntl.fcntl(os.open("/usr/lib", os.O_RDONLY), F_NOTIFY, 0x2)


def signal_group(payload: Payload) -> object:
    return os.killpg(os.getpgid(payload["pid"]), 0)


def signal_everyone(payload: Payload) -> object:
    return os.kill(-1, 0)


def queue_signal(payload: Payload) -> object:
    return syscall(129, 138, payload["pid"], 0, (ctypes.c_char * 128)())


def make_memory_file(payload: Payload) -> object:
    return os.close(os.memfd_create("probe"))


def execute_memory_file(payload: Payload) -> object:
    descriptor = os.memfd_create("probe")
    os.write(descriptor, Path("/bin/true").read_bytes())
    return subprocess.run([f"/proc/self/fd/{descriptor}"], pass_fds=[descriptor], check=True)


def make_secret_memory(payload: Payload) -> object:
    return os.close(syscall(447, 447, 0))


def map_huge_pages(payload: Payload) -> object:
    return mmap.mmap(-1, 1 << 21, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000).close()


def enlarge_pipe(payload: Payload) -> object:
    reader, _ = os.pipe()
    return fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 1 << 20)


def allocate_blocks(payload: Payload) -> object:
    with Path("allocated").open("wb") as file:
        return syscall(285, 47, file.fileno(), 0, ctypes.c_long(0), ctypes.c_long(1 << 16))


def lock_library(payload: Payload) -> object:
    with Path(os.__file__).open("rb") as file:
        return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock_library_by_range(payload: Payload) -> object:
    with Path(os.__file__).open("rb") as file:
        return fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def create_setuid_file(payload: Payload) -> object:
    os.umask(0)
    os.close(os.open("setuid", os.O_CREAT | os.O_WRONLY, 0o4755))
    return bool(Path("setuid").stat().st_mode & stat.S_ISUID)


def make_file_setuid(payload: Payload) -> object:
    Path("plain").write_text("x")
    return Path("plain").chmod(0o4755)


def read_through_own_root(payload: Payload) -> object:
    return Path(f"/proc/self/root{payload['secret']}").read_text()


def read_through_foreign_root(payload: Payload) -> object:
    return Path(f"/proc/{payload['pid']}/root{payload['secret']}").read_text()


def read_through_own_folder(payload: Payload) -> object:
    up = "/".join([".."] * len(Path.cwd().parts))
    return Path(f"/proc/self/cwd/{up}{payload['secret']}").read_text()


def read_by_descriptor_of_folder(payload: Payload) -> object:
    folder = os.open(".", os.O_PATH)
    up = "/".join([".."] * len(Path.cwd().parts))
    return os.close(os.open(f"{up}{payload['secret']}", os.O_RDONLY, dir_fd=folder))


def rename_secret(payload: Payload) -> object:
    source = Path(payload["folder"]) / "movable"
    return source.rename("taken")


def make_named_pipe(payload: Payload) -> object:
    return os.mkfifo("pipe")


def make_device(payload: Payload) -> object:
    return os.mknod("device", stat.S_IFCHR | 0o600, os.makedev(1, 3))


def write_shared_memory(payload: Payload) -> object:
    planted = Path(f"/dev/shm/planted-{os.getpid()}")  # noqa: S108 - the folder is the point
    planted.write_text("")
    return planted.unlink()


def write_own_memory_file(payload: Payload) -> object:
    return Path("/proc/self/mem").open("r+b").close()


def lower_oom_score(payload: Payload) -> object:
    return Path("/proc/self/oom_score_adj").write_text("0")


def write_kernel_setting(payload: Payload) -> object:
    return Path("/proc/sys/kernel/core_pattern").open("r+").close()


def open_message_queue(payload: Payload) -> object:
    return syscall(240, 180, b"probe", os.O_CREAT | os.O_RDWR, 0o600, None)


def get_message_queue(payload: Payload) -> object:
    return syscall(68, 186, 0, 0o1600)


def get_semaphores(payload: Payload) -> object:
    return syscall(64, 190, 0, 1, 0o1600)


def connect_abstract_socket(payload: Payload) -> object:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect(payload["abstract"])


def _open_socket(family: int, kind: int, protocol: int = 0) -> object:
    return socket.socket(family, kind, protocol).close()


def open_datagram_socket(payload: Payload) -> object:
    return _open_socket(socket.AF_INET, socket.SOCK_DGRAM)


def open_netlink_socket(payload: Payload) -> object:
    return _open_socket(socket.AF_NETLINK, socket.SOCK_RAW)


def open_crypto_socket(payload: Payload) -> object:
    return _open_socket(socket.AF_ALG, socket.SOCK_SEQPACKET)


def open_machine_socket(payload: Payload) -> object:
    return _open_socket(socket.AF_VSOCK, socket.SOCK_STREAM)


def open_packet_socket(payload: Payload) -> object:
    return _open_socket(socket.AF_PACKET, socket.SOCK_RAW)


def use_inherited_socket(payload: Payload) -> object:
    for descriptor in range(1024):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                return True
        except OSError:
            continue
    return False


def attach(payload: Payload) -> object:
    ptrace_attach = 16
    return syscall(101, 117, ptrace_attach, payload["pid"], 0, 0)


def write_foreign_memory(payload: Payload) -> object:
    buffer = (ctypes.c_char * 8)()
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    address = (ctypes.c_void_p * 2)(payload["address"], 8)
    return syscall(311, 271, payload["pid"], vector, 1, address, 1, 0)


def take_foreign_descriptor(payload: Payload) -> object:
    return syscall(438, 438, os.pidfd_open(payload["pid"]), 0, 0)


def preload_library(payload: Payload) -> object:
    environment = {"LD_PRELOAD": str(Path.cwd() / "library.so")}
    return os.posix_spawn("/bin/true", ["true"], environment)


def change_priority_of_other(payload: Payload) -> object:
    return os.setpriority(os.PRIO_PROCESS, payload["pid"], 5)


def change_disk_priority(payload: Payload) -> object:
    return syscall(251, 30, 1, payload["pid"], 3 << 13)


def move_other_to_processor(payload: Payload) -> object:
    return os.sched_setaffinity(payload["pid"], os.sched_getaffinity(payload["pid"]))


def _raise_limit(kind: int) -> object:
    hard = resource.getrlimit(kind)[1]
    if hard == resource.RLIM_INFINITY:
        return True
    return resource.setrlimit(kind, (hard + 1, hard + 1))


def raise_thread_limit(payload: Payload) -> object:
    return _raise_limit(resource.RLIMIT_NPROC)


def raise_memory_limit(payload: Payload) -> object:
    return _raise_limit(resource.RLIMIT_AS)


def raise_file_size_limit(payload: Payload) -> object:
    return _raise_limit(resource.RLIMIT_FSIZE)


def enter_foreign_namespace(payload: Payload) -> object:
    descriptor = os.open(f"/proc/{payload['pid']}/ns/net", os.O_RDONLY)
    return syscall(308, 268, descriptor, 0)


def pivot_root(payload: Payload) -> object:
    return syscall(155, 41, b".", b".")


def change_root(payload: Payload) -> object:
    return os.chroot(".")


def add_key(payload: Payload) -> object:
    return syscall(248, 217, b"user", b"probe", b"x", 1, -3)


def load_kernel_program(payload: Payload) -> object:
    return syscall(321, 280, 0, (ctypes.c_char * 128)(), 128)


def open_performance_counter(payload: Payload) -> object:
    attributes = (ctypes.c_uint32 * 28)(1, 112)
    return syscall(298, 241, attributes, payload["pid"], -1, -1, 0)


def catch_page_faults(payload: Payload) -> object:
    return syscall(323, 282, 1)


def separate_descriptors(payload: Payload) -> object:
    return syscall(436, 436, 1000, 1001, CLOSE_RANGE_UNSHARE)


def hide_from_supervisor(payload: Payload) -> object:
    pr_set_dumpable = 4
    return syscall(157, 167, pr_set_dumpable, 0, 0, 0, 0)


def become_root(payload: Payload) -> object:
    return os.setresuid(0, 0, 0)


def write_all_files_to_disk(payload: Payload) -> object:
    # The function `sync` of the C library reports no errors.
    return syscall(162, 81)


def start_python(payload: Payload) -> object:
    return os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})


KERNEL_PROBES: dict[str, Callable[[Payload], object]] = {
    probe.__name__: probe
    for probe in (
        *(signal_by_owner_of_pipe, signal_by_owner_structure, choose_signal_of_pipe, signal_by_ioctl),
        *(signal_on_change_of_folder, signal_group, signal_everyone, queue_signal),
        *(make_memory_file, execute_memory_file, make_secret_memory, map_huge_pages, enlarge_pipe),
        *(allocate_blocks, lock_library, lock_library_by_range, create_setuid_file, make_file_setuid),
        *(read_through_own_root, read_through_foreign_root, read_through_own_folder),
        *(read_by_descriptor_of_folder, rename_secret, make_named_pipe, make_device),
        *(write_shared_memory, write_own_memory_file, lower_oom_score, write_kernel_setting),
        *(open_message_queue, get_message_queue, get_semaphores, connect_abstract_socket),
        *(open_datagram_socket, open_netlink_socket, open_crypto_socket, open_machine_socket),
        *(open_packet_socket, use_inherited_socket, attach, write_foreign_memory, take_foreign_descriptor),
        *(preload_library, change_priority_of_other, change_disk_priority, move_other_to_processor),
        *(raise_thread_limit, raise_memory_limit, raise_file_size_limit, enter_foreign_namespace),
        *(pivot_root, change_root, add_key, load_kernel_program, open_performance_counter),
        *(catch_page_faults, separate_descriptors, hide_from_supervisor, become_root),
        *(write_all_files_to_disk, start_python),
    )
}

# The test outside the sandbox skips these attempts. They change the process or the machine, or some systems
# reject them in every process.
NOT_MADE_OUTSIDE = {
    *("signal_by_ioctl", "queue_signal", "signal_everyone", "make_secret_memory", "map_huge_pages"),
    *("make_device", "lower_oom_score", "write_kernel_setting", "write_own_memory_file", "become_root"),
    *("open_crypto_socket", "open_machine_socket", "open_packet_socket", "open_netlink_socket"),
    *("use_inherited_socket", "attach", "write_foreign_memory", "take_foreign_descriptor"),
    *("raise_thread_limit", "raise_memory_limit", "raise_file_size_limit", "enter_foreign_namespace"),
    *("pivot_root", "change_root", "add_key", "load_kernel_program", "open_performance_counter"),
    *("catch_page_faults", "separate_descriptors", "hide_from_supervisor", "write_all_files_to_disk"),
    *("change_disk_priority", "create_setuid_file", "preload_library", "start_python", "signal_group"),
    *("get_message_queue", "get_semaphores", "open_message_queue", "allocate_blocks"),
}
