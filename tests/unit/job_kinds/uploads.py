"""Tables as uploads."""

from __future__ import annotations

import hashlib
import io

import pyarrow as pa
import pyarrow.csv as pacsv

from understudy import ids
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.datasets import ArrivedFile, NewDataset, upload_tables


def upload_table(resources: Resources, caller: Caller, table: pa.Table) -> str:
    """Upload a table as CSV and return the dataset's id; its job has not run yet."""
    sink = io.BytesIO()
    pacsv.write_csv(table, sink)
    source = resources.staging_folder / f"{ids.new_id()}.csv"
    source.write_bytes(sink.getvalue())
    sha256 = hashlib.sha256(sink.getvalue()).digest()
    file = ArrivedFile("table", "csv", source, sha256, len(sink.getvalue()))
    dataset, _ = upload_tables(resources, caller.project_id, NewDataset("table", {}), [file])
    return ids.to_text("dataset", dataset.id)
