"""Schemas of datasets: what their columns mean, read and changed."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from app.bodies.schemas import AppliedSdvMetadata, SdvMetadata, TableSchema
from app.content import is_unchanged, not_modified
from app.dependencies import ReaderDep, ResourcesDep, TableReferenceDep, WriterDep
from app.document import problems
from understudy import ids
from understudy.errors import PreconditionFailed
from understudy.services import schemas as schema_services
from understudy.services.schemas import SchemaEdit, VersionedTableSchema
from understudy.tables.schema_changes import SchemaChange
from understudy.tables.sdv_metadata import write_metadata

router = APIRouter(prefix="/v1/datasets/{dataset_id}/schema", tags=["datasets"])

MERGE_PATCH = "application/merge-patch+json"
CHANGE = {"schema": {"$ref": "#/components/schemas/SchemaChange"}}

IfMatch = Annotated[
    str | None, Header(description="The ETag of the schema that was read; without it, changes may cross.")
]


@router.get(
    "",
    response_model=TableSchema,
    summary="Read the schema of a dataset",
    responses={304: {"description": "It is what `If-None-Match` names."}, **problems(404, 409, 422)},
)
def get_schema(
    resources: ResourcesDep, caller: ReaderDep, reference: TableReferenceDep, request: Request
) -> Response:
    """Return the kinds and exact types of the columns, with the evidence for each kind."""
    versioned = schema_services.read_schema(resources, caller, reference)
    if is_unchanged(request, _etag(versioned.version)):
        return not_modified(_etag(versioned.version))
    return _answer(versioned)


async def _schema_edit(
    change: SchemaChange,
    if_match: IfMatch = None,
    validate_only: Annotated[bool, Query(description="Change nothing, and say what would be.")] = False,
) -> SchemaEdit:
    return SchemaEdit(change, version=_version(if_match), is_dry_run=validate_only)


@router.patch(
    "",
    response_model=TableSchema,
    summary="Change the schema of a dataset",
    openapi_extra={
        "requestBody": {"required": True, "content": {MERGE_PATCH: CHANGE, "application/json": CHANGE}}
    },
    responses=problems(404, 409, 412, 413, 415, 422),
)
def update_schema(
    resources: ResourcesDep,
    caller: WriterDep,
    reference: TableReferenceDep,
    edit: Annotated[SchemaEdit, Depends(_schema_edit)],
) -> Response:
    """Change kinds, types, subject or locale by a JSON Merge Patch in which columns are addressed by name.

    Types are checked against all values of the table: what does not fit is counted, and its rows are named.
    The stored table stays as it is; jobs that begin afterwards read it under the new schema.
    """
    return _answer(schema_services.update_schema(resources, caller, reference, edit))


@router.get(
    "/sdv",
    response_model=SdvMetadata,
    summary="Read the schema of a dataset as metadata of SDV",
    responses=problems(404, 409),
)
def get_sdv_metadata(dataset_id: str, resources: ResourcesDep, caller: ReaderDep) -> Response:
    """Return the schema as SDV's metadata JSON of version V1, which holds any number of tables."""
    key = ids.from_text("dataset", dataset_id)
    versioned = schema_services.read_dataset_schema(resources, caller, key)
    metadata = write_metadata(versioned.schema, versioned.findings)
    return JSONResponse(metadata, headers={"ETag": _etag(versioned.version)})


@router.put(
    "/sdv",
    response_model=AppliedSdvMetadata,
    summary="Change the schema of a dataset to metadata of SDV",
    responses=problems(404, 409, 412, 413, 422),
)
def apply_sdv_metadata(
    resources: ResourcesDep,
    caller: WriterDep,
    reference: TableReferenceDep,
    metadata: SdvMetadata,
    if_match: IfMatch = None,
) -> Response:
    """Take kinds, and the subject (`sequence_key`), from SDV's metadata; `warnings` say what was not used."""
    versioned, warnings = schema_services.apply_metadata(
        resources,
        caller,
        reference,
        metadata.model_dump(mode="json", exclude_unset=True),
        version=_version(if_match),
    )
    body = {"schema": _body(versioned), "warnings": warnings}
    return JSONResponse(body, headers={"ETag": _etag(versioned.version)})


def _answer(versioned: VersionedTableSchema) -> Response:
    return JSONResponse(_body(versioned), headers={"ETag": _etag(versioned.version)})


def _body(versioned: VersionedTableSchema) -> dict[str, Any]:
    body = TableSchema.of(versioned.schema, versioned.findings, versioned.table)
    return body.model_dump(mode="json", exclude_none=True)


def _etag(version: int) -> str:
    return f'"{version}"'


def _version(if_match: str | None) -> int | None:
    """Return the version that `If-Match` names (RFC 9110, section 13.1.1); None for any."""
    if if_match is None or if_match.strip() == "*":
        return None
    if match := re.fullmatch(r'"(\d{1,9})"', if_match.strip()):
        return int(match[1])
    raise PreconditionFailed(
        "If-Match does not name a version of this schema. Send the ETag that GET answers."
    )
