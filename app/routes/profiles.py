"""Profiles of datasets: what their columns hold, in numbers."""

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
    summary="See what the columns of a dataset hold",
    responses=problems(403, 404, 409, 422),
)
def get_profile(
    resources: ResourcesDep,
    caller: ReaderDep,
    reference: TableReferenceDep,
    exact: Annotated[
        bool, Query(description="Show real extremes and rare values, too: asks for the scope `read_real`.")
    ] = False,
) -> DatasetProfile:
    """Return counts, quantiles, frequent values and histograms of the columns, under the present schema.

    Without `exact` they are protected as synthetic rows are: nothing is shown that fewer than `protection.k`
    rows or subjects speak for, and no value of columns that are generated. Of more than 200,000 rows a part
    is read, spread over the table: `n_rows_read` says how many.
    """
    found = profiles.profile_dataset(resources, caller, reference, is_exact=exact)
    return DatasetProfile.model_validate(found)
