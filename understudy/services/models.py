"""Download and deletion of models."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from understudy.access import check_scope
from understudy.db import artifacts, models
from understudy.job_kinds import gate
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.checks import Check, accept
from understudy.services.lineage import check_no_descendants, delete_with_descendants, find_descendants
from understudy.services.results import discard

if TYPE_CHECKING:
    from understudy.db.orm import Artifact, Model


def find_file(resources: Resources, caller: Caller, model_id: UUID) -> Artifact:
    """Return the file of a model for a download.

    Raises
    ------
    Forbidden
        If the caller lacks the scope `read_real`. A model file can contain more about the training data than
        its samples.
    NotFound
        If the project has no such model.
    Conflict
        If the gate of the project does not allow rows of the model without a job.
    """
    check_scope(caller, "read_real")
    with resources.sessions() as session:
        model = models.get(session, caller.project_id, model_id)
        gate.check_rows_without_job(session, model)
        return artifacts.get(session, caller.project_id, model.job_id, "model")


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
