"""The first API key of an installation."""

from __future__ import annotations

from pathlib import Path

from understudy.access import PROJECT_SCOPES
from understudy.db import projects
from understudy.embedded.data_folder import write_private
from understudy.errors import Unauthenticated
from understudy.resources import Resources
from understudy.services.api_keys import authenticate, create_api_key
from understudy.services.projects import create_project


def ensure_key(resources: Resources, key_file: Path) -> None:
    """Ensure that a file contains a valid key. If it does not, create a key in the oldest project.

    If there is no project, a project named `default` is created.
    """
    if key_file.exists() and _is_valid(resources, key_file.read_text().strip()):
        return
    with resources.sessions() as session:
        existing = projects.all_of_them(session)
    project = existing[0] if existing else create_project(resources, "default")
    _, text = create_api_key(resources, project.id, "first key", PROJECT_SCOPES)
    write_private(key_file, text)


def _is_valid(resources: Resources, key: str) -> bool:
    try:
        authenticate(resources, key)
    except Unauthenticated:
        return False
    return True
