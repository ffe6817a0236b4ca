from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from tests.service import make_caller
from understudy.db import jobs
from understudy.errors import Conflict, NotFound, TooManyRequests
from understudy.ids import new_id
from understudy.job_queue import ListQueue
from understudy.parameters.probe import ProbeParameters
from understudy.parameters.train import TrainParameters
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.jobs import cancel_job, retry_job, submit_job, validate_job
from understudy.settings import Settings

PROBE = ProbeParameters(kind="probe", labels={"team": "ops"})


def test_job_is_committed_before_the_message_is_sent(
    settings: Settings, resources: Resources, caller: Caller
) -> None:
    class Listening(ListQueue):
        n_seen = 0

        def ring(self, n: int = 1, *, queue: str = "default") -> bool:
            with resources.sessions() as session:
                self.n_seen = jobs.count_due(session)["default"]
            return False

    queue = Listening()
    object.__setattr__(resources, "queue", queue)

    job = submit_job(resources, caller.project_id, PROBE)

    assert queue.n_seen == 1
    assert (job.state, job.labels, job.parameters) == (
        "queued",
        {"team": "ops"},
        {"kind": "probe", "seconds": 0},
    )


def test_rejected_job_leaves_nothing_behind(resources: Resources, caller: Caller, queue: ListQueue) -> None:
    parameters = TrainParameters(kind="train", dataset_id="ds_00000000000000000000000000")

    with pytest.raises(NotFound):
        submit_job(resources, caller.project_id, parameters)
    with resources.sessions() as session:
        assert jobs.counts(session, caller.project_id) == {}
    assert queue.n_rings == 0


def test_validation_of_a_job_changes_nothing(resources: Resources, caller: Caller, queue: ListQueue) -> None:
    assert validate_job(resources, caller.project_id, PROBE) == PROBE

    with resources.sessions() as session:
        assert jobs.counts(session, caller.project_id) == {}
    assert queue.n_rings == 0


def test_quota_applies_to_each_project(settings: Settings, resources: Resources, caller: Caller) -> None:
    object.__setattr__(resources, "settings", settings.model_copy(update={"queued_jobs_max": 1}))
    submit_job(resources, caller.project_id, PROBE)

    with pytest.raises(TooManyRequests) as caught:
        submit_job(resources, caller.project_id, PROBE)

    assert caught.value.code == "too_many_jobs"
    submit_job(resources, make_caller(resources).project_id, PROBE)


def test_cancellation_can_be_repeated(resources: Resources, caller: Caller) -> None:
    job = submit_job(resources, caller.project_id, PROBE)

    for _ in range(2):
        assert cancel_job(resources, caller.project_id, job.id).state == "cancelled"


def test_retry_sends_a_message(resources: Resources, caller: Caller, queue: ListQueue) -> None:
    job = submit_job(resources, caller.project_id, PROBE)
    with pytest.raises(Conflict):
        retry_job(resources, caller.project_id, job.id)
    cancel_job(resources, caller.project_id, job.id)

    assert retry_job(resources, caller.project_id, job.id).state == "queued"
    assert queue.n_rings == 2


def test_caller_of_another_project_cannot_change_a_job(
    resources: Resources, caller: Caller, other_caller: Caller
) -> None:
    job = submit_job(resources, caller.project_id, PROBE)

    for use in (cancel_job, retry_job):
        with pytest.raises(NotFound):
            use(resources, other_caller.project_id, job.id)
        with pytest.raises(NotFound):
            use(resources, caller.project_id, new_id())


@pytest.mark.parametrize(
    ("large_job_bytes", "queue_name"), [(None, "default"), (1 << 50, "default"), (1, "large")]
)
def test_queue_of_a_job_depends_on_its_estimated_memory(
    resources: Resources, caller: Caller, large_job_bytes: int | None, queue_name: str
) -> None:
    settings = cast("Settings", resources.settings).model_copy(update={"large_job_bytes": large_job_bytes})

    job = submit_job(replace(resources, settings=settings), caller.project_id, ProbeParameters(kind="probe"))

    assert job.queue == queue_name
