"""Tests for result files with names and kinds chosen by a hostile child process."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from understudy import ids
from understudy.errors import UnderstudyError
from understudy.services.blob_keys import KeyParts, parse_key
from understudy.services.results import Result, store_result
from understudy.storage.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "blobs")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "table.parquet").write_text("x")
    return folder


def put(store: LocalStore, folder: Path, result: Any) -> Result:
    attempt = KeyParts(ids.new_id(), ids.new_id(), 1)
    return store_result(SimpleNamespace(store=store), attempt, folder, result)  # type: ignore[arg-type]


def test_result_is_stored_under_its_role_and_only_its_owner_can_read_it(store, folder):
    (folder / "table.parquet").chmod(0o4777)
    result = put(store, folder, {"files": {"table_1": "table.parquet"}, "facts": {"n": 1}})
    key = result.files["table_1"].storage_key
    assert parse_key(key) is not None
    assert key.endswith("/1/table_1.parquet")
    assert (store.root / key).stat().st_mode & 0o7777 == 0o600


@pytest.mark.parametrize("role", ["a/b", "../x", "", ".", "..", "A", "a\n", "ä", "x" * 65, "\0"])
def test_role_that_leads_to_another_key_is_rejected(store, folder, role):
    with pytest.raises(UnderstudyError, match="malformed"):
        put(store, folder, {"files": {role: "table.parquet"}})
    assert list(store.keys("")) == []


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/passwd", "a/b", ".", "..", "", "x.par/quet", "table.parquet\n", 5, None, ["a"]],
)
def test_file_name_that_leads_out_of_the_folder_is_rejected(store, folder, name):
    with pytest.raises(UnderstudyError):
        put(store, folder, {"files": {"table": name}})
    assert list(store.keys("")) == []


@pytest.mark.parametrize(
    "result", [{"files": []}, {"files": "x"}, {"facts": [1]}, {"files": {}, "facts": "x"}]
)
def test_malformed_result_is_rejected(store, folder, result):
    with pytest.raises(UnderstudyError, match="malformed"):
        put(store, folder, result)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "missing"])
def test_only_a_regular_file_is_stored(store, folder, tmp_path, kind):
    (tmp_path / "secret").write_text("secret")
    match kind:
        case "link":
            (folder / "out").symlink_to(tmp_path / "secret")
        case "pipe":
            os.mkfifo(folder / "out")
        case "folder":
            (folder / "out").mkdir()
    with pytest.raises(UnderstudyError, match="regular file"):
        put(store, folder, {"files": {"table": "out"}})
    assert list(store.keys("")) == []
