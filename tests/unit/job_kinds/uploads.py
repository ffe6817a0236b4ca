"""Tables as uploads."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.csv as pacsv

from tests.rows import arrived
from understudy import ids
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.datasets import upload_dataset


def upload_table(resources: Resources, caller: Caller, table: pa.Table) -> str:
    """Upload a table as CSV and return the dataset's id; its job has not run yet."""
    sink = io.BytesIO()
    pacsv.write_csv(table, sink)
    dataset, _ = upload_dataset(resources, caller.project_id, arrived(resources, sink.getvalue()))
    return ids.to_text("dataset", dataset.id)
