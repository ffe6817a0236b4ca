"""Routes for the API keys in the caller's project."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, Response

from app import paging
from app.bodies.api_keys import ApiKey, ApiKeyPage, CreateApiKey, NewApiKey, RotateApiKey, UpdateApiKey
from app.conditions import Precondition, PreconditionDep, etag_of
from app.dependencies import AdministratorDep, PageDep, ResourcesDep
from app.document import merge_patch_body, problems
from app.idempotency import IdempotentRoute
from understudy import ids
from understudy.db import api_keys
from understudy.services import api_keys as key_services
from understudy.services.api_keys import KeyRequest

if TYPE_CHECKING:
    from understudy.db import orm
    from understudy.services.checks import Check

router = APIRouter(prefix="/v1/api-keys", tags=["api-keys"], route_class=IdempotentRoute)


@router.post(
    "",
    status_code=201,
    response_model_exclude_none=True,
    summary="Create an API key",
    responses=problems(413, 422),
)
def create_api_key(
    new: CreateApiKey, resources: ResourcesDep, caller: AdministratorDep, response: Response
) -> NewApiKey:
    """Create a key for the project. Only this response contains the key. Requires the scope `admin`."""
    request = KeyRequest(new.name, new.scopes, new.expires_at)
    return new_key_body(*key_services.grant_api_key(resources, caller, request), response)


@router.get("", response_model_exclude_none=True, summary="List API keys", responses=problems(422))
def list_api_keys(resources: ResourcesDep, caller: AdministratorDep, page: PageDep) -> ApiKeyPage:
    """Return the keys of the project, newest first, including expired and revoked keys.

    Requires the scope `admin`.
    """
    after = paging.read_id_cursor("api_key", page.after)
    with resources.sessions() as session:
        keys = api_keys.page(session, caller.project_id, after=after, limit=page.limit)
    return ApiKeyPage(
        data=[ApiKey.of(row) for row in keys.rows],
        has_more=keys.next is not None,
        next=paging.write_id_cursor("api_key", keys.next),
    )


@router.get(
    "/{api_key_id}", response_model_exclude_none=True, summary="Get an API key", responses=problems(404)
)
def get_api_key(api_key_id: str, resources: ResourcesDep, caller: AdministratorDep) -> ApiKey:
    """Return a key of the project without its secret. Requires the scope `admin`."""
    with resources.sessions() as session:
        return ApiKey.of(api_keys.get(session, caller.project_id, ids.from_text("api_key", api_key_id)))


@router.patch(
    "/{api_key_id}",
    response_model_exclude_none=True,
    summary="Change an API key",
    openapi_extra=merge_patch_body("UpdateApiKey"),
    responses=problems(404, 409, 412, 413, 415, 422),
)
def update_api_key(
    api_key_id: str,
    change: UpdateApiKey,
    resources: ResourcesDep,
    caller: AdministratorDep,
    precondition: PreconditionDep,
) -> ApiKey:
    """Change the name or the expiry time of a key. Requires the scope `admin`.

    If `expires_at` is null, the key is valid until it is revoked. Expired and revoked keys cannot be changed.
    """
    row = key_services.change_api_key(
        resources,
        caller,
        ids.from_text("api_key", api_key_id),
        change.model_dump(exclude_unset=True),
        check=_check(precondition),
    )
    return ApiKey.of(row)


@router.post(
    "/{api_key_id}/rotate",
    status_code=201,
    response_model_exclude_none=True,
    summary="Rotate an API key",
    responses=problems(404, 409, 413, 422),
)
def rotate_api_key(
    api_key_id: str,
    resources: ResourcesDep,
    caller: AdministratorDep,
    response: Response,
    rotation: Annotated[RotateApiKey | None, Body()] = None,
) -> NewApiKey:
    """Create a replacement for a key, with the same name and scopes. Requires the scope `admin`.

    The old key expires after `grace_seconds`, by default after an hour.
    """
    chosen = rotation or RotateApiKey()
    created = key_services.rotate_api_key(
        resources,
        caller,
        ids.from_text("api_key", api_key_id),
        grace=timedelta(seconds=chosen.grace_seconds),
        expires_at=chosen.expires_at,
    )
    return new_key_body(*created, response)


@router.delete(
    "/{api_key_id}", status_code=204, summary="Revoke an API key", responses=problems(404, 409, 412)
)
def revoke_api_key(
    api_key_id: str, resources: ResourcesDep, caller: AdministratorDep, precondition: PreconditionDep
) -> Response:
    """Revoke a key. Later requests with the key fail with 401. Requires the scope `admin`.

    A key cannot revoke itself.
    """
    key = ids.from_text("api_key", api_key_id)
    key_services.revoke_other_api_key(resources, caller, key, check=_check(precondition))
    return Response(status_code=204)


def _check(precondition: Precondition) -> Check[orm.ApiKey]:
    return lambda _, row: precondition.check(lambda: etag_of(ApiKey.of(row)))


def new_key_body(row: orm.ApiKey, key: str, response: Response) -> NewApiKey:
    """Return the response body of a new key, and set the header `Location`."""
    body = NewApiKey.with_secret(row, key)
    response.headers["Location"] = f"/v1/api-keys/{body.id}"
    return body
