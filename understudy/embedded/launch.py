"""Launcher of child processes that end with their parent and may run under another account.

The program is run by its path and uses only the standard library:
`python -I -S launch.py PARENT SIGNAL ACCOUNT FOLDER PROGRAM …`.
This code is a separate program because `preexec_fn`, which runs Python between fork and exec, may deadlock if
the parent has threads.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path

SET_PARENT_DEATH_SIGNAL = 1
NEW_USER_NAMESPACE = 0x10000000


def main(parent: str, signal: str, account: str, folder: str, program: str, *arguments: str) -> None:
    """Change the account and the working directory, request the death signal and execute the program."""
    change_account(account)
    os.chdir(folder)
    # A change of account resets the death signal, so the signal is requested afterwards.
    die_with_parent(int(parent), int(signal))
    os.execv(program, [program, *arguments])  # noqa: S606 (the supervisor's own command, no shell)


def change_account(account: str) -> None:
    """Change to the account ``uid:gid``. ``-`` keeps the current account.

    With ``namespace:uid:gid``, the process has these IDs in a separate user namespace. Outside the namespace,
    it remains root.
    """
    if account == "-":
        return
    *namespace, uid, gid = account.split(":")
    if namespace:
        enter_namespace(int(uid), int(gid))
        return
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))
    os.environ["HOME"] = pwd.getpwuid(int(uid)).pw_dir


def enter_namespace(uid: int, gid: int) -> None:
    """Enter a user namespace that maps the current IDs to the given ones."""
    inside = f"{uid} {os.geteuid()} 1", f"{gid} {os.getegid()} 1"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_USER_NAMESPACE) != 0:
        raise OSError(ctypes.get_errno(), "this system does not allow user namespaces")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(inside[0])
    Path("/proc/self/gid_map").write_text(inside[1])


def die_with_parent(parent: int, signal: int) -> None:
    """Ask the kernel to send a signal when the parent dies. Only Linux supports this request."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal)
    # The parent may have died before the signal was requested.
    if os.getppid() != parent:
        raise SystemExit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
