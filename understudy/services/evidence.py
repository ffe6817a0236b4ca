"""Evidence packs of reports, signed with the project's key."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from understudy import ids
from understudy.db import artifacts, reports
from understudy.errors import NotFound
from understudy.evaluation.evidence.keys import derived_key, key_id, public_text
from understudy.evaluation.evidence.pack import EVIDENCE, REPORT_HTML, REPORT_JSON, write_pack
from understudy.resources import Resources
from understudy.services.artifacts import open_artifact

ROLES = {REPORT_JSON: "report_json", REPORT_HTML: "report_html", EVIDENCE: "evidence"}


def signing_key(resources: Resources, project_id: UUID) -> Ed25519PrivateKey:
    """Return the project's private key, which changes only if the installation's secret key changes."""
    return derived_key(resources.secret_key, project_id.bytes)


@dataclass(frozen=True)
class PublicKey:
    """The public key of a project, which recipients use to verify evidence packs."""

    key_id: str
    text: str


def public_key(resources: Resources, project_id: UUID) -> PublicKey:
    """Return the project's public key."""
    key = signing_key(resources, project_id).public_key()
    return PublicKey(key_id=key_id(key), text=public_text(key))


def pack_report(resources: Resources, project_id: UUID, report_id: UUID) -> bytes:
    """Return the evidence pack of a report. The same report always gives the same bytes.

    Raises
    ------
    NotFound
        If the report does not exist, or was created by a version that did not store evidence.
    """
    with resources.sessions() as session:
        report = reports.get(session, project_id, report_id)
        artifact_by_name = {
            name: artifacts.find(session, project_id, report.job_id, role) for name, role in ROLES.items()
        }
    files = {}
    for name, artifact in artifact_by_name.items():
        if artifact is None:
            raise NotFound(
                f"Report {ids.to_text('report', report_id)} was created by a version of Understudy that "
                "did not store evidence. Run the evaluation again."
            )
        with open_artifact(resources, artifact) as file:
            files[name] = file.read()
    facts = {
        "report_id": ids.to_text("report", report.id),
        "project_id": ids.to_text("project", project_id),
        "created_at": report.created_at.isoformat(),
    }
    return write_pack(files, signing_key(resources, project_id), facts)
