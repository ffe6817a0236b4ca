"""Detection of processes that the kernel killed because their control group had no memory left."""

from __future__ import annotations

from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def count_oom_kills(membership: Path = MEMBERSHIP, cgroups: Path = CGROUPS) -> int:
    """Return the number of killed processes in this process's control group, or 0 if it is unknown.

    The number is in `memory.events` (version 2) or `memory.oom_control` (version 1). In a container, the path
    of the group may not exist, because the group of the container is mounted as the root.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return 0
    for controllers, path in (line.split(":", 2)[1:] for line in lines if line.count(":") >= 2):
        if controllers not in ("", "memory"):
            continue
        folder = cgroups / "memory" if controllers else cgroups
        file_name = "memory.oom_control" if controllers else "memory.events"
        for file in (folder / path.lstrip("/") / file_name, folder / file_name):
            count = _read_count(file)
            if count is not None:
                return count
    return 0


def _read_count(file: Path) -> int | None:
    try:
        fields = [line.split() for line in file.read_text().splitlines()]
    except OSError:
        return None
    counts = [int(words[1]) for words in fields if words[:1] == ["oom_kill"] and words[1:2] != []]
    return counts[0] if counts else None
