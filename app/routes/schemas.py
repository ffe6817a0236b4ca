"""Routes for dataset schemas: read, change, and convert to and from SDV metadata."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from app.bodies.schemas import AppliedSdvMetadata, SdvMetadata, TableSchema
from app.conditions import is_unchanged, read_etags
from app.content import not_modified
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
    str | None,
    Header(
        description="ETag of the schema that the change is based on. Without it, a concurrent change may be"
        " overwritten."
    ),
]


@router.get(
    "",
    response_model=TableSchema,
    summary="Get the schema of a dataset",
    responses={
        304: {"description": "The schema has not changed: its ETag matches `If-None-Match`."},
        **problems(404, 409, 422),
    },
)
def get_schema(
    resources: ResourcesDep, caller: ReaderDep, reference: TableReferenceDep, request: Request
) -> Response:
    """Return the kind and the Arrow type of each column, with the evidence for the kind."""
    versioned = schema_services.read_schema(resources, caller, reference)
    if is_unchanged(request, _etag(versioned.version)):
        return not_modified(_etag(versioned.version))
    return _response(versioned)


async def _schema_edit(
    change: SchemaChange,
    if_match: IfMatch = None,
    validate_only: Annotated[
        bool, Query(description="Whether to validate the change without saving it.")
    ] = False,
) -> SchemaEdit:
    return SchemaEdit(change, version=_version(if_match), is_dry_run=validate_only)


@router.patch(
    "",
    response_model=TableSchema,
    summary="Change the schema of a dataset",
    openapi_extra={
        "requestBody": {"required": True, "content": {MERGE_PATCH: CHANGE, "application/json": CHANGE}}
    },
    responses=problems(404, 409, 412, 413, 415, 422, 507),
)
def update_schema(
    resources: ResourcesDep,
    caller: WriterDep,
    reference: TableReferenceDep,
    edit: Annotated[SchemaEdit, Depends(_schema_edit)],
) -> Response:
    """Change the schema of a table with a JSON Merge Patch that addresses columns by name.

    Each new type is checked against all values of its column. If some values do not fit, the error reports
    how many there are and lists their rows. The stored table does not change. Jobs that start later read the
    table with the new schema.
    """
    return _response(schema_services.update_schema(resources, caller, reference, edit))


@router.get(
    "/sdv",
    response_model=SdvMetadata,
    summary="Get the schema of a dataset as SDV metadata",
    responses=problems(404, 409),
)
def get_sdv_metadata(dataset_id: str, resources: ResourcesDep, caller: ReaderDep) -> Response:
    """Return the schema of all tables of a dataset as SDV metadata (JSON, version V1)."""
    key = ids.from_text("dataset", dataset_id)
    versioned = schema_services.read_dataset_schema(resources, caller, key)
    metadata = write_metadata(versioned.schema, versioned.findings)
    return JSONResponse(metadata, headers={"ETag": _etag(versioned.version)})


@router.put(
    "/sdv",
    response_model=AppliedSdvMetadata,
    summary="Apply SDV metadata to the schema of a dataset",
    responses=problems(404, 409, 412, 413, 422),
)
def apply_sdv_metadata(
    resources: ResourcesDep,
    caller: WriterDep,
    reference: TableReferenceDep,
    metadata: SdvMetadata,
    if_match: IfMatch = None,
) -> Response:
    """Set the kinds of columns and the subject (`sequence_key`) from SDV metadata.

    `warnings` lists the parts of the metadata that were not used.
    """
    versioned, warnings = schema_services.apply_metadata(
        resources,
        caller,
        reference,
        metadata.model_dump(mode="json", exclude_unset=True),
        version=_version(if_match),
    )
    body = {"schema": _body(versioned), "warnings": warnings}
    return JSONResponse(body, headers={"ETag": _etag(versioned.version)})


def _response(versioned: VersionedTableSchema) -> Response:
    return JSONResponse(_body(versioned), headers={"ETag": _etag(versioned.version)})


def _body(versioned: VersionedTableSchema) -> dict[str, Any]:
    body = TableSchema.of(versioned.schema, versioned.findings, versioned.table)
    return body.model_dump(mode="json", exclude_none=True)


def _etag(version: int) -> str:
    return f'"{version}"'


def _version(if_match: str | None) -> int | None:
    """Return the version in `If-Match` (RFC 9110, section 13.1.1), or None if any version is accepted."""
    if if_match is None or if_match.strip() == "*":
        return None
    etags = read_etags(if_match) or frozenset()
    if len(etags) == 1 and (match := re.fullmatch(r'"(\d{1,9})"', min(etags))):
        return int(match[1])
    raise PreconditionFailed(
        "If-Match does not contain a version of this schema. Set it to the ETag that "
        "`GET /v1/datasets/{dataset_id}/schema` returned."
    )
