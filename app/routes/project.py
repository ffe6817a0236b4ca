"""Routes for the caller's project: policy, gate and the key that signs evidence packs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from app.bodies.catalogues import PolicyCatalogue
from app.bodies.projects import Project, SigningKey, UpdateProject
from app.conditions import Precondition, PreconditionDep, etag_of
from app.dependencies import AdministratorDep, ConfirmationName, ReaderDep, ResourcesDep
from app.document import merge_patch_body, problems
from understudy import ids
from understudy.db import projects
from understudy.job_kinds.gate import project_policy
from understudy.parameters.policy import POLICIES
from understudy.resources import Resources
from understudy.services import deletion
from understudy.services.projects import change_project

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db import orm
    from understudy.services.api_keys import Caller
    from understudy.services.checks import Check

router = APIRouter(prefix="/v1", tags=["project"])


@router.get("/policies", summary="List predefined policies")
async def list_policies(caller: ReaderDep) -> PolicyCatalogue:
    """Return the predefined policies with their thresholds. Every project can use them by name."""
    return PolicyCatalogue(data=list(POLICIES.values()))


@router.get("/project", summary="Get your project")
def get_project(resources: ResourcesDep, caller: ReaderDep) -> Project:
    """Return the project of the API key: its policy, its gate, and the public key for its evidence packs."""
    return _project(resources, caller)


@router.patch(
    "/project",
    summary="Update your project",
    openapi_extra=merge_patch_body("UpdateProject"),
    responses=problems(412, 413, 415, 422),
)
def update_project(
    change: UpdateProject, resources: ResourcesDep, caller: AdministratorDep, precondition: PreconditionDep
) -> Project:
    """Change the policy of the project, the gate, or both. Requires the scope `admin`.

    The change applies to future reports. Datasets in quarantine stay there, and released datasets stay
    released.
    """
    change_project(
        resources,
        caller.project_id,
        policy=change.policy,
        gate=change.gate,
        check=_check(resources, precondition),
    )
    return _project(resources, caller)


@router.delete("/project", status_code=204, summary="Delete your project", responses=problems(409, 412, 422))
def delete_project(
    resources: ResourcesDep,
    caller: AdministratorDep,
    precondition: PreconditionDep,
    name: ConfirmationName,
) -> Response:
    """Delete all data of the project, and revoke all of its API keys. Requires the scope `admin`.

    Running jobs are cancelled. The deletion cannot be undone.
    """
    deletion.delete_project(resources, caller.project_id, name, check=_check(resources, precondition))
    return Response(status_code=204)


def _check(resources: Resources, precondition: Precondition) -> Check[orm.Project]:
    return lambda session, row: precondition.check(lambda: etag_of(_body(resources, session, row)))


def _project(resources: Resources, caller: Caller) -> Project:
    with resources.sessions() as session:
        return _body(resources, session, projects.get(session, caller.project_id))


def _body(resources: Resources, session: Session, row: orm.Project) -> Project:
    # This import is local because few requests need cryptography, which takes 10 MB in each API process.
    from understudy.services.evidence import public_key

    key = public_key(resources, row.id)
    return Project(
        id=ids.to_text("project", row.id),
        name=row.name,
        policy=project_policy(session, row.id),
        gate=row.gate,
        signing_key=SigningKey(algorithm="Ed25519", key_id=key.key_id, public_key=key.text),
        created_at=row.created_at,
    )
