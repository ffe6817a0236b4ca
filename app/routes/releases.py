"""Route for releasing a sample from quarantine."""

from __future__ import annotations

from fastapi import APIRouter

from app.bodies.datasets import Dataset
from app.bodies.quarantine import ReleaseDataset
from app.dependencies import AdministratorDep, IdempotencyKeyDep, ResourcesDep
from app.document import problems
from app.idempotency import IdempotentRoute
from app.routes.datasets import dataset_body
from understudy import ids
from understudy.services.datasets import release_dataset as release

router = APIRouter(prefix="/v1/datasets/{dataset_id}/release", tags=["datasets"], route_class=IdempotentRoute)


@router.post(
    "",
    response_model_exclude_none=True,
    summary="Release a sample from quarantine",
    responses=problems(404, 409, 413, 422),
)
def release_dataset(
    dataset_id: str,
    reason: ReleaseDataset,
    resources: ResourcesDep,
    caller: AdministratorDep,
    key: IdempotencyKeyDep,
) -> Dataset:
    """Release a sample from quarantine and store the reason. Requires the scope `admin`."""
    row = release(resources, caller, ids.from_text("dataset", dataset_id), reason.reason)
    return dataset_body(resources, row)
