"""Profiles of tables, either exact or protected."""

from __future__ import annotations

from threading import Semaphore
from typing import Any

from understudy.access import TableReference
from understudy.resources import Resources
from understudy.services.access import open_file
from understudy.services.api_keys import Caller
from understudy.services.artifacts import local_table, scratch_folder
from understudy.tables.profile import profile_table
from understudy.tables.schema import TableSchema

# Profiles need a lot of CPU time, so only one profile is computed at a time while the process handles other
# requests.
_AT_ONCE = Semaphore(1)


def profile_dataset(
    resources: Resources, caller: Caller, reference: TableReference, *, is_exact: bool
) -> dict[str, Any]:
    """Return the profile of a table under its current schema.

    Raises
    ------
    NotFound, Forbidden, Conflict, InvalidInput
        Under the same conditions as `access.open_table`. The scope `read_real` is required only for exact
        profiles.
    """
    opened = open_file(resources, caller, reference, "see_values" if is_exact else "see")
    schema = TableSchema.model_validate(opened.table.facts.table_schema)
    with (
        _AT_ONCE,
        scratch_folder(resources, "profile-") as scratch,
        local_table(resources, opened.parts, scratch) as path,
    ):
        return profile_table(path, schema, is_protected=not is_exact)
