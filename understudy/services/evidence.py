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
    """Return the project's key; it changes only with the installation's secret."""
    return derived_key(resources.secret_key, project_id.bytes)


@dataclass(frozen=True)
class PublicKey:
    """What a recipient of evidence packs needs to check them."""

    key_id: str
    text: str


def public_key(resources: Resources, project_id: UUID) -> PublicKey:
    """Return the public half of the project's key."""
    key = signing_key(resources, project_id).public_key()
    return PublicKey(key_id=key_id(key), text=public_text(key))


def pack_report(resources: Resources, project_id: UUID, report_id: UUID) -> bytes:
    """Return the evidence pack of a report; the same report gives the same bytes.

    Raises
    ------
    NotFound
        If there is no such report, or it was made before there was evidence.
    """
    with resources.sessions() as session:
        report = reports.get(session, project_id, report_id)
        found = {
            name: artifacts.find(session, project_id, report.job_id, role) for name, role in ROLES.items()
        }
    files = {}
    for name, artifact in found.items():
        if artifact is None:
            raise NotFound(
                f"Report {ids.to_text('report', report_id)} was made by a version that kept no evidence. "
                "Evaluate again."
            )
        with open_artifact(resources, artifact) as file:
            files[name] = file.read()
    facts = {
        "report_id": ids.to_text("report", report.id),
        "project_id": ids.to_text("project", project_id),
        "created_at": report.created_at.isoformat(),
    }
    return write_pack(files, signing_key(resources, project_id), facts)
