from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.rows import upload_csv
from understudy.db import jobs
from understudy.db.idempotency import StoredResponse
from understudy.errors import Conflict, InvalidInput
from understudy.parameters.probe import ProbeParameters
from understudy.resources import Resources
from understudy.services import idempotency
from understudy.services.api_keys import Caller
from understudy.services.jobs import submit_job

PROBE = ProbeParameters(kind="probe")
HASH = b"h" * 32


def age(resources: Resources, seconds: int) -> None:
    """Increase the age of the idempotency keys."""
    statement = text("update idempotency_keys set created_at = created_at - :age * interval '1 s'")
    with resources.sessions.begin() as session:
        session.execute(statement, {"age": seconds})


def test_repeated_request_returns_the_first_response(resources: Resources, caller: Caller) -> None:
    assert idempotency.begin(resources, caller.project_id, "k", HASH) is None
    first = StoredResponse(202, {"location": "/v1/jobs/1"}, {"id": "1"})
    idempotency.complete(resources, caller.project_id, "k", first)

    response = idempotency.begin(resources, caller.project_id, "k", HASH)

    assert response == first


def test_different_request_with_the_same_key_is_rejected(resources: Resources, caller: Caller) -> None:
    idempotency.begin(resources, caller.project_id, "k", HASH)

    with pytest.raises(InvalidInput) as caught:
        idempotency.begin(resources, caller.project_id, "k", b"x" * 32)
    assert caught.value.code == "idempotency_mismatch"


def test_keys_of_different_projects_are_independent(
    resources: Resources, caller: Caller, other_caller: Caller
) -> None:
    for project_id in (caller.project_id, other_caller.project_id):
        assert idempotency.begin(resources, project_id, "k", HASH) is None


def test_only_one_of_two_concurrent_requests_is_processed(resources: Resources, caller: Caller) -> None:
    both_ready = threading.Barrier(2)

    def ask(_: int) -> str:
        both_ready.wait()
        try:
            return str(idempotency.begin(resources, caller.project_id, "k", HASH))
        except Conflict as error:
            return error.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ask, range(2))) == ["None", "idempotency_in_progress"]


def test_key_of_a_rejected_request_can_be_reused(resources: Resources, caller: Caller) -> None:
    idempotency.begin(resources, caller.project_id, "k", HASH)
    idempotency.abandon(resources, caller.project_id, "k")

    assert idempotency.begin(resources, caller.project_id, "k", b"x" * 32) is None


def test_exactly_one_repetition_takes_over_an_interrupted_request(
    resources: Resources, caller: Caller
) -> None:
    idempotency.begin(resources, caller.project_id, "k", HASH)
    age(resources, 31)

    assert idempotency.begin(resources, caller.project_id, "k", HASH) is None
    with pytest.raises(Conflict):
        idempotency.begin(resources, caller.project_id, "k", HASH)


def test_repetition_of_an_interrupted_request_returns_the_job_that_it_added(
    resources: Resources, caller: Caller
) -> None:
    idempotency.begin(resources, caller.project_id, "k", HASH)
    first = submit_job(resources, caller.project_id, PROBE, idempotency_key="k")
    age(resources, 31)
    idempotency.begin(resources, caller.project_id, "k", HASH)

    second = submit_job(resources, caller.project_id, PROBE, idempotency_key="k")

    assert second.id == first.id
    with resources.sessions() as session:
        assert jobs.counts(session, caller.project_id) == {"queued": 1}


def test_concurrent_requests_with_one_key_add_only_one_job(resources: Resources, caller: Caller) -> None:
    idempotency.begin(resources, caller.project_id, "k", HASH)

    with ThreadPoolExecutor(4) as pool:
        added = pool.map(
            lambda _: submit_job(resources, caller.project_id, PROBE, idempotency_key="k").id, range(4)
        )

    assert len(set(added)) == 1


def test_repetition_of_an_interrupted_upload_returns_the_dataset_that_it_added(
    resources: Resources, caller: Caller
) -> None:
    idempotency.begin(resources, caller.project_id, "k", HASH)
    added = [upload_csv(resources, caller.project_id, b"a\n1\n", idempotency_key="k") for _ in range(2)]

    assert added[0][0].id == added[1][0].id
    assert added[0][1].id == added[1][1].id
    assert len(list(resources.store.keys(""))) == 1


def test_key_of_a_request_that_added_a_job_is_kept(resources: Resources, caller: Caller) -> None:
    idempotency.begin(resources, caller.project_id, "k", HASH)
    submit_job(resources, caller.project_id, PROBE, idempotency_key="k")

    idempotency.abandon(resources, caller.project_id, "k")

    with pytest.raises(Conflict):
        idempotency.begin(resources, caller.project_id, "k", HASH)
