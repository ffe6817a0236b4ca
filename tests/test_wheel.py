"""Tests that the wheel contains the package `understudy` with all its files, and nothing else."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and return its path."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel into a new folder, as an installer does."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_installed(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=installed, env=environment
    )


def test_wheel_contains_one_package(installed: Path):
    names = {path.name for path in installed.iterdir() if path.suffix != ".dist-info"}
    assert names == {"understudy"}


def test_wheel_contains_every_file_of_the_package(wheel: Path):
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "understudy").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {Path(name).suffix for name in files} > {".py", ".css", ".txt"}
    with zipfile.ZipFile(wheel) as archive:
        assert files <= set(archive.namelist())


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "demo"])
def test_installed_wheel_explains_how_to_run_the_service(installed: Path, command: str):
    done = run_installed(installed, "-m", "understudy.cli", command)
    assert done.returncode == 5
    assert "container image" in done.stderr
    assert "pip install --editable '.[service,embedded]'" in done.stderr


def test_installed_wheel_has_the_command_line_and_the_client(installed: Path):
    code = "import understudy.cli, understudy.client.api as api; print(api.__file__)"
    done = run_installed(installed, "-c", code)
    assert Path(done.stdout.strip()).is_relative_to(installed)


def test_unrelated_package_named_app_is_not_mistaken_for_the_service(installed: Path, tmp_path: Path):
    for folder in ("app", "workers", "migrations"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "understudy").symlink_to(installed / "understudy")
    done = run_installed(tmp_path, "-m", "understudy.cli", "migrate")
    assert "container image" in done.stderr


def test_editable_installation_finds_the_service(tmp_path: Path):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps"]
    command += ["--editable", str(ROOT), "--target", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    (path_file,) = tmp_path.glob("*.pth")
    assert path_file.read_text().strip() == str(ROOT)
