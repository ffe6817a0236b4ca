"""Rows of projects, the tenants."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import pages
from understudy.db.orm import Project
from understudy.db.pages import Page
from understudy.errors import NotFound

Json = dict[str, Any]

# The name of a deleted project. Its row remains in the table.
ERASED_NAME = ""


def add(session: Session, name: str) -> Project:
    """Add a project."""
    project = Project(id=ids.new_id(), name=name)
    session.add(project)
    session.flush()
    return project


def get(session: Session, project_id: UUID) -> Project:
    """Return a project, or raise `NotFound`."""
    project = session.get(Project, project_id)
    if project is None:
        raise _not_found(project_id)
    return project


def get_active(session: Session, project_id: UUID, *, is_locked: bool = False) -> Project:
    """Return a project, optionally locked. Raise `NotFound` if it does not exist or was deleted."""
    project = lock(session, project_id) if is_locked else get(session, project_id)
    if project.name == ERASED_NAME:
        raise _not_found(project_id)
    return project


def lock(session: Session, project_id: UUID) -> Project:
    """Lock and return a project. Other transactions cannot add rows to it until this one ends."""
    project = get(session, project_id)
    session.refresh(project, with_for_update=True)
    return project


def erase(session: Session, project_id: UUID) -> None:
    """Erase the name and the policy of a project. Its row remains, so that its erased jobs remain."""
    project = get(session, project_id)
    project.name, project.policy = ERASED_NAME, None
    session.flush()


def change(session: Session, project_id: UUID, *, policy: Json | None, gate: str | None) -> Project:
    """Replace the policy, the gate, or both. None keeps the current value."""
    project = get(session, project_id)
    if policy is not None:
        project.policy = policy
    if gate is not None:
        project.gate = gate
    session.flush()
    return project


def limit_running_jobs(session: Session, project_id: UUID, running_jobs_max: int | None) -> Project:
    """Set the maximum number of running jobs for a project. None means the installation's limit."""
    project = get(session, project_id)
    project.running_jobs_max = running_jobs_max
    session.flush()
    return project


def page(session: Session, *, after: UUID | None, limit: int) -> Page[Project, UUID]:
    """Return a page of the projects that were not deleted, newest first."""
    statement = select(Project).where(Project.name != ERASED_NAME)
    return pages.newest_first(session, statement, Project.id, after=after, limit=limit)


def all_of_them(session: Session) -> list[Project]:
    """Return every project of the installation, oldest first."""
    return list(session.scalars(select(Project).order_by(Project.id)))


def named(session: Session, name: str) -> list[Project]:
    """Return the projects with the given name, oldest first. Names are not unique."""
    return list(session.scalars(select(Project).where(Project.name == name).order_by(Project.id)))


def _not_found(project_id: UUID) -> NotFound:
    return NotFound(f"Project {ids.to_text('project', project_id)} does not exist. Check the ID.")
