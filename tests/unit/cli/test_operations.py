"""Tests for the commands dead-letters, requeue and limit-project."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from tests.rows import new_job
from understudy import ids
from understudy.cli.application import run
from understudy.db import claims, jobs, leases
from understudy.db.claims import Claimant
from understudy.db.job_attempts import AttemptEnd
from understudy.db.leases import JobError
from understudy.resources import Resources
from understudy.services.projects import create_project
from understudy.settings import Settings


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.database_url is not None
    assert settings.secret_key is not None
    monkeypatch.setenv("UNDERSTUDY_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("UNDERSTUDY_SECRET_KEY", settings.secret_key.get_secret_value())
    monkeypatch.setenv("UNDERSTUDY_REDIS_URL", "none")
    monkeypatch.setenv("UNDERSTUDY_DATA_DIR", str(settings.data_dir))


def fail(resources: Resources, project_id: UUID, error_code: str) -> str:
    """Add a job, let it fail and return its ID."""
    with resources.sessions.begin() as session:
        job = jobs.add(session, new_job(project_id))
    with resources.sessions.begin() as session:
        claimed = claims.claim(session, Claimant("worker@test", "1", ("probe",)), lease_seconds=60)
        assert claimed is not None
        assert claimed.lease_token is not None
        error = JobError(error_code, "A sentence with the name of a column.")
        leases.fail(session, claimed.id, claimed.lease_token, error=error, end=AttemptEnd("failed"))
    return ids.to_text("job", job.id)


def test_dead_letters_are_the_jobs_that_failed_because_of_the_service(resources: Resources, capsys):
    project_id = create_project(resources, "sales").id
    crashed, _ = fail(resources, project_id, "worker_crashed"), fail(resources, project_id, "ragged_rows")

    assert run(["dead-letters", "--json"]) == 0

    text = capsys.readouterr().out
    (letter,) = json.loads(text)["jobs"]
    assert (letter["job_id"], letter["error_code"], letter["project"]) == (crashed, "worker_crashed", "sales")
    assert letter["n_attempts"] == 1
    assert "column" not in text


def test_dead_letters_of_one_project_are_listed(resources: Resources, capsys):
    for name in ("sales", "research"):
        fail(resources, create_project(resources, name).id, "internal_error")

    assert run(["dead-letters", "--project", "research"]) == 0

    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("project: research")


def test_requeued_job_runs_again(resources: Resources, capsys):
    project_id = create_project(resources, "sales").id
    job_id = fail(resources, project_id, "worker_crashed")

    assert run(["requeue", job_id]) == 0
    assert run(["requeue", job_id]) == 4

    with resources.sessions() as session:
        job = jobs.get(session, project_id, ids.from_text("job", job_id))
    assert (job.state, job.round, job.crashes) == ("queued", 2, 0)
    capsys.readouterr()
    assert run(["dead-letters"]) == 0
    assert capsys.readouterr().out.startswith("No job failed because of a crash")


def test_unknown_job_is_not_requeued(capsys):
    assert run(["requeue", ids.to_text("job", ids.new_id())]) == 3
    assert "dead-letters" in capsys.readouterr().err


def test_project_with_a_limit_of_zero_starts_no_job_until_the_limit_is_removed(resources: Resources):
    project_id = create_project(resources, "sales").id
    claimant = Claimant("worker@test", "1", ("probe",))
    with resources.sessions.begin() as session:
        jobs.add(session, new_job(project_id))

    assert run(["limit-project", "sales", "--running-jobs", "0"]) == 0
    with resources.sessions.begin() as session:
        assert claims.claim(session, claimant, lease_seconds=60) is None
    assert run(["limit-project", "sales", "--remove"]) == 0
    with resources.sessions.begin() as session:
        assert claims.claim(session, claimant, lease_seconds=60) is not None


def test_limit_requires_a_number_or_the_option_that_removes_it(resources: Resources):
    create_project(resources, "sales")
    assert run(["limit-project", "sales"]) == 2


def test_check_of_an_empty_store_finds_no_damaged_blob(resources: Resources, capsys):
    assert run(["check-blobs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"n_checked": 0, "damaged": []}
