"""What can be done with projects."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from understudy.db import projects
from understudy.errors import Conflict, NotFound
from understudy.evaluation.verdict import check_policy
from understudy.parameters.policy import Policy, resolve_policy
from understudy.resources import Resources

if TYPE_CHECKING:
    from understudy.db.orm import Project


def create_project(resources: Resources, name: str) -> Project:
    """Add a project, the tenant that owns every other row."""
    with resources.sessions.begin() as session:
        return projects.add(session, name)


def find_project(resources: Resources, name: str) -> Project:
    """Return the project of a name.

    Raises
    ------
    NotFound
        If none has it.
    Conflict
        If several have it.
    """
    with resources.sessions() as session:
        found = projects.named(session, name)
    if not found:
        raise NotFound(f"There is no project named {name!r}.")
    if len(found) > 1:
        raise Conflict(f"{len(found)} projects are named {name!r}; a name that one project has is needed.")
    return found[0]


def find_or_create_project(resources: Resources, name: str) -> Project:
    """Return the project of a name; it is added if none has it.

    Raises
    ------
    Conflict
        If several have it.
    """
    try:
        return find_project(resources, name)
    except NotFound:
        return create_project(resources, name)


def change_project(
    resources: Resources, project_id: UUID, *, policy: str | Policy | None, gate: str | None
) -> Project:
    """Change what the project's samples are judged by, when they may be had, or both.

    Raises
    ------
    InvalidInput
        If there is no policy of that name, or it asks for a score that no report holds.
    """
    chosen = None if policy is None else resolve_policy(policy)
    if chosen is not None:
        check_policy(chosen)
    with resources.sessions.begin() as session:
        return projects.change(
            session,
            project_id,
            policy=None if chosen is None else chosen.model_dump(mode="json"),
            gate=gate,
        )
