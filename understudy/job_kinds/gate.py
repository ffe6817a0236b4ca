"""The gate of a project, which puts samples into quarantine depending on their reports."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from understudy import ids
from understudy.db import datasets, projects
from understudy.errors import Conflict, Forbidden
from understudy.parameters.base import Json
from understudy.parameters.policy import POLICIES, Policy

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.access import Principal
    from understudy.db.orm import Dataset, Model, Report

UNREVIEWED: Json = {
    "reason": "unreviewed",
    "sentence": "This sample has not been evaluated yet. Create a job of kind `evaluate` with the dataset"
    " that the model was trained on and without a separate holdout.",
}


def project_policy(session: Session, project_id: UUID) -> Policy:
    """Return the policy of a project, which is `standard` by default."""
    stored = projects.get(session, project_id).policy
    return POLICIES["standard"] if stored is None else Policy.model_validate(stored)


def hold_unreviewed(session: Session, dataset: Dataset) -> None:
    """Put a new sample into quarantine if the gate of its project requires a report first."""
    if projects.get(session, dataset.project_id).gate == "until_reviewed":
        datasets.quarantine(session, dataset, UNREVIEWED)


def check_rows_without_job(session: Session, model: Model) -> None:
    """Check that a caller may get rows of a model without a job, that is, without a report or quarantine.

    Raises
    ------
    Conflict
        If the gate of the project requires a report first, or a sample of the model is in quarantine.
    """
    if projects.get(session, model.project_id).gate == "until_reviewed":
        raise Conflict(
            "The gate of this project (`until_reviewed`) requires a report for every sample, but rows that "
            "are sampled without a job have none. Create a job of kind `sample`, then evaluate the sample "
            "with a job of kind `evaluate`.",
            code="quarantined",
        )
    held = datasets.in_quarantine(session, model.project_id, model.id)
    if held is not None:
        raise Conflict(
            f"Sample {ids.to_text('dataset', held)} of this model is in quarantine, so the model provides no "
            "rows without a job. An administrator can release the sample "
            f"(POST /v1/datasets/{ids.to_text('dataset', held)}/release).",
            code="quarantined",
        )


def check_deletion(sample: Dataset, principal: Principal) -> None:
    """Check that a caller may delete a sample. Its quarantine then no longer affects its model.

    Raises
    ------
    Forbidden
        If the sample is in quarantine because of a failed report, and the caller lacks the scope `admin`.
    """
    if sample.quarantine is None or sample.quarantine["reason"] != "failed" or "admin" in principal.scopes:
        return
    raise Forbidden(
        f"Sample {ids.to_text('dataset', sample.id)} is in quarantine because its report failed, and its "
        "model provides no rows without a job while the sample exists. Use a key with the scope 'admin' to "
        "delete it."
    )


def apply_verdict(
    session: Session, sample: Dataset, report: Report, verdict: Json, *, is_whole: bool
) -> None:
    """Put a sample that fails its project's policy into quarantine, or end a quarantine for a missing report.

    Parameters
    ----------
    verdict : Json
        The verdict under the project's policy, independent of the policy in the request for the report.
    is_whole : bool
        Whether the report used the training rows and the holdout of the model, and no subject is in both. Any
        other report can start a quarantine but cannot end one.
    """
    if projects.get(session, sample.project_id).gate == "off" or sample.released_at is not None:
        return
    if verdict["outcome"] == "fail":
        reason = {"reason": "failed", "report_id": ids.to_text("report", report.id), **verdict}
        datasets.quarantine(session, sample, reason)
    elif is_whole and sample.quarantine is not None and sample.quarantine["reason"] == "unreviewed":
        datasets.end_quarantine(session, sample)
