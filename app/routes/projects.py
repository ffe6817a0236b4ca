"""Routes for managing all projects in the installation. Only the operator can use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from app import paging
from app.bodies.api_keys import CreateApiKey, NewApiKey
from app.bodies.projects import CreateProject, ManagedProject, ManagedProjectPage, UpdateManagedProject
from app.conditions import Precondition, PreconditionDep, etag_of
from app.dependencies import ConfirmationName, OperatorDep, PageDep, ResourcesDep
from app.document import merge_patch_body, problems
from app.idempotency import IdempotentRoute
from app.routes.api_keys import new_key_body
from understudy import ids
from understudy.db import projects
from understudy.services import api_keys, deletion
from understudy.services import projects as project_services
from understudy.services.api_keys import KeyRequest

if TYPE_CHECKING:
    from understudy.db import orm
    from understudy.services.checks import Check

router = APIRouter(prefix="/v1/projects", tags=["projects"], route_class=IdempotentRoute)


@router.post(
    "",
    status_code=201,
    response_model_exclude_none=True,
    summary="Create a project",
    responses=problems(413, 422),
)
def create_project(
    new: CreateProject, resources: ResourcesDep, caller: OperatorDep, response: Response
) -> ManagedProject:
    """Create a project without keys. Requires the scope `operator`.

    Create its first key with `POST /v1/projects/{project_id}/api-keys`.
    """
    row = project_services.create_project(resources, new.name, new.running_jobs_max)
    body = ManagedProject.of(row)
    response.headers["Location"] = f"/v1/projects/{body.id}"
    return body


@router.get("", response_model_exclude_none=True, summary="List projects", responses=problems(422))
def list_projects(resources: ResourcesDep, caller: OperatorDep, page: PageDep) -> ManagedProjectPage:
    """Return the projects of the installation, newest first. Requires the scope `operator`."""
    after = paging.read_id_cursor("project", page.after)
    with resources.sessions() as session:
        found = projects.page(session, after=after, limit=page.limit)
    return ManagedProjectPage(
        data=[ManagedProject.of(row) for row in found.rows],
        has_more=found.next is not None,
        next=paging.write_id_cursor("project", found.next),
    )


@router.get(
    "/{project_id}", response_model_exclude_none=True, summary="Get a project", responses=problems(404)
)
def get_managed_project(project_id: str, resources: ResourcesDep, caller: OperatorDep) -> ManagedProject:
    """Return a project. Requires the scope `operator`."""
    with resources.sessions() as session:
        return ManagedProject.of(projects.get_active(session, ids.from_text("project", project_id)))


@router.patch(
    "/{project_id}",
    response_model_exclude_none=True,
    summary="Change a project",
    openapi_extra=merge_patch_body("UpdateManagedProject"),
    responses=problems(404, 412, 413, 415, 422),
)
def update_managed_project(
    project_id: str,
    change: UpdateManagedProject,
    resources: ResourcesDep,
    caller: OperatorDep,
    precondition: PreconditionDep,
) -> ManagedProject:
    """Change the name of a project or its limit on running jobs. Requires the scope `operator`.

    If `running_jobs_max` is null, the limit of the installation applies.
    """
    changes = change.model_dump(exclude_unset=True)
    key = ids.from_text("project", project_id)
    row = project_services.manage_project(resources, key, changes, check=_check(precondition))
    return ManagedProject.of(row)


@router.delete(
    "/{project_id}", status_code=204, summary="Delete a project", responses=problems(404, 409, 412, 422)
)
def delete_managed_project(
    project_id: str,
    resources: ResourcesDep,
    caller: OperatorDep,
    precondition: PreconditionDep,
    name: ConfirmationName,
) -> Response:
    """Delete all of a project's data and revoke all of its API keys. Requires the scope `operator`.

    Running jobs are cancelled. The deletion cannot be undone.
    """
    key = ids.from_text("project", project_id)
    deletion.delete_project(resources, key, name, check=_check(precondition))
    return Response(status_code=204)


@router.post(
    "/{project_id}/api-keys",
    status_code=201,
    response_model_exclude_none=True,
    summary="Create an API key for a project",
    responses=problems(404, 413, 422),
)
def create_project_api_key(
    project_id: str, new: CreateApiKey, resources: ResourcesDep, caller: OperatorDep, response: Response
) -> NewApiKey:
    """Create a key for any project. Only this response contains the key. Requires the scope `operator`."""
    request = KeyRequest(new.name, new.scopes, new.expires_at)
    key = ids.from_text("project", project_id)
    return new_key_body(*api_keys.grant_api_key(resources, caller, request, project_id=key), response)


def _check(precondition: Precondition) -> Check[orm.Project]:
    return lambda _, row: precondition.check(lambda: etag_of(ManagedProject.of(row)))
