"""Route for live rows, which are sampled while they are sent."""

from __future__ import annotations

from threading import Event
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.accept import preferred
from app.conditions import is_unchanged, json_etag
from app.content import not_modified
from app.dependencies import ReaderDep, ResourcesDep
from app.document import problems
from app.downloads import Chunks, LiveDownload
from app.head_requests import is_head
from understudy.parameters.live_rows import LIVE_MEDIA_TYPES, LiveFormat
from understudy.parameters.sample import SampleParameters
from understudy.resources import CODE_VERSION
from understudy.services import live_rows
from understudy.services.live_rows import LiveRows
from understudy.services.live_sampler import Sampler

router = APIRouter(prefix="/v1/models/{model_id}/rows", tags=["models"])

FILE = {"schema": {"type": "string", "format": "binary"}}
FORMAT_OF_TYPE: dict[str, LiveFormat] = {media_type: name for name, media_type in LIVE_MEDIA_TYPES.items()}
SEED_HEADER = "Understudy-Seed"


class LiveRowsQuery(BaseModel):
    """Query parameters of live rows."""

    n: Annotated[int, Field(ge=1, lt=2**62, description="Number of rows.")] = 1_000
    offset: Annotated[int, Field(ge=0, lt=2**62, description="Number of rows to skip.")] = 0
    seed: Annotated[
        int | None,
        Field(ge=0, lt=2**63, description="Seed of the rows. Chosen by the service if omitted."),
    ] = None
    format: Annotated[
        LiveFormat | None,
        Field(description="Format of the rows. By default, the header `Accept` selects the format."),
    ] = None


@router.get(
    "",
    response_class=Response,
    summary="Sample live rows",
    responses={
        200: {
            "description": "The rows are sent while they are sampled.",
            "content": dict.fromkeys(LIVE_MEDIA_TYPES.values(), FILE),
            "headers": {
                SEED_HEADER: {
                    "description": "Seed of the rows.",
                    "schema": {"type": "integer"},
                }
            },
        },
        **problems(404, 406, 409, 422, 429, 507),
    },
)
def sample_rows(
    model_id: str,
    resources: ResourcesDep,
    caller: ReaderDep,
    request: Request,
    query: Annotated[LiveRowsQuery, Query()],
) -> Response:
    """Return synthetic rows without creating a job.

    A `sample` job with the same seed would store the same rows.

    The formats are JSON Lines (`jsonl`, the default), CSV and an Arrow stream (`arrow`). After an error, the
    connection is closed before the response is complete. The request fails with 409 if the project's gate is
    `until_reviewed`, or if a sample of the model is in quarantine.
    """
    live_format = (
        query.format or FORMAT_OF_TYPE[preferred(request.headers.get("accept"), tuple(FORMAT_OF_TYPE))]
    )
    wanted = SampleParameters(
        kind="sample", model_id=model_id, n_rows=query.n, offset=query.offset, seed=query.seed
    )
    sampler: Sampler = request.app.state.sampler
    sampler.check_walls(resources.settings)
    rows = live_rows.prepare(resources, caller, wanted, live_format)
    etag = _etag(rows)
    if is_unchanged(request, etag):
        return not_modified(etag)
    headers = {
        "ETag": etag,
        "Content-Type": LIVE_MEDIA_TYPES[live_format],
        SEED_HEADER: str(rows.parameters.seed),
        "Vary": "Accept",
    }
    if is_head(request):
        return Response(headers=headers)

    def open_chunks(has_left: Event) -> Chunks:
        return live_rows.stream(resources, sampler, rows, has_left)

    return LiveDownload(open_chunks, headers=headers)


def _etag(rows: LiveRows) -> str:
    """Return the ETag. The same model, parameters and version give the same bytes."""
    parameters = rows.parameters.model_dump(mode="json")
    return json_etag([CODE_VERSION, rows.file.sha256.hex(), rows.format, parameters])
