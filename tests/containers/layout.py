"""Run a program as in a container of `docker-compose.yml`, without a container engine.

Usage, as root: ``python -m tests.containers.layout PROGRAM [ARGUMENT ...]``. The program is Python code.

The program gets its own process, mount, network and IPC namespaces, a read-only root file system, a writable
`/tmp` and data folder, the user ID of the image without capabilities, `no_new_privs`, and the compose file's
seccomp profile.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from understudy.sandbox import seccomp
from understudy.sandbox.seccomp import Instruction

ROOT = Path(__file__).parent.parent.parent
UID = "10001"
DATA_FOLDER = "/tmp/understudy"  # noqa: S108 - the folder is a new file system
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
PROCESSOR = platform.machine()
# The interpreter may be in a folder that only root can enter. In the image, its folder is accessible to
# everyone.
PREFIX = Path(sys.base_prefix).resolve()
SHELL = f"""
set -e
mount --make-rprivate /
# The clone may be in /tmp, so it is mounted again below the new file system.
mkdir -p /mnt && mount -t tmpfs -o mode=755 tmpfs /mnt && mkdir /mnt/clone
mount --bind {ROOT} /mnt/clone
mount -t tmpfs -o mode=1777 tmpfs /tmp
case {ROOT} in /tmp/*)
    mkdir -p {ROOT}
    mount --bind /mnt/clone {ROOT};;
esac
umount /mnt/clone && umount /mnt
if [ -d /root ] && case {PREFIX} in /root/*) true;; *) false;; esac; then
    mkdir /tmp/prefix
    mount --bind {PREFIX} /tmp/prefix
    mount -t tmpfs -o mode=755 tmpfs /root
    mkdir -p {PREFIX}
    mount --bind /tmp/prefix {PREFIX}
    umount /tmp/prefix
fi
mkdir -m 700 {DATA_FOLDER}
chown {UID}:{UID} {DATA_FOLDER}
mount -o remount,bind,ro /
cd {DATA_FOLDER}
exec setpriv --reuid {UID} --regid {UID} --clear-groups --bounding-set=-all --inh-caps=-all \\
    --no-new-privs "$@"
"""


def container_command(program: str, *arguments: str) -> list[str]:
    """Return the command line that runs a program in the layout of a container."""
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--net", "--ipc", "--uts"]
    inner = [sys.executable, "-P", "-m", "tests.containers.layout", "confined", program, *arguments]
    return [*namespaces, "sh", "-c", SHELL, "sh", *inner]


def call_numbers() -> dict[str, int]:
    """Return the numbers of all system calls on this processor."""
    pattern = re.compile(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\s")
    numbers = {match[1]: int(match[2]) for match in pattern.finditer(HEADERS[PROCESSOR].read_text())}
    generic = {"fstatat": "newfstatat"}
    return {generic.get(name, name): number for name, number in numbers.items()}


def profile_program(profile: dict[str, Any], numbers: dict[str, int]) -> Sequence[Instruction]:
    """Translate a profile into a filter, as the container engine does with libseccomp."""
    give = seccomp.RETURN_ERRNO | profile["defaultErrnoRet"]
    program: list[Instruction] = [(seccomp.LOAD, 0, 0, seccomp.NUMBER)]
    for rule in profile["syscalls"]:
        allowed = rule["action"] == "SCMP_ACT_ALLOW"
        action = seccomp.RETURN_ALLOW if allowed else seccomp.RETURN_ERRNO | rule["errnoRet"]
        verdict: list[Instruction] = [(seccomp.RETURN, 0, 0, action)]
        for argument in rule.get("args", []):
            offset = seccomp.FIRST_ARGUMENT + seccomp.ARGUMENT_BYTES * argument["index"]
            test = (
                (seccomp.HAS_BITS, 1, 0, argument["value"])
                if argument["op"] == "SCMP_CMP_MASKED_EQ"
                else (seccomp.EQUAL, 0, 1, argument["value"])
            )
            # If the comparison fails, the number is loaded again for the next rule.
            reload = (seccomp.LOAD, 0, 0, seccomp.NUMBER)
            verdict = [(seccomp.LOAD, 0, 0, offset), test, *verdict, reload]
        for name in rule["names"]:
            if name in numbers:
                program += [(seccomp.EQUAL, 0, len(verdict), numbers[name]), *verdict]
    return [*program, (seccomp.RETURN, 0, 0, give)]


def main(arguments: Sequence[str]) -> None:
    """Run a program in the layout of a container."""
    command, *rest = arguments
    if command != "confined":
        program, *rest = container_command(command, *rest)
        os.execvp(program, [program, *rest])  # noqa: S606 - our own command
    seccomp.install(profile_program(json.loads((ROOT / "seccomp.json").read_text()), call_numbers()))
    os.execv(sys.executable, [sys.executable, "-P", "-c", *rest])  # noqa: S606 - our own interpreter


if __name__ == "__main__":
    main(sys.argv[1:])
