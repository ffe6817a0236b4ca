from __future__ import annotations

from tests.rows import new_job
from tests.unit.db.states import Sessions, add_job, add_project, claimed
from understudy.db import datasets, job_events, jobs
from understudy.db.jobs import JobFilters
from understudy.ids import new_id


def test_pages_contain_each_row_once_with_the_newest_first(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    added = [add_job(sessions, project_id).id for _ in range(5)]

    listed, after = [], None
    with sessions() as session:
        while True:
            page = jobs.page(session, project_id, after=after, limit=2)
            listed += [row.id for row in page.rows]
            after = page.next
            if after is None:
                break

    assert listed == sorted(added, reverse=True)


def test_full_last_page_has_no_next_page(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    for _ in range(2):
        add_job(sessions, project_id)

    with sessions() as session:
        assert jobs.page(session, project_id, limit=2).next is None
        assert jobs.page(session, project_id, limit=1).next is not None


def test_row_added_between_pages_does_not_shift_the_next_page(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    oldest, _ = add_job(sessions, project_id).id, add_job(sessions, project_id).id
    with sessions() as session:
        first = jobs.page(session, project_id, limit=1)
    add_job(sessions, project_id)

    with sessions() as session:
        assert [row.id for row in jobs.page(session, project_id, after=first.next).rows] == [oldest]


def test_events_start_with_the_oldest_and_continue_after_a_given_event(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id = add_job(sessions, project_id).id
    claimed(sessions)

    with sessions() as session:
        first = job_events.page(session, project_id, job_id, limit=1)
        rest = job_events.page(session, project_id, job_id, after=first.next)

    assert [row.type for row in (*first.rows, *rest.rows)] == ["queued", "started"]


def test_lists_of_jobs_can_be_filtered(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    with sessions.begin() as session:
        for number, label in enumerate(("red", "blue")):
            parameters = {"kind": "train", "dataset_id": f"ds_{number}"}
            labels = {"colour": label}
            jobs.add(session, new_job(project_id, kind="train", parameters=parameters, labels=labels))
    add_job(sessions, project_id)

    with sessions() as session:
        for filters, n_rows in [
            (JobFilters(kind="train"), 2),
            (JobFilters(dataset_id="ds_1"), 1),
            (JobFilters(model_id="ds_1"), 1),
            (JobFilters(labels={"colour": "red"}), 1),
            (JobFilters(labels={"colour": "red"}, dataset_id="ds_1"), 0),
            (JobFilters(state="running"), 0),
        ]:
            assert len(jobs.page(session, project_id, filters=filters).rows) == n_rows, filters


def test_lists_of_datasets_can_be_filtered(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    with sessions.begin() as session:
        job = jobs.add(session, new_job(project_id, labels={"a": "b"}))
        datasets.add_pending(session, job, dataset_id=new_id(), name="d")

    with sessions() as session:
        for filters, n_rows in [
            (datasets.DatasetFilters(state="pending", origin="upload", labels={"a": "b"}), 1),
            (datasets.DatasetFilters(state="ready"), 0),
            (datasets.DatasetFilters(origin="sample"), 0),
            (datasets.DatasetFilters(model_id=new_id()), 0),
            (datasets.DatasetFilters(labels={"a": "c"}), 0),
        ]:
            assert len(datasets.page(session, project_id, filters=filters).rows) == n_rows, filters
