"""Tests for reading and writing Arrow files and streams."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pytest

from understudy.tables.formats import FORMATS, read_table
from understudy.tables.formats.arrow.writing import arrow_stream_chunks

_TABLE = pa.table({"a": [1, None, 3] * 1_000, "word": ["x", "yy", None] * 1_000})


def _stream(path: Path, *batches: pa.RecordBatch, compression: str | None = None) -> Path:
    options = pa.ipc.IpcWriteOptions(compression=compression, emit_dictionary_deltas=True)
    with pa.ipc.new_stream(str(path), batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return path


def _words(*words: str) -> pa.RecordBatch:
    return pa.record_batch({"word": pa.array(words).dictionary_encode()})


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_streams_are_read_like_files(tmp_path: Path, compression: str | None):
    path = _stream(tmp_path / "t.arrows", *_TABLE.to_batches(max_chunksize=700), compression=compression)
    assert read_table(path).equals(_TABLE)
    path.rename(tmp_path / "t.feather")
    assert read_table(tmp_path / "t.feather").equals(_TABLE)


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_feather_files_are_read_and_written(tmp_path: Path, compression: str):
    pyarrow.feather.write_feather(_TABLE, str(tmp_path / "t.feather"), compression=compression)
    assert read_table(tmp_path / "t.feather").equals(_TABLE)
    FORMATS["arrow"].write(tmp_path / "own.feather", _TABLE.to_batches(), _TABLE.schema)
    assert pyarrow.feather.read_table(str(tmp_path / "own.feather")).equals(_TABLE)


def test_stream_without_an_end_marker_is_read_completely(tmp_path: Path):
    path = _stream(tmp_path / "t.arrows", *_TABLE.to_batches())
    path.write_bytes(path.read_bytes()[:-8])
    assert read_table(path).equals(_TABLE)


def test_dictionaries_that_grow_or_change_are_read_as_text(tmp_path: Path):
    path = _stream(tmp_path / "t.arrows", _words("x"), _words("x", "y"), _words("z"))
    assert read_table(path).equals(pa.table({"word": ["x", "x", "y", "z"]}))


@pytest.mark.parametrize(
    ("array", "type_"),
    [
        (pa.array(["x", "a text of more than twelve bytes", None], pa.string_view()), pa.string()),
        (pa.array(["x", None, "x"]).dictionary_encode(), pa.string()),
        (pa.array(["x", None, "y"], pa.string_view()).dictionary_encode(), pa.string()),
        (pa.array([5, None, 5]).dictionary_encode(), pa.int64()),
        (pa.nulls(3), pa.string()),
        (pa.array([1, None, -2], pa.decimal64(5, 2)), pa.decimal128(5, 2)),
    ],
    ids=str,
)
def test_equivalent_types_are_converted(tmp_path: Path, array: pa.Array, type_: pa.DataType):
    path = _stream(tmp_path / "t.arrows", pa.record_batch({"a": array}))
    read = read_table(path)
    assert read.schema.field("a").type == type_
    assert read.column("a").to_pylist() == array.to_pylist()


def test_non_nullable_column_stays_non_nullable(tmp_path: Path):
    schema = pa.schema([pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.timestamp("s"))])
    table = pa.table({"a": [1, 2], "b": [0, None]}, schema=schema)
    FORMATS["arrow"].write(tmp_path / "t.arrow", table.to_batches(), schema)
    assert read_table(tmp_path / "t.arrow").schema.equals(schema)


def test_large_batch_is_split(tmp_path: Path):
    rows = pa.record_batch({"a": pa.array(range(300_000))})
    reading = FORMATS["arrow"].read(_stream(tmp_path / "t.arrows", rows))
    assert max(len(chunk) for chunk in reading.column("a").chunks) <= 131_072
    assert reading.column("a").to_pylist() == list(range(300_000))


def test_file_is_written_in_pieces_and_can_be_memory_mapped():
    assert FORMATS["arrow"].chunks is not None
    pieces = list(FORMATS["arrow"].chunks(_TABLE.to_batches(max_chunksize=10), _TABLE.schema))
    assert pieces[0].startswith(b"ARROW1")
    assert pa.ipc.open_file(io.BytesIO(b"".join(pieces))).read_all().equals(_TABLE)


def test_batches_of_a_stream_are_smaller_for_wide_tables():
    # A batch contains at most a million values, but at least 256 rows.
    n_columns = 4_000
    names = [f"c{i}" for i in range(n_columns)]
    batch = pa.record_batch([pa.array(range(300), pa.int16())] * n_columns, names=names)
    chunks = b"".join(arrow_stream_chunks([batch.slice(0, 0), batch], batch.schema))
    parts = list(pa.ipc.open_stream(io.BytesIO(chunks)))
    assert [part.num_rows for part in parts] == [256, 44]
    assert pa.Table.from_batches(parts).equals(pa.Table.from_batches([batch]))
