"""Tests that the work for live rows produces the same rows and errors as a `sample` job."""

from __future__ import annotations

import io
import os
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import understudy
from tests.unit.synthesizers.entities.tables import IDENTIFIER, fitted, orders
from understudy.errors import InvalidInput
from understudy.parameters.live_rows import LIVE_PIPE
from understudy.parameters.sample import SampleParameters
from understudy.progress import no_progress
from understudy.synthesizers import blocks
from understudy.work import live_rows, sample
from understudy.work.base import Workspace


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sample in small blocks, so that a few rows span several blocks."""
    monkeypatch.setattr(live_rows, "FIRST_ROWS", 100)
    monkeypatch.setattr(blocks, "N_ROWS_BLOCK", 512)


def workspace(model: understudy.Model, folder: Path) -> Workspace:
    model.save(folder / "model")
    os.mkfifo(folder / LIVE_PIPE)
    (table,) = model.schema.tables
    context = {"schema": model.schema.model_dump(mode="json"), "roles": {table: "table_1"}, "format": "arrow"}
    return Workspace({"model": folder / "model"}, folder, context, no_progress)


def asked(n_rows: int) -> SampleParameters:
    return SampleParameters(kind="sample", model_id="mdl_1", n_rows=n_rows, offset=30, seed=4)


def test_live_rows_of_entities_equal_the_rows_of_a_job_across_blocks(tmp_path: Path):
    keys = {"order_no": IDENTIFIER, "customer_no": IDENTIFIER}
    own = workspace(fitted(orders(40, 150), keys, synthesizer="fast"), tmp_path)
    sample.work(own, asked(1_500))
    received = bytearray()
    reader = Thread(target=lambda: received.extend((tmp_path / LIVE_PIPE).read_bytes()))
    reader.start()
    result = live_rows.work(own, asked(1_500))
    reader.join()
    assert list(result.facts["n_rows"].values()) == [1_500]
    live = pa.ipc.open_stream(io.BytesIO(received)).read_all()
    assert live.equals(pq.read_table(tmp_path / sample.TABLE_FILE))


def test_shortage_of_identifiers_is_detected_before_the_first_row_is_sent(tmp_path: Path):
    n_rows = 300
    table = pd.DataFrame({"no": np.arange(n_rows, dtype=np.int16), "size": np.arange(n_rows) % 7})
    own = workspace(fitted(table, {"no": IDENTIFIER}, synthesizer="independent"), tmp_path)
    # Nobody reads the pipe, so opening it would block.
    with pytest.raises(InvalidInput, match="new identifiers") as caught:
        live_rows.work(own, asked(40_000))
    assert caught.value.code == "too_many_rows"
    with pytest.raises(InvalidInput, match="new identifiers"):
        sample.work(own, asked(40_000))
