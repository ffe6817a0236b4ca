from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.unit.services.conftest import Bench
from understudy import ids
from understudy.db import claims
from understudy.resources import Resources
from understudy.services import idempotency
from understudy.services.blob_keys import KeyParts, make_key, make_part_key, parse_key
from understudy.services.erasure import erase_files
from understudy.services.maintenance import sweep

AT_ONCE = timedelta(0)
OLD = UUID(int=int(1e12) << 80)


def put_blob(bench: Bench, job_id: UUID, token: int, *, project_id: UUID | None = None) -> str:
    """Store a blob without a row."""
    path = bench.resources.staging_folder / "blob"
    path.write_bytes(b"x")
    key = make_key(project_id or bench.project_id, job_id, token, "table", ".parquet")
    bench.resources.store.put_file(key, path)
    return key


def token_of(bench: Bench, job_id: UUID) -> int:
    with bench.resources.sessions() as session:
        statement = text("select max(token) from job_attempts where job_id = :id")
        token = session.scalar(statement, {"id": job_id})
    assert isinstance(token, int)
    return token


def test_blob_with_a_database_row_is_kept(bench: Bench) -> None:
    bench.put("succeed")
    bench.run()

    assert sweep(bench.resources, orphans_kept=AT_ONCE) == 0
    assert len(bench.blobs()) == 1


def test_blob_of_an_ended_attempt_is_removed_if_it_has_no_row(bench: Bench) -> None:
    job_id = bench.put("refuse")
    bench.run()
    put_blob(bench, job_id, token_of(bench, job_id))

    assert sweep(bench.resources) == 0
    assert sweep(bench.resources, orphans_kept=AT_ONCE) == 1
    assert bench.blobs() == []


def test_blob_of_a_running_attempt_is_kept(bench: Bench) -> None:
    job_id = bench.put("succeed")
    with bench.resources.sessions.begin() as session:
        claims.claim(session, claims.Claimant("w", "1", ("probe",)), lease_seconds=60)
    put_blob(bench, job_id, token_of(bench, job_id))

    assert sweep(bench.resources, orphans_kept=AT_ONCE) == 0


def test_blob_of_an_unknown_project_is_kept(bench: Bench) -> None:
    key = put_blob(bench, OLD, 0, project_id=ids.new_id())

    assert sweep(bench.resources, orphans_kept=AT_ONCE) == 0
    assert bench.blobs() == [key]


def test_old_upload_without_a_row_is_removed(bench: Bench) -> None:
    put_blob(bench, OLD, 0)
    fresh = put_blob(bench, ids.new_id(), 0)

    assert sweep(bench.resources) == 1
    assert bench.blobs() == [fresh]


def test_foreign_files_in_the_store_are_kept(bench: Bench) -> None:
    path = bench.resources.staging_folder / "blob"
    path.write_bytes(b"x")
    bench.resources.store.put_file("p/something/else", path)

    assert sweep(bench.resources, orphans_kept=AT_ONCE) == 0


def test_folder_of_a_killed_attempt_is_removed(bench: Bench) -> None:
    bench.put("refuse")
    bench.run()
    folder = bench.resources.scratch_folder / "1"
    (folder / "work").mkdir(parents=True)

    erase_files(bench.resources)

    assert not folder.exists()
    assert bench.resources.staging_folder.exists()


def test_staged_files_are_removed_after_a_day(resources: Resources) -> None:
    old_file, old_folder, fresh = (
        resources.staging_folder.parent / name for name in ("upload", "download", "fresh")
    )
    old_folder.mkdir()
    (old_folder / "copy").touch()
    for path in (old_file, fresh):
        path.touch()
    for path in (old_file, old_folder):
        os.utime(path, (0, time.time() - 90_000))

    erase_files(resources)

    assert set(resources.staging_folder.parent.iterdir()) == {fresh, resources.staging_folder}


def test_idempotency_keys_are_kept_for_72_hours(bench: Bench) -> None:
    for key, hours in (("young", 71), ("old", 73)):
        idempotency.begin(bench.resources, bench.project_id, key, b"h")
        with bench.resources.sessions.begin() as session:
            statement = text(
                "update idempotency_keys set created_at = clock_timestamp() - :h * interval '1 hour'"
                " where key = :key"
            )
            session.execute(statement, {"h": hours, "key": key})

    sweep(bench.resources)

    with bench.resources.sessions() as session:
        assert session.scalars(text("select key from idempotency_keys")).all() == ["young"]


@pytest.mark.parametrize("token", [0, 7])
def test_storage_key_can_be_parsed_into_its_parts(token: int) -> None:
    project_id, job_id = ids.new_id(), ids.new_id()

    key = make_key(project_id, job_id, token, "table", ".parquet")
    assert parse_key(key) == KeyParts(project_id, job_id, token)


@pytest.mark.parametrize("key", ["p/x", "p/prj_1/j/job_1/1/table", "", "q/a/j/b/1/c"])
def test_key_in_another_format_is_not_parsed(key: str) -> None:
    assert parse_key(key) is None


def test_storage_key_is_a_valid_path_without_escapes(tmp_path: Path) -> None:
    key = make_key(ids.new_id(), ids.new_id(), 1, "report_json", ".json")

    assert (tmp_path / key).relative_to(tmp_path).as_posix() == key


@pytest.mark.parametrize("is_ours", [True, False])
def test_old_upload_part_without_a_row_is_removed_if_its_project_exists(bench: Bench, is_ours: bool) -> None:
    path = bench.resources.staging_folder / "part"
    path.write_bytes(b"x")
    key = make_part_key(bench.project_id if is_ours else ids.new_id(), ids.new_id(), 1)
    bench.resources.store.put_file(key, path)

    assert sweep(bench.resources) == 0
    assert sweep(bench.resources, orphans_kept=AT_ONCE) == int(is_ours)
    assert bench.blobs() == ([] if is_ours else [key])
