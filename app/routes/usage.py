"""Route for the usage of a project."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BeforeValidator

from app.bodies.usage import ProjectUsage
from app.dependencies import ReaderDep, ResourcesDep
from app.document import problems
from understudy.db import usage
from understudy.errors import InvalidInput

router = APIRouter(prefix="/v1/usage", tags=["project"])


def _check_form(value: object) -> object:
    if not isinstance(value, str) or DAY.fullmatch(value) is None:
        raise ValueError("must be a date such as 2026-01-31")
    return value


# Without the check, Pydantic would also accept times and numbers of seconds.
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
Day = Annotated[date, BeforeValidator(_check_form)]
DAYS_DEFAULT = 30
DAYS_MAX = 366


@router.get("", summary="Get the usage of your project", responses=problems(422))
def get_usage(
    resources: ResourcesDep,
    caller: ReaderDep,
    start_date: Annotated[
        Day | None, Query(description="First day, in UTC. By default, 29 days before `end_date`.")
    ] = None,
    end_date: Annotated[Day | None, Query(description="Last day, in UTC. By default, today.")] = None,
) -> ProjectUsage:
    """Return the usage of the project by day: jobs, CPU time, rows and bytes. At most 366 days are returned.

    Deleting data does not change the usage of earlier days.
    """
    end = end_date or datetime.now(UTC).date()
    # No date is before 0001-01-01.
    start = start_date or date.fromordinal(max(end.toordinal() - (DAYS_DEFAULT - 1), 1))
    n_days = (end - start).days + 1
    _check(n_days)
    with resources.read_sessions() as session:
        used = usage.list_days(session, caller.project_id, start, end)
        stored_bytes = usage.stored_bytes(session, caller.project_id)
    return ProjectUsage.of([start + timedelta(days=i) for i in range(n_days)], used, stored_bytes)


def _check(n_days: int) -> None:
    if n_days < 1:
        raise InvalidInput(
            "`start_date` is after `end_date`. Exchange the dates.",
            code="invalid_parameters",
            parameter="start_date",
        )
    if n_days > DAYS_MAX:
        raise InvalidInput(
            f"The period has {n_days:,} days, but the maximum is {DAYS_MAX}. Request a shorter period.",
            code="invalid_parameters",
            parameter="start_date",
        )
