"""The key that the owner of an installation begins with."""

from __future__ import annotations

from pathlib import Path

from understudy.db import projects
from understudy.embedded.data_folder import write_private
from understudy.errors import Unauthenticated
from understudy.resources import Resources
from understudy.services.api_keys import SCOPES, authenticate, create_api_key
from understudy.services.projects import create_project


def ensure_key(resources: Resources, key_file: Path) -> None:
    """Make sure that a file holds a valid key: keep it if it does, else make one of the oldest project.

    A project is made if there is none.
    """
    if key_file.exists() and _is_valid(resources, key_file.read_text().strip()):
        return
    with resources.sessions() as session:
        known = projects.all_of_them(session)
    project = known[0] if known else create_project(resources, "default")
    _, text = create_api_key(resources, project.id, "first key", SCOPES)
    write_private(key_file, text)


def _is_valid(resources: Resources, key: str) -> bool:
    try:
        authenticate(resources, key)
    except Unauthenticated:
        return False
    return True
