"""Dependencies of the routes: open resources, the caller, the requested page and filters."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime, Field

from understudy import ids
from understudy.access import TableReference
from understudy.db.pages import CreatedBetween
from understudy.errors import InvalidInput
from understudy.parameters.base import NAME_LENGTH_MAX, NO_CONTROL_CHARACTERS
from understudy.parameters.read_options import ReadOptions
from understudy.resources import Resources
from understudy.services.api_keys import OPERATOR, Caller


# These functions are coroutines, although they await nothing, because FastAPI runs plain functions in the
# thread pool.
async def _resources(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


async def _reader(request: Request) -> Caller:
    caller: Caller = request.state.caller
    caller.require("read")
    return caller


async def _writer(request: Request) -> Caller:
    caller: Caller = request.state.caller
    caller.require("write")
    return caller


async def _administrator(request: Request) -> Caller:
    caller: Caller = request.state.caller
    caller.require("admin")
    return caller


async def _operator(request: Request) -> Caller:
    caller: Caller = request.state.caller
    caller.require(OPERATOR)
    return caller


ResourcesDep = Annotated[Resources, Depends(_resources)]
ReaderDep = Annotated[Caller, Depends(_reader)]
WriterDep = Annotated[Caller, Depends(_writer)]
AdministratorDep = Annotated[Caller, Depends(_administrator)]
OperatorDep = Annotated[Caller, Depends(_operator)]


async def _idempotency_key(request: Request) -> str | None:
    return request.headers.get("Idempotency-Key")


# `app.document` declares the header for every POST and `app.idempotency` checks it.
IdempotencyKeyDep = Annotated[str | None, Depends(_idempotency_key)]


@dataclass(frozen=True)
class PageRequest:
    """The requested page of a list: its maximum length, and the cursor after which it starts."""

    limit: int
    after: str | None


async def _page(
    limit: Annotated[int, Query(ge=1, le=200, description="Maximum number of items on the page.")] = 50,
    after: Annotated[
        str | None, Query(max_length=255, description="The `next` cursor of the previous page.")
    ] = None,
) -> PageRequest:
    return PageRequest(limit, after)


TableName = Annotated[
    str | None,
    Field(
        max_length=255,
        description="Name of the table. Required if the dataset has several tables.",
        examples=["orders"],
    ),
]


async def _table_reference(dataset_id: str, table: Annotated[TableName, Query()] = None) -> TableReference:
    return TableReference(ids.from_text("dataset", dataset_id), table)


# Declare this dependency after the caller, so that a missing scope is reported before the ID is checked.
TableReferenceDep = Annotated[TableReference, Depends(_table_reference)]

ConfirmationName = Annotated[
    str, Query(max_length=NAME_LENGTH_MAX, description="Name of the project, to confirm the deletion.")
]

PageDep = Annotated[PageRequest, Depends(_page)]


async def _created(
    created_after: Annotated[
        AwareDatetime | None,
        Query(description="Return only items that were created at this time or later (RFC 3339)."),
    ] = None,
    created_before: Annotated[
        AwareDatetime | None,
        Query(description="Return only items that were created before this time (RFC 3339)."),
    ] = None,
) -> CreatedBetween:
    return CreatedBetween(created_after, created_before)


CreatedDep = Annotated[CreatedBetween, Depends(_created)]

LabelText = Annotated[str, Query(max_length=320, pattern=NO_CONTROL_CHARACTERS)]


async def _labels(
    label: Annotated[
        list[LabelText] | None,
        Query(
            max_length=16,
            description="Return only items with this label, written as `key:value`. Repeat the parameter to "
            "require up to 16 labels.",
            examples=[["team:ops"]],
        ),
    ] = None,
) -> dict[str, str]:
    labels = {}
    for text in label or []:
        key, colon, value = text.partition(":")
        if not key or not colon:
            remedy = "Write a key before the colon." if colon else "Separate key and value with a colon."
            raise InvalidInput(
                f"The label {text!r} does not have the form key:value. {remedy}", code="invalid_parameters"
            )
        labels[key] = value
    return labels


LabelsDep = Annotated[dict[str, str], Depends(_labels)]


@dataclass(frozen=True)
class ListRequest:
    """The requested page of a list, and the filters that all labeled resources have."""

    page: PageRequest
    labels: dict[str, str]
    created: CreatedBetween


async def _list(page: PageDep, labels: LabelsDep, created: CreatedDep) -> ListRequest:
    return ListRequest(page, labels, created)


ListDep = Annotated[ListRequest, Depends(_list)]


async def _read_options(**options: str | None) -> dict[str, str]:
    return {name: text for name, text in options.items() if text is not None}


# FastAPI reads the signature, so this assignment declares one query parameter for each read option.
_read_options.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[str | None, Query(max_length=1_500, description=field.description)],
        )
        for name, field in ReadOptions.model_fields.items()
    ]
)

ReadOptionsDep = Annotated[dict[str, str], Depends(_read_options)]
