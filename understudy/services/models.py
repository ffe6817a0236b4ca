"""Deletion of models."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from understudy.db import models
from understudy.resources import Resources
from understudy.services.checks import Check, accept
from understudy.services.lineage import check_no_descendants, delete_with_descendants, find_descendants
from understudy.services.results import discard

if TYPE_CHECKING:
    from understudy.db.orm import Model


def delete_model(
    resources: Resources,
    project_id: UUID,
    model_id: UUID,
    *,
    cascade: bool = False,
    check: Check[Model] = accept,
) -> None:
    """Delete a model and its file. With `cascade`, also delete everything that was derived from it.

    Parameters
    ----------
    check : callable (session, row) -> None
        Function that raises an error if the locked row must not be deleted.

    Raises
    ------
    NotFound
        If the project has no such model.
    Conflict
        If `cascade` is false, and other resources were derived from the model or a job uses it.
    """
    with resources.sessions.begin() as session:
        model = models.lock(session, project_id, model_id)
        check(session, model)
        descendants = find_descendants(session, project_id, model)
        if not cascade:
            check_no_descendants(descendants)
        keys = delete_with_descendants(session, descendants)
    discard(resources.store, keys)
