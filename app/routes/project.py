"""The caller's project: what its samples are judged by, and the key that signs its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from app.bodies.catalogues import PolicyCatalogue
from app.bodies.projects import Project, SigningKey, UpdateProject
from app.dependencies import AdministratorDep, ReaderDep, ResourcesDep
from app.document import problems
from understudy import ids
from understudy.db import projects
from understudy.job_kinds.gate import project_policy
from understudy.parameters.policy import POLICIES
from understudy.resources import Resources
from understudy.services.projects import change_project

if TYPE_CHECKING:
    from understudy.services.api_keys import Caller

router = APIRouter(prefix="/v1", tags=["project"])


@router.get("/policies", summary="List the policies that can be named")
async def list_policies(caller: ReaderDep) -> PolicyCatalogue:
    """Return the policies that every project knows, with their thresholds."""
    return PolicyCatalogue(data=list(POLICIES.values()))


@router.get("/project", summary="Look at your project")
def get_project(resources: ResourcesDep, caller: ReaderDep) -> Project:
    """Return the project of the API key: its policy, its gate, and the public key of its evidence packs."""
    return _project(resources, caller)


@router.patch("/project", summary="Change policy or gate", responses=problems(413, 422))
def update_project(change: UpdateProject, resources: ResourcesDep, caller: AdministratorDep) -> Project:
    """Change what samples are judged by, when they may be had, or both; needs the scope `admin`.

    It counts for reports from now on: what is in quarantine stays there, and what was let out stays out.
    """
    change_project(resources, caller.project_id, policy=change.policy, gate=change.gate)
    return _project(resources, caller)


def _project(resources: Resources, caller: Caller) -> Project:
    # Loaded here: few requests need the cryptography, which costs each process of the API 10 MB.
    from understudy.services.evidence import public_key

    with resources.sessions() as session:
        row = projects.get(session, caller.project_id)
        policy = project_policy(session, caller.project_id)
    key = public_key(resources, caller.project_id)
    return Project(
        id=ids.to_text("project", row.id),
        name=row.name,
        policy=policy,
        gate=row.gate,
        signing_key=SigningKey(algorithm="Ed25519", key_id=key.key_id, public_key=key.text),
        created_at=row.created_at,
    )
