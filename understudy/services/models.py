"""What can be done with models."""

from __future__ import annotations

from uuid import UUID

from understudy.db import models
from understudy.resources import Resources
from understudy.services.derivation import check_alone, delete_family, find_family
from understudy.services.results import discard


def delete_model(resources: Resources, project_id: UUID, model_id: UUID, *, cascade: bool = False) -> None:
    """Delete a model and its file; with `cascade` also what was derived from it.

    Raises
    ------
    NotFound
        If the project has no such model.
    Conflict
        If something was derived from it, or a job uses it, and `cascade` is not given.
    """
    with resources.sessions.begin() as session:
        family = find_family(session, project_id, models.lock(session, project_id, model_id))
        if not cascade:
            check_alone(family)
        keys = delete_family(session, family)
    discard(resources.store, keys)
