from __future__ import annotations

from pathlib import Path

import pytest

from understudy.sandbox.oom_kills import count_oom_kills

VERSION_1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
VERSION_2 = "low 0\nhigh 12\nmax 40\noom 5\noom_kill 4\noom_group_kill 1\n"


def write(folder: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    for name, text in files.items():
        (folder / "cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup" / name).write_text(text)
    (folder / "membership").write_text(membership)
    return folder / "membership", folder / "cgroup"


@pytest.mark.parametrize(
    ("membership", "files", "n_kills"),
    [
        ("0::/a/b\n", {"a/b/memory.events": VERSION_2}, 4),
        ("0::/a/b\n", {"memory.events": VERSION_2}, 4),
        ("4:memory:/a\n3:cpu:/a\n0::/\n", {"memory/a/memory.oom_control": VERSION_1}, 3),
        ("4:memory:/a\n", {"memory/memory.oom_control": VERSION_1}, 3),
        ("4:memory:/a\n0::/\n", {}, 0),
        ("0::/\n", {"memory.events": "low 0\n"}, 0),
        ("unreadable\n", {}, 0),
    ],
)
def test_oom_kills_are_counted(tmp_path: Path, membership: str, files: dict[str, str], n_kills: int) -> None:
    assert count_oom_kills(*write(tmp_path, membership, files)) == n_kills


def test_no_kill_is_counted_without_control_groups(tmp_path: Path) -> None:
    assert count_oom_kills(tmp_path / "missing", tmp_path) == 0
