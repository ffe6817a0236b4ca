"""Helpers that upload tables."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.csv as pacsv

from tests.rows import upload_csv
from understudy import ids
from understudy.resources import Resources
from understudy.services.api_keys import Caller


def upload_table(resources: Resources, caller: Caller, table: pa.Table) -> str:
    """Upload a table as CSV and return the ID of the pending dataset."""
    sink = io.BytesIO()
    pacsv.write_csv(table, sink)
    dataset, _ = upload_csv(resources, caller.project_id, sink.getvalue())
    return ids.to_text("dataset", dataset.id)
