from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from understudy.process_folders import ProcessFolder, remove_abandoned

HOLD = """
import sys, time
from pathlib import Path
from understudy.process_folders import ProcessFolder
folder = ProcessFolder(Path(sys.argv[1]))
(folder.path / "upload").write_text("rows")
print("ready", flush=True)
time.sleep(60)
"""


def start_holder(root: Path) -> subprocess.Popen[bytes]:
    """Start a process with a file in its folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(root)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_folder_of_a_killed_process_is_removed_and_folder_of_a_living_process_is_kept(tmp_path: Path) -> None:
    with start_holder(tmp_path) as process:
        remove_abandoned(tmp_path)
        assert len(list(tmp_path.glob("*/upload"))) == 1

        process.kill()
        process.wait()
        remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_close_removes_the_folder(tmp_path: Path) -> None:
    folder = ProcessFolder(tmp_path)
    (folder.path / "upload").touch()

    folder.close()

    assert list(tmp_path.iterdir()) == []


def test_process_does_not_remove_its_own_folder(tmp_path: Path) -> None:
    folder = ProcessFolder(tmp_path)
    path = folder.path

    remove_abandoned(tmp_path)

    assert folder.path == path
    assert path.is_dir()


def test_forked_process_gets_its_own_folder(tmp_path: Path) -> None:
    folder = ProcessFolder(tmp_path)
    path = folder.path
    pid = os.fork()
    if pid == 0:
        os._exit(int(folder.path == path))
    _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert path.is_dir()


def test_old_entries_that_belong_to_no_process_are_removed(tmp_path: Path) -> None:
    folder = ProcessFolder(tmp_path)
    old, fresh, own_old = tmp_path / "old", tmp_path / "fresh", folder.path / "old"
    for path in (old, fresh, own_old):
        path.touch()
    for path in (old, own_old):
        os.utime(path, (0, time.time() - 100))

    remove_abandoned(tmp_path, age_seconds=50)

    assert set(tmp_path.rglob("*")) == {fresh, folder.path}
