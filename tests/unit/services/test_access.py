"""Tests for the access rules: purposes, scopes, readiness and quarantine."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.rows import new_job
from understudy import access, ids
from understudy.access import JobPrincipal, Purpose
from understudy.db import datasets, jobs
from understudy.errors import Conflict, Forbidden, NotFound, UnderstudyError

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


def add_dataset(sessions, project_id, **values):
    """Add a ready uploaded dataset with some changed values."""
    with sessions.begin() as session:
        job = jobs.add(session, new_job(project_id))
        row = datasets.add_pending(session, job, dataset_id=ids.new_id(), name="t")
        for name, value in {"state": "ready", **values}.items():
            setattr(row, name, value)
        return row.id


def refusals(sessions, principal, dataset_id):
    """Return the rejected purposes with their error codes."""
    refused = {}
    for purpose in PURPOSES:
        with sessions() as session:
            try:
                access.open_dataset(session, principal, dataset_id, purpose)
            except UnderstudyError as error:
                refused[purpose] = error.code
    return refused


def test_caller_with_all_scopes_can_use_a_ready_dataset_for_every_purpose(sessions, caller):
    assert refusals(sessions, caller, add_dataset(sessions, caller.project_id)) == {}


def test_real_values_require_the_scope_read_real(sessions, caller):
    dataset_id = add_dataset(sessions, caller.project_id)
    refused = refusals(sessions, JobPrincipal(caller.project_id), dataset_id)
    assert refused == {"see_values": "forbidden", "download": "forbidden"}


def test_samples_do_not_require_the_scope_read_real(sessions, caller):
    dataset_id = add_dataset(sessions, caller.project_id, origin="sample")
    assert refusals(sessions, JobPrincipal(caller.project_id), dataset_id) == {}


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_only_a_ready_dataset_can_be_used(sessions, caller, state):
    refused = refusals(sessions, caller, add_dataset(sessions, caller.project_id, state=state))
    assert refused == dict.fromkeys(PURPOSES, "not_ready")


def test_quarantined_sample_can_only_be_viewed_and_evaluated(sessions, caller):
    why = {"reason": "unreviewed", "sentence": "No report yet."}
    quarantine = {"quarantine": why, "quarantined_at": datasets.CLOCK}
    dataset_id = add_dataset(sessions, caller.project_id, origin="sample", **quarantine)
    assert refusals(sessions, caller, dataset_id) == {"download": "quarantined", "learn": "quarantined"}


def test_dataset_of_another_project_is_not_found(sessions, caller, other_caller):
    dataset_id = add_dataset(sessions, caller.project_id)
    refused = refusals(sessions, other_caller, dataset_id)
    assert refused == dict.fromkeys(PURPOSES, "not_found")


def test_missing_scope_is_reported_before_the_state_of_the_dataset(sessions, caller):
    dataset_id = add_dataset(sessions, caller.project_id, state="pending")
    with sessions() as session, pytest.raises(Forbidden, match="read_real"):
        access.open_dataset(session, JobPrincipal(caller.project_id), dataset_id, "download")
    with sessions() as session, pytest.raises(Conflict):
        access.open_dataset(session, JobPrincipal(caller.project_id), dataset_id, "learn")
    with sessions() as session, pytest.raises(NotFound):
        access.open_dataset(session, caller, ids.new_id(), "see")
