"""Tests that the generated modules of the Python client are current and that its wheel is complete."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from understudy_client import AsyncClient, Client

from tools.clients.python import PACKAGE, generated_files

VARIABLES = ("UNDERSTUDY_URL", "UNDERSTUDY_API_KEY")


def test_generated_modules_are_current() -> None:
    outdated = [
        path.name
        for path, text in generated_files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert outdated == [], "Run `make clients`."


def test_wheel_contains_every_module_and_the_marker_of_types(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, cwd=PACKAGE.parent)
    (wheel,) = tmp_path.glob("understudy_client-*.whl")
    modules = {path.relative_to(PACKAGE.parent).as_posix() for path in PACKAGE.rglob("*.py")}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == modules | {"understudy_client/py.typed"}


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_client_without_an_address_or_a_key_names_the_variable(
    client: type[Client | AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ValueError, match="UNDERSTUDY_URL"):
        client()
    with pytest.raises(ValueError, match="UNDERSTUDY_API_KEY"):
        client("http://127.0.0.1:8000")
