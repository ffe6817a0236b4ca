"""Tests that every code block in README.md and docs/ runs or is marked with the reason why it cannot run."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documentation.blocks import ROOT, blocks_of, code_blocks, pages
from tests.documentation.sessions import PageError, PythonSession, ShellSession
from tests.documentation.tables import write_tables
from tests.documentation.warm_command import warm_program

# The pages use this address of the service, which the tests replace with the address of their stack.
ADDRESS = re.compile(r"(?:127\.0\.0\.1|localhost):8000")
SERVICE_COMMANDS = re.compile(r"\bcurl\b|\bunderstudy (?:upload|create-key|revoke-key|serve)\b")
# Python code that calls the service gets its address and key from the environment.
PYTHON_CLIENT = re.compile(r"\b(?:Async)?Client\(")
PROGRAMS = ("bash", "curl")


def id_of(path: Path) -> str:
    """Return the path of a page in the repository."""
    return str(path.relative_to(ROOT))


def page_parameters() -> list[object]:
    """Return the pages with blocks to run. Pages that call the service have the marker `stack`."""
    parameters = []
    for path in pages():
        blocks = [block for block in code_blocks(path) if block.reason is None]
        calls_service = any(
            (PYTHON_CLIENT if block.is_python else SERVICE_COMMANDS).search(block.source) for block in blocks
        )
        marks = [pytest.mark.stack] if calls_service else []
        if blocks:
            parameters.append(pytest.param(path, marks=marks, id=id_of(path)))
    return parameters


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start the embedded stack once and return its data folder."""
    from understudy.embedded.background import BackgroundStack  # needs the extra `embedded`
    from understudy.embedded.commands import StackOptions

    running = BackgroundStack(StackOptions(data_dir=tmp_path_factory.mktemp("stack"), port=0))
    running.start()
    yield running.folder.path
    running.stop()


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with the program `understudy`, which runs commands in forks of one process."""
    with warm_program(tmp_path_factory.mktemp("warm")) as programs:
        yield programs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a folder with the tables that the pages use, and change to it."""
    folder = tmp_path / "work"
    folder.mkdir()
    write_tables(folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Create a home folder with a configuration that makes curl fail on an error status."""
    home = tmp_path / "home"
    (home / ".local" / "share").mkdir(parents=True)
    (home / ".curlrc").write_text("fail\n")
    return home


def shell_environment(home: Path, folder: Path) -> dict[str, str]:
    """Return an environment without settings and with the `understudy` command in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}
    path = f"{folder}:{Path(sys.executable).parent}:{kept['PATH']}"
    return kept | {"HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("path", page_parameters())
def test_the_code_on_each_page_runs(
    path: Path, folder: Path, home: Path, programs: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    monkeypatch = request.getfixturevalue("monkeypatch")
    environment, address = shell_environment(home, programs), None
    if request.node.get_closest_marker("stack"):
        if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
            pytest.skip(f"not installed: {', '.join(missing)}")
        data_folder = request.getfixturevalue("stack")
        (home / ".local" / "share" / "understudy").symlink_to(data_folder)
        environment["UNDERSTUDY_DATA_DIR"] = str(data_folder)
        address = (data_folder / "url").read_text().strip().removeprefix("http://")
        monkeypatch.setenv("UNDERSTUDY_URL", f"http://{address}")
        monkeypatch.setenv("UNDERSTUDY_API_KEY", (data_folder / "api-key").read_text())
    python, shell = PythonSession(), ShellSession(folder, tmp_path / "session", environment)
    try:
        for block in code_blocks(path):
            if block.reason is None and block.is_python:
                python.run(block)
            elif block.reason is None:
                shell.run(block, ADDRESS.sub(address, block.source) if address else block.source)
    except PageError as error:
        failure = str(error)
    else:
        failure = None
    finally:
        shell.close()
    if failure is not None:
        pytest.fail(failure, pytrace=False)


@pytest.mark.parametrize("path", pages(), ids=id_of)
def test_blocks_that_do_not_run_have_a_reason(path: Path) -> None:
    without_reason = [
        block.place
        for block in code_blocks(path)
        if block.reason is not None and len(block.reason.split()) < 2
    ]
    assert without_reason == [], (
        "Write <!-- not run: REASON --> before each block, with a reason of at least two words."
    )


@pytest.mark.parametrize("path", pages(), ids=id_of)
def test_blocks_that_contain_commands_have_a_language(path: Path) -> None:
    command = re.compile(r"\s*(?:\$ )?(?:understudy|curl|pip|make|docker|python3?) ", re.MULTILINE)
    unnamed = [
        block.place
        for block in blocks_of(id_of(path), path.read_text())
        if not block.language and command.match(block.source)
    ]
    assert unnamed == [], "Begin each block with ```sh so that its commands are run."
