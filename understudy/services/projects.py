"""What can be done with projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.db import projects
from understudy.resources import Resources

if TYPE_CHECKING:
    from understudy.db.orm import Project


def create_project(resources: Resources, name: str) -> Project:
    """Add a project, the tenant that owns every other row."""
    with resources.sessions.begin() as session:
        return projects.add(session, name)
