"""Route for dataset profiles, which contain column statistics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.bodies.profiles import DatasetProfile
from app.dependencies import ReaderDep, ResourcesDep, TableReferenceDep
from app.document import problems
from understudy.services import profiles

router = APIRouter(prefix="/v1/datasets/{dataset_id}/profile", tags=["datasets"])


@router.get(
    "",
    response_model_exclude_none=True,
    summary="Get the profile of a dataset",
    responses=problems(403, 404, 409, 422, 507),
)
def get_profile(
    resources: ResourcesDep,
    caller: ReaderDep,
    reference: TableReferenceDep,
    exact: Annotated[
        bool,
        Query(
            description="Whether to return exact statistics, including extreme and rare real values. Requires"
            " the scope `read_real`."
        ),
    ] = False,
) -> DatasetProfile:
    """Return counts, quantiles, frequent values and histograms of the columns under the current schema.

    By default, the statistics have the same privacy protection as synthetic rows: each returned value is
    supported by at least `protection.k` rows or subjects, and columns of generated kinds have no values. If
    the table has more than 200,000 rows, the statistics are computed from a subset of rows spread across the
    table.
    """
    profile = profiles.profile_dataset(resources, caller, reference, is_exact=exact)
    return DatasetProfile.model_validate(profile)
