"""Attempts to escape from the sandbox, as hostile native code in a parser would make them."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import understudy
from tests.unit.sandbox.kernel_probes import KERNEL_PROBES

Payload = dict[str, Any]

_libc = ctypes.CDLL(None, use_errno=True)


def try_all(payload: Payload) -> list[str]:
    """Return the names of the attempts that succeeded.

    Parameters
    ----------
    payload : dict
        `secret` (path to a private file), `folder` (folder that contains this file), `socket` (path to a
        listening Unix socket), `abstract` (name of a listening abstract socket), `port` (port of a listening
        TCP socket), `pid` (ID of another process with the same account), `address` (memory address to read in
        that process), and optionally `names`, which limits the attempts.
    """
    names = payload.get("names", list(PROBES))
    return [name for name in names if _succeeds(PROBES[name], payload)]


def _succeeds(probe: Callable[[Payload], object], payload: Payload) -> bool:
    try:
        result = probe(payload)
    except (OSError, ValueError):
        return False
    return result is not False


def _call(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")


def read_secret(payload: Payload) -> object:
    return Path(payload["secret"]).read_text()


def read_secret_through_a_link(payload: Payload) -> object:
    link = Path("link")
    link.unlink(missing_ok=True)
    link.symlink_to(payload["secret"])
    return link.read_text()


def link_secret(payload: Payload) -> object:
    Path("hard").unlink(missing_ok=True)
    return os.link(payload["secret"], "hard")


def list_folder(payload: Payload) -> object:
    return os.listdir(payload["folder"])  # noqa: PTH208 - names, not paths


def list_scratch(payload: Payload) -> object:
    return os.listdir("..")  # noqa: PTH208 - names, not paths


def watch_folder(payload: Payload) -> object:
    return _call(_libc.inotify_add_watch(_libc.inotify_init(), payload["folder"].encode(), 0xFFF))


def write_secret(payload: Payload) -> object:
    return Path(payload["secret"]).open("r+").close()


def truncate_secret(payload: Payload) -> object:
    return os.truncate(payload["secret"], 0)


def delete_secret(payload: Payload) -> object:
    copy = Path(payload["folder"]) / "copy"
    return copy.unlink()


def create_file(payload: Payload) -> object:
    return (Path(payload["folder"]) / f"planted-{os.getpid()}").write_text("x")


def change_mode(payload: Payload) -> object:
    return Path(payload["secret"]).chmod(0o644)


def change_times(payload: Payload) -> object:
    return os.utime(payload["secret"])


def write_code(payload: Payload) -> object:
    return Path(understudy.__file__).open("r+").close()


def plant_pth(payload: Payload) -> object:
    planted = Path(os.__file__).parent / "site-packages" / f"planted-{os.getpid()}.pth"
    planted.write_text("")
    return planted.unlink()


def write_tmp(payload: Payload) -> object:
    planted = Path(f"/tmp/planted-{os.getpid()}")  # noqa: S108 - the folder is the point
    planted.write_text("")
    return planted.unlink()


def read_shadow(payload: Payload) -> object:
    return Path("/etc/shadow").read_bytes()


def read_environment(payload: Payload) -> object:
    return Path(f"/proc/{payload['pid']}/environ").read_bytes()


def open_memory(payload: Payload) -> object:
    return Path(f"/proc/{payload['pid']}/mem").open("rb").close()


def trace(payload: Payload) -> object:
    ptrace_seize = 0x4206
    return _call(_libc.ptrace(ptrace_seize, payload["pid"], 0, 0))


def copy_memory(payload: Payload) -> object:
    buffer = (ctypes.c_char * 8)()
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    address = (ctypes.c_void_p * 2)(payload["address"], 8)
    return _call(_libc.process_vm_readv(payload["pid"], vector, 1, address, 1, 0))


def send_signal(payload: Payload) -> object:
    return os.kill(payload["pid"], 0)


def limit_other(payload: Payload) -> object:
    return resource.prlimit(payload["pid"], resource.RLIMIT_CORE, (0, 0))


def slow_down_other(payload: Payload) -> object:
    return os.sched_setscheduler(payload["pid"], os.SCHED_IDLE, os.sched_param(0))


def set_up_asynchronous_io(payload: Payload) -> object:
    context = ctypes.c_ulong(0)
    return _call(_libc.syscall(206 if os.uname().machine == "x86_64" else 0, 1, ctypes.byref(context)))


def open_pidfd(payload: Payload) -> object:
    return os.close(os.pidfd_open(payload["pid"]))


def connect_unix(payload: Payload) -> object:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect(payload["socket"])


def connect_tcp(payload: Payload) -> object:
    return socket.create_connection(("127.0.0.1", payload["port"]), timeout=2).close()


def listen_tcp(payload: Payload) -> object:
    return socket.create_server(("127.0.0.1", 0)).close()


def make_socket_pair(payload: Payload) -> object:
    return [end.close() for end in socket.socketpair()]


def set_up_ring(payload: Payload) -> object:
    io_uring_setup = 425
    parameters = (ctypes.c_char * 120)()
    return _call(_libc.syscall(io_uring_setup, 1, parameters))


def run_program(payload: Payload) -> object:
    return subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True).returncode == 0


def fork_away(payload: Payload) -> object:
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            os.setsid()
        signal.pause() if payload.get("stay") else os._exit(0)
    return os.waitpid(pid, 0) if not payload.get("stay") else pid


def fork_in_thread(payload: Payload) -> object:
    pids: list[int] = []

    def fork() -> None:
        with contextlib.suppress(OSError):
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            pids.append(pid)

    thread = threading.Thread(target=fork)
    thread.start()
    thread.join()
    return bool(pids) and os.waitpid(pids[0], 0)


def leave_group(payload: Payload) -> object:
    return os.setpgid(0, 0)


def make_user_namespace(payload: Payload) -> object:
    return _call(_libc.unshare(0x10000000))


def make_mount_namespace(payload: Payload) -> object:
    return _call(_libc.unshare(0x10000000 | 0x00020000))


def mount_folder(payload: Payload) -> object:
    return _call(_libc.mount(b"none", str(Path.cwd()).encode(), b"tmpfs", 0, None))


def stop_dying_with_parent(payload: Payload) -> object:
    return _call(_libc.prctl(1, 0, 0, 0, 0))


def share_memory(payload: Payload) -> object:
    return _call(_libc.shmget(0x1234, mmap.PAGESIZE, 0o1600))


PROBES: dict[str, Callable[[Payload], object]] = KERNEL_PROBES | {
    probe.__name__: probe
    for probe in (
        *(read_secret, read_secret_through_a_link, link_secret, list_folder, list_scratch, watch_folder),
        *(write_secret, truncate_secret, delete_secret, create_file, change_mode, change_times),
        *(write_code, plant_pth, write_tmp, read_shadow),
        *(read_environment, open_memory, trace, copy_memory, send_signal, limit_other, open_pidfd),
        *(slow_down_other, set_up_asynchronous_io),
        *(connect_unix, connect_tcp, listen_tcp, make_socket_pair, set_up_ring),
        *(run_program, fork_away, fork_in_thread, leave_group),
        *(make_user_namespace, make_mount_namespace, mount_folder, stop_dying_with_parent, share_memory),
    )
}
