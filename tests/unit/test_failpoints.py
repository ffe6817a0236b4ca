"""Tests for the points where the fault tests interrupt the product."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from understudy.errors import Unavailable, UnderstudyError
from understudy.failpoints import REACHED, VARIABLE, Failpoints, failpoint, open_failpoints

PROGRAM = "from understudy.failpoints import failpoint; failpoint('a'); print('survived')"


def run_program(folder: Path | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    if folder is not None:
        environment[VARIABLE] = str(folder)
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "failpoints"
    folder.mkdir(mode=0o700)
    return folder


def arm(folder: Path, name: str, **order: object) -> None:
    (folder / name).write_text(json.dumps(order))


def test_process_without_the_variable_reaches_no_failpoint() -> None:
    assert failpoint.__name__ == "_do_nothing"
    assert run_program(None).stdout == "survived\n"


def test_armed_failpoint_kills_the_process(folder: Path) -> None:
    arm(folder, "a", action="kill")

    assert run_program(folder).returncode == -signal.SIGKILL
    assert run_program(folder).stdout == "survived\n"


@pytest.mark.parametrize("mode", [0o755, 0o770])
def test_process_does_not_start_if_others_can_arm_failpoints(folder: Path, mode: int) -> None:
    folder.chmod(mode)

    with pytest.raises(UnderstudyError, match="only the user of this process") as raised:
        open_failpoints(folder)
    assert raised.value.code == "configuration"
    assert run_program(folder).returncode == 1


def test_only_the_selected_hit_performs_the_action(folder: Path) -> None:
    points = Failpoints(folder)
    arm(folder, "a", action="raise", hit=2)
    points.reach("b")
    points.reach("a")

    with pytest.raises(Unavailable):
        points.reach("a")
    points.reach("a")
    assert (folder / f"a{REACHED}").read_text() == str(os.getpid())


@pytest.mark.parametrize("action", ["enospc", "eio"])
def test_failpoint_raises_errors_of_the_disk(folder: Path, action: str) -> None:
    arm(folder, "a", action=action)

    with pytest.raises(OSError, match=r"No space left|Input/output error"):
        Failpoints(folder).reach("a")


def test_failpoint_breaks_a_connection(folder: Path) -> None:
    dropped: list[str] = []
    arm(folder, "a", action="drop")

    Failpoints(folder).reach("a", lambda: dropped.append("connection"))
    assert dropped == ["connection"]
