"""The tasks: one, since a message says no more than that there is work."""

from __future__ import annotations

from understudy.job_queue import TASK_NAME
from workers.celery_app import app, current_worker


def run_next_job() -> None:
    """Run what waits."""
    current_worker().run_jobs()


app.task(run_next_job, name=TASK_NAME)
