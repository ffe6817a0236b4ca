"""The gate of a project: whether a sample may be had, by what a report says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from understudy import ids
from understudy.db import datasets, projects
from understudy.parameters.base import Json
from understudy.parameters.policy import POLICIES, Policy

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db.orm import Dataset, Report

UNREVIEWED: Json = {
    "reason": "unreviewed",
    "sentence": "No report has looked at these rows yet. Ask for a job of kind `evaluate`, with the dataset "
    "that the model was trained on and without another holdout.",
}


def project_policy(session: Session, project_id: UUID) -> Policy:
    """Return the policy that the samples of a project are judged by."""
    said = projects.get(session, project_id).policy
    return POLICIES["standard"] if said is None else Policy.model_validate(said)


def hold_unreviewed(session: Session, dataset: Dataset) -> None:
    """Put a sample in quarantine that has just been made, if its project lets none out without a report."""
    if projects.get(session, dataset.project_id).gate == "until_reviewed":
        datasets.quarantine(session, dataset, UNREVIEWED)


def apply_verdict(
    session: Session, sample: Dataset, report: Report, verdict: Json, *, is_whole: bool
) -> None:
    """Put a sample in quarantine that fails its project's policy, or let it out if it waited for this report.

    Parameters
    ----------
    verdict : Json
        By the project's policy, whatever the report was asked to judge by.
    is_whole : bool
        Whether the report looked at what the model had learnt from and its own holdout, and no subject was in
        both: another one may put a sample in quarantine, but not let it out.
    """
    if projects.get(session, sample.project_id).gate == "off" or sample.released_at is not None:
        return
    if verdict["outcome"] == "fail":
        why = {"reason": "failed", "report_id": ids.to_text("report", report.id), **verdict}
        datasets.quarantine(session, sample, why)
    elif is_whole and sample.quarantine is not None and sample.quarantine["reason"] == "unreviewed":
        datasets.end_quarantine(session, sample)
