"""Use cases of projects: add, find, change and limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from understudy.db import projects
from understudy.errors import Conflict, NotFound
from understudy.evaluation.verdict import check_policy
from understudy.parameters.policy import Policy, resolve_policy
from understudy.resources import Resources
from understudy.services.checks import Check, accept

if TYPE_CHECKING:
    from understudy.db.orm import Project


def create_project(resources: Resources, name: str, running_jobs_max: int | None = None) -> Project:
    """Add a project, which is the tenant that owns all other rows.

    Without `running_jobs_max`, the limit of the installation applies.
    """
    with resources.sessions.begin() as session:
        project = projects.add(session, name)
        return projects.limit_running_jobs(session, project.id, running_jobs_max)


def manage_project(
    resources: Resources, project_id: UUID, changes: Mapping[str, Any], *, check: Check[Project] = accept
) -> Project:
    """Change the name or the limit of a project (`name` and `running_jobs_max` in `changes`).

    Parameters
    ----------
    check : callable (session, row) -> None
        Function that raises an error if the locked row must not be changed.

    Raises
    ------
    NotFound
        If the project does not exist or was deleted.
    """
    with resources.sessions.begin() as session:
        project = projects.get_active(session, project_id, is_locked=True)
        check(session, project)
        for field, value in changes.items():
            setattr(project, field, value)
    return project


def find_project(resources: Resources, name: str) -> Project:
    """Return the project with the given name.

    Raises
    ------
    NotFound
        If no project has that name.
    Conflict
        If several projects have that name.
    """
    with resources.sessions() as session:
        matches = projects.named(session, name)
    if not matches:
        raise NotFound(f"There is no project named {name!r}. Check the name.")
    if len(matches) > 1:
        raise Conflict(
            f"{len(matches)} projects are named {name!r}. Rename the duplicates so that each project has a "
            "unique name."
        )
    return matches[0]


def find_or_create_project(resources: Resources, name: str) -> Project:
    """Return the project with the given name. If no project has that name, add one.

    Raises
    ------
    Conflict
        If several projects have that name.
    """
    try:
        return find_project(resources, name)
    except NotFound:
        return create_project(resources, name)


def change_project(
    resources: Resources,
    project_id: UUID,
    *,
    policy: str | Policy | None,
    gate: str | None,
    check: Check[Project] = accept,
) -> Project:
    """Change the policy of a project, its gate, or both.

    Parameters
    ----------
    check : callable (session, row) -> None
        Function that raises an error if the locked row must not be changed.

    Raises
    ------
    InvalidInput
        If the policy does not exist or contains a threshold for an unknown metric.
    """
    chosen = None if policy is None else resolve_policy(policy)
    if chosen is not None:
        check_policy(chosen)
    with resources.sessions.begin() as session:
        check(session, projects.lock(session, project_id))
        return projects.change(
            session,
            project_id,
            policy=None if chosen is None else chosen.model_dump(mode="json"),
            gate=gate,
        )


def limit_running_jobs(resources: Resources, project_id: UUID, running_jobs_max: int | None) -> None:
    """Set the maximum number of running jobs for a project. None means the installation's limit."""
    with resources.sessions.begin() as session:
        projects.limit_running_jobs(session, project_id, running_jobs_max)
