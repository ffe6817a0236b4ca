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


def test_wheel_contains_every_module_and_the_marker_for_type_checkers(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, cwd=PACKAGE.parent)
    (wheel,) = tmp_path.glob("understudy_client-*.whl")
    modules = {path.relative_to(PACKAGE.parent).as_posix() for path in PACKAGE.rglob("*.py")}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == modules | {"understudy_client/py.typed"}


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_error_for_a_missing_address_or_key_names_the_environment_variable(
    client: type[Client | AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ValueError, match="UNDERSTUDY_URL"):
        client()
    with pytest.raises(ValueError, match="UNDERSTUDY_API_KEY"):
        client("http://127.0.0.1:8000")


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("key", ["sk_a secret", "sk_a\nsecret", "sk_sécret"], ids=["space", "line", "accent"])
def test_invalid_key_is_refused_without_being_repeated(client: type[Client | AsyncClient], key: str) -> None:
    with pytest.raises(ValueError, match="UNDERSTUDY_API_KEY") as raised:
        client("http://127.0.0.1:8000", key)
    assert key not in str(raised.value)


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://", "localhost"])
def test_address_without_a_protocol_or_host_is_refused(client: type[Client | AsyncClient], url: str) -> None:
    with pytest.raises(ValueError, match="does not begin with `http://` or `https://`"):
        client(url, "sk_test")
