"""What the columns of a dataset hold, for those who may see its values and those who may not."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Semaphore
from typing import Any
from uuid import UUID

from understudy.db import artifacts, dataset_tables, datasets
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.artifacts import check_may_see, open_artifact
from understudy.services.schemas import check_ready
from understudy.tables.stored_schemas import read_stored

# A profile is work for a processor, and the process answers other callers meanwhile.
_AT_ONCE = Semaphore(1)


def profile_dataset(
    resources: Resources, caller: Caller, dataset_id: UUID, *, is_exact: bool, table: str | None = None
) -> dict[str, Any]:
    """Return the profile of a dataset, or of one of its tables, under its present schema.

    Raises
    ------
    NotFound, Conflict
        If there is no such dataset, or it is not ready.
    Forbidden
        If exact values are asked for, and the caller may not see them.
    InvalidInput
        If the dataset has several tables and `table` names none of them.
    """
    # Only here is the table itself looked at; the API starts without it.
    from understudy.tables.profile import profile_table

    with resources.sessions() as session:
        row = datasets.get(session, caller.project_id, dataset_id)
        if is_exact:
            check_may_see(caller, row)
        check_ready(row.state, dataset_id)
        chosen = dataset_tables.choose(session, row, table)
        artifact = artifacts.get(session, caller.project_id, row.job_id, chosen.role)
    open_artifact(resources, artifact).close()
    (schema,) = read_stored(chosen.table_schema)[0].tables.values()
    with _AT_ONCE, TemporaryDirectory(dir=resources.staging_folder, prefix="profile-") as scratch:
        path = resources.store.local_path(artifact.storage_key, Path(scratch))
        return profile_table(path, schema, is_protected=not is_exact)
