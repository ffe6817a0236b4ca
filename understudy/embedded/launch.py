"""Become a child that cannot outlive its parent, change the account if asked, and turn into a program.

Run by path, with the standard library alone: `python -I -S launch.py PARENT SIGNAL ACCOUNT FOLDER PROGRAM …`.
A separate program instead of `preexec_fn`, since running Python between fork and exec may deadlock when the
parent has threads.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path

SET_PARENT_DEATH_SIGNAL = 1
NEW_USER_NAMESPACE = 0x10000000


def main(parent: str, signal: str, account: str, folder: str, program: str, *arguments: str) -> None:
    """Change the account, enter the folder, ask for the signal and become the program."""
    change_account(account)
    os.chdir(folder)
    # After the change of account, which clears the request.
    die_with_parent(int(parent), int(signal))
    os.execv(program, [program, *arguments])  # noqa: S606 (the supervisor's own command, no shell)


def change_account(account: str) -> None:
    """Become ``uid:gid``, or stay as we are (``-``).

    ``namespace:uid:gid`` stays root to all others, but goes by that name in the program's own eyes.
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
    """Enter a user namespace in which our own ids go by other numbers."""
    inside = f"{uid} {os.geteuid()} 1", f"{gid} {os.getegid()} 1"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_USER_NAMESPACE) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(inside[0])
    Path("/proc/self/gid_map").write_text(inside[1])


def die_with_parent(parent: int, signal: int) -> None:
    """Ask the kernel for a signal when the parent dies; only Linux knows this request."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal)
    # The parent may have died before the request.
    if os.getppid() != parent:
        raise SystemExit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
