from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.rows import new_job
from tests.unit.db.states import KINDS, Sessions, add_job, add_project
from understudy.db import claims, jobs, leases, projects, shards
from understudy.db.claims import Claimant
from understudy.db.job_attempts import AttemptEnd
from understudy.db.orm import Job


def claim(sessions: Sessions, *, running_jobs_max: int | None = None, queues: tuple[str, ...] = ("default",)):
    claimant = Claimant("worker@test", "1", KINDS, queues, running_jobs_max)
    with sessions.begin() as session:
        return claims.claim(session, claimant, lease_seconds=60)


def finish(sessions: Sessions, job: Job) -> None:
    with sessions.begin() as session:
        leases.finish(session, job.id, job.lease_token, result={}, end=AttemptEnd("succeeded"))


def add_jobs(sessions: Sessions, project_id: UUID, n: int, **options: object) -> None:
    with sessions.begin() as session:
        for _ in range(n):
            jobs.add(session, new_job(project_id, **options))


def split(sessions: Sessions, job: Job, n_shards: int) -> None:
    with sessions.begin() as session:
        parent = jobs.lock(session, job.project_id, job.id)
        parameters = {number: {"kind": "probe"} for number in range(1, n_shards + 1)}
        shards.add_missing(session, parent, parameters, ttl_seconds=3600)


@pytest.mark.parametrize("n_slots", [1, 2])
def test_job_of_another_project_is_claimed_before_the_rest_of_a_long_queue(
    sessions: Sessions, n_slots: int
) -> None:
    first, second = add_project(sessions), add_project(sessions)
    add_jobs(sessions, first, 20)
    running = [claim(sessions) for _ in range(n_slots)]
    add_jobs(sessions, second, 1)

    finish(sessions, running[0])

    assert claim(sessions).project_id == second


def test_projects_are_served_in_turn(sessions: Sessions) -> None:
    project_ids = [add_project(sessions) for _ in range(3)]
    for project_id in project_ids:
        add_jobs(sessions, project_id, 4)

    served = []
    for _ in range(12):
        job = claim(sessions)
        served.append(job.project_id)
        finish(sessions, job)

    assert all(set(served[start : start + 3]) == set(project_ids) for start in range(0, 12, 3))


def test_each_of_many_projects_is_served_within_two_rounds(sessions: Sessions) -> None:
    # There are more projects than a claim compares at once, so comparisons begin at different projects.
    n_projects = 80
    project_ids = {add_project(sessions) for _ in range(n_projects)}
    for project_id in project_ids:
        add_jobs(sessions, project_id, 3)

    served = [claim(sessions).project_id for _ in range(2 * n_projects)]

    assert set(served) == project_ids


def test_project_with_fewer_running_jobs_is_served_first(sessions: Sessions) -> None:
    busy, idle = add_project(sessions), add_project(sessions)
    add_jobs(sessions, busy, 5)
    for _ in range(3):
        claim(sessions)
    add_jobs(sessions, idle, 5)

    assert [claim(sessions).project_id for _ in range(3)] == [idle] * 3


def test_priority_does_not_delay_another_project(sessions: Sessions) -> None:
    urgent, ordinary = add_project(sessions), add_project(sessions)
    add_jobs(sessions, urgent, 3, priority=100)
    add_jobs(sessions, ordinary, 1)

    assert {claim(sessions).project_id for _ in range(2)} == {urgent, ordinary}


def test_project_runs_at_most_its_maximum_number_of_jobs(sessions: Sessions) -> None:
    limited, other = add_project(sessions), add_project(sessions)
    add_jobs(sessions, limited, 5)
    add_jobs(sessions, other, 5)
    with sessions.begin() as session:
        projects.limit_running_jobs(session, limited, 1)

    claimed = [claim(sessions, running_jobs_max=3) for _ in range(5)]

    assert [job and job.project_id for job in claimed].count(limited) == 1
    assert [job and job.project_id for job in claimed].count(other) == 3
    assert claimed[-1] is None


def test_split_job_counts_as_one_running_job(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    add_jobs(sessions, project_id, 1)
    split_job = claim(sessions, running_jobs_max=2)
    split(sessions, split_job, 2)
    add_jobs(sessions, project_id, 2)

    claimed = [claim(sessions, running_jobs_max=2) for _ in range(4)]

    assert [job and job.shard for job in claimed[:2]] == [1, 2]
    assert claimed[2].parent_id is None
    assert claimed[3] is None


def test_shards_are_claimed_even_if_their_project_is_at_its_running_job_limit(
    sessions: Sessions,
) -> None:
    project_id = add_project(sessions)
    add_jobs(sessions, project_id, 1)
    split_job = claim(sessions, running_jobs_max=1)
    add_jobs(sessions, project_id, 1, priority=1)
    split(sessions, split_job, 3)

    claimed = [claim(sessions, running_jobs_max=1) for _ in range(4)]

    assert [job and job.shard for job in claimed] == [1, 2, 3, None]


def test_split_job_and_one_of_its_shards_share_a_slot(sessions: Sessions) -> None:
    splitting, busy = add_project(sessions), add_project(sessions)
    add_jobs(sessions, splitting, 1)
    split_job = claim(sessions)
    split(sessions, split_job, 5)
    claimed = [claim(sessions) for _ in range(2)]
    add_jobs(sessions, busy, 5)
    claimed += [claim(sessions) for _ in range(4)]

    # The split job and its two claimed shards use two slots, because one worker runs the job and a shard.
    served = [job.project_id == splitting for job in claimed]
    assert served == [True, True, False, False, True, False]


def test_next_job_is_claimed_after_a_running_job_has_ended(sessions: Sessions) -> None:
    add_jobs(sessions, add_project(sessions), 3)
    job = claim(sessions, running_jobs_max=1)
    assert claim(sessions, running_jobs_max=1) is None

    finish(sessions, job)

    assert claim(sessions, running_jobs_max=1) is not None


def test_concurrent_claims_do_not_exceed_the_maximum(sessions: Sessions) -> None:
    add_jobs(sessions, add_project(sessions), 30)
    barrier = threading.Barrier(4)

    def claim_several(_: int) -> int:
        barrier.wait()
        return sum(claim(sessions, running_jobs_max=7) is not None for _ in range(5))

    with ThreadPoolExecutor(4) as pool:
        n_claimed = sum(pool.map(claim_several, range(4)))

    assert n_claimed == 7


def test_worker_claims_only_jobs_of_its_queues(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    add_jobs(sessions, project_id, 1, queue="large")

    assert claim(sessions) is None
    assert claim(sessions, queues=("default", "large")) is not None


def test_priority_determines_which_queue_of_a_project_is_served_first(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    add_jobs(sessions, project_id, 1)
    add_jobs(sessions, project_id, 1, queue="large", priority=1)

    served = [claim(sessions, queues=("default", "large")).queue for _ in range(2)]

    assert served == ["large", "default"]


def test_jobs_that_cannot_be_claimed_do_not_block_other_projects(sessions: Sessions) -> None:
    for _ in range(40):
        add_jobs(sessions, add_project(sessions), 1, queue="gpu")
    waiting = add_project(sessions)
    add_job(sessions, waiting)
    with sessions.begin() as session:
        session.execute(text("update jobs set queue = 'default', run_after = 'infinity' where queue = 'gpu'"))

    assert claim(sessions).project_id == waiting
