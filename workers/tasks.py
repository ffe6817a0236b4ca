"""The only Celery task, which runs queued jobs."""

from __future__ import annotations

from understudy.job_queue import TASK_NAME
from workers.celery_app import app, current_worker


def run_next_job() -> None:
    """Run queued jobs until none is left."""
    current_worker().run_jobs()


app.task(run_next_job, name=TASK_NAME)
