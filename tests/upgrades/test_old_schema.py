"""Tests that this version refuses a database with an older schema."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from starlette.testclient import TestClient

from app.main import create_app
from tests.service import SECRET_KEY, execute, make_caller
from tests.upgrades.test_previous_version import STATEMENTS, migrate_to
from understudy.db.migrate import make_config, upgrade
from understudy.db.revision import check_revision, current_revision, required_revision
from understudy.errors import UnderstudyError
from understudy.job_queue import ListQueue
from understudy.resources import Resources, open_resources
from understudy.services.api_keys import USUAL_SCOPES, create_api_key
from understudy.settings import Settings


@pytest.fixture
def old_url(empty_url: str) -> str:
    """Return the URL of a database with the previous schema."""
    migrate_to(empty_url, STATEMENTS[-1].stem)
    return empty_url


@pytest.fixture
def old_resources(old_url: str, tmp_path: Path) -> Iterator[Resources]:
    settings = Settings(database_url=old_url, secret_key=SECRET_KEY, data_dir=tmp_path)
    resources = open_resources(settings, queue=ListQueue())
    yield resources
    resources.close()


def test_required_revision_is_the_newest_migration():
    scripts = ScriptDirectory.from_config(make_config())
    assert required_revision() == scripts.get_current_head()
    ascending = [script.revision for script in scripts.walk_revisions()][::-1]
    assert ascending == sorted(ascending)


def test_newer_schema_is_accepted_and_an_older_one_is_refused(old_resources: Resources, old_url: str):
    with old_resources.sessions() as session, pytest.raises(UnderstudyError, match="understudy migrate"):
        check_revision(session)
    upgrade(old_url)
    with old_resources.sessions() as session:
        check_revision(session)
        assert current_revision(session) == required_revision()


def test_database_without_tables_is_refused(empty_url: str, tmp_path: Path):
    settings = Settings(database_url=empty_url, secret_key=SECRET_KEY, data_dir=tmp_path)
    resources = open_resources(settings, queue=ListQueue())
    with resources.sessions() as session, pytest.raises(UnderstudyError, match="revision 0000"):
        check_revision(session)
    resources.close()


def test_api_returns_503_until_the_database_is_migrated(old_resources: Resources, old_url: str):
    # This version can create a project only if the column exists.
    execute(old_url, "alter table projects add column running_jobs_max integer")
    caller = make_caller(old_resources)
    _, key = create_api_key(old_resources, caller.project_id, "k", USUAL_SCOPES)
    execute(old_url, "alter table projects drop column running_jobs_max")
    headers = {"Authorization": f"Bearer {key}"}
    with TestClient(create_app(old_resources), headers=headers) as client:
        ready = client.get("/readyz")
        refused = client.post("/v1/jobs", json={"kind": "probe"})
        assert (ready.status_code, refused.status_code) == (503, 503)
        assert "Run `understudy migrate`" in ready.json()["checks"]["database"]
        assert "Run `understudy migrate`" in refused.json()["detail"]
        upgrade(old_url)
        assert client.post("/v1/jobs", json={"kind": "probe"}).status_code == 202


def test_error_of_the_worker_contains_the_remedy(old_url: str, tmp_path: Path):
    settings = {
        "UNDERSTUDY_DATABASE_URL": old_url,
        "UNDERSTUDY_REDIS_URL": "redis://127.0.0.1:1/0",
        "UNDERSTUDY_SECRET_KEY": SECRET_KEY,
        "UNDERSTUDY_DATA_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", "workers"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 5
    assert done.stderr.splitlines()[-1] == (
        f"error: The database schema has revision {STATEMENTS[-1].stem}, but this version needs "
        f"{required_revision()}. Run `understudy migrate`."
    )
