"""Tests that column types are preserved from upload through training and sampling to download."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import get, submit, upload
from tests.tables import STORABLE_TYPES, make_values
from understudy.tables.formats import FORMATS, Format
from understudy.tables.schema import TableSchema
from understudy.tables.validation import conform

N_ROWS = 60


# For these types, text formats yield decimals of more than 18 digits, which can be stored but not fitted.
LONG_TYPES = (pa.uint64(), pa.decimal128(18, 18))
# These are the schema fields of a column, without its findings.
STORED = ("name", "kind", "arrow_type", "nullable")


def every_type(n_rows: int = N_ROWS, types: Sequence[pa.DataType] = STORABLE_TYPES) -> pa.Table:
    """Return two columns of each type: one with missing values, and one that is declared as not nullable."""
    rng = np.random.default_rng(0)
    fields, columns = [], []
    for type_ in types:
        values = (
            moments(rng, type_, n_rows)
            if pa.types.is_temporal(type_)
            else make_values(rng, type_, "few", n_rows)
        )
        holed = values.take(pa.array(np.arange(n_rows), mask=rng.random(n_rows) < 0.3))
        fields += [pa.field(f"{type_} or missing", type_), pa.field(str(type_), type_, nullable=False)]
        columns += [holed, values]
    return pa.table(columns, schema=pa.schema(fields))


def moments(rng: np.random.Generator, type_: pa.DataType, n_rows: int) -> pa.Array:
    """Return dates or timestamps from five days in 2022, or times or durations of less than 24 hours."""
    days = rng.integers(19_000, 19_005, n_rows)
    if pa.types.is_date(type_):
        return pa.array(days, pa.int32()).cast(pa.date32()).cast(type_)
    hours = rng.integers(0, 24, n_rows)
    seconds = hours * 3600 if not pa.types.is_timestamp(type_) else days * 86_400 + hours * 3600
    ticks = seconds * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[type_.unit]
    return pa.array(ticks, pa.int32() if type_.bit_width == 32 else pa.int64()).cast(type_)


def sample_of(client: TestClient, run_jobs: Callable[[], int], data: bytes, name: str) -> tuple[str, str]:
    """Upload a file, train a model, sample from it, and return the IDs of both datasets."""
    uploaded = upload(client, data, name=name)["dataset"]["id"]
    run_jobs()
    train = submit(client, kind="train", dataset_id=uploaded, synthesizer={"name": "independent"}, seed=1)
    run_jobs()
    model = get(client, f"/v1/jobs/{train['id']}")["result"]["model_id"]
    sample = submit(client, kind="sample", model_id=model, n_rows=N_ROWS, seed=1)
    run_jobs()
    return uploaded, get(client, f"/v1/jobs/{sample['id']}")["result"]["dataset_id"]


def test_every_type_survives_a_parquet_round_trip(client: TestClient, run_jobs: Callable[[], int]):
    sink = io.BytesIO()
    pq.write_table(every_type(), sink)
    uploaded, made = sample_of(client, run_jobs, sink.getvalue(), "types.parquet")
    # Both files are read in the same way, because Parquet itself has no seconds and no 64-bit dates.
    original = pq.read_schema(io.BytesIO(sink.getvalue()))
    for dataset in (uploaded, made):
        content = client.get(f"/v1/datasets/{dataset}/content").content
        assert pq.read_schema(io.BytesIO(content)).equals(original)
    kept = pq.read_table(io.BytesIO(client.get(f"/v1/datasets/{uploaded}/content").content))
    assert kept.equals(pq.read_table(io.BytesIO(sink.getvalue())))


@pytest.mark.parametrize("format_", FORMATS.values(), ids=lambda format_: format_.name)
def test_a_sample_has_the_schema_of_its_table_in_every_format(
    client: TestClient, run_jobs: Callable[[], int], format_: Format, tmp_path: Path
):
    source = tmp_path / f"types{format_.suffixes[0]}"
    table = every_type(types=[type_ for type_ in STORABLE_TYPES if type_ not in LONG_TYPES])
    format_.write(source, table.to_batches(), table.schema)
    uploaded, made = sample_of(client, run_jobs, source.read_bytes(), source.name)
    schemas = [get(client, f"/v1/datasets/{dataset}/schema")["columns"] for dataset in (uploaded, made)]
    assert [(c["name"], c["arrow_type"], c["nullable"]) for c in schemas[0]] == [
        (c["name"], c["arrow_type"], c["nullable"]) for c in schemas[1]
    ]
    for dataset in (uploaded, made):
        path = tmp_path / f"{dataset}{format_.suffixes[0]}"
        path.write_bytes(client.get(f"/v1/datasets/{dataset}/content?format={format_.name}").content)
        columns = get(client, f"/v1/datasets/{dataset}/schema")["columns"]
        schema = TableSchema(
            columns=[{name: column[name] for name in STORED if name in column} for column in columns]
        )
        read = conform(format_.read(path), schema)
        assert read.schema.equals(schema.to_arrow())
        assert read.num_rows == N_ROWS
