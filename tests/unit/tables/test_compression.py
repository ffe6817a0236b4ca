"""Tests for gzip and zstd compression of files in any format."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats import FORMATS, Format, ReadLimits, format_for_path, read_table, write_table

_SCHEMA = pa.schema([pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.string(), nullable=False)])
_TABLE = pa.table({"a": list(range(1_000)), "b": ["some text"] * 1_000}, schema=_SCHEMA)
_CSV = b"a,b\n" + b"1,x\n" * 1_000

formats = pytest.mark.parametrize("format_", FORMATS.values(), ids=lambda format_: format_.name)


def _zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, _CSV)
    return buffer.getvalue()


def _zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return packed


def _file(tmp_path: Path, data: bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


@formats
@pytest.mark.parametrize("compress", [gzip.compress, _zstd], ids=["gzip", "zstd"])
def test_compressed_file_is_read_like_the_uncompressed_file(format_: Format, compress, tmp_path: Path):
    plain = tmp_path / f"t{format_.suffixes[0]}"
    format_.write(plain, _TABLE.to_batches(), _TABLE.schema)
    packed = _file(tmp_path, compress(plain.read_bytes()), "upload")
    assert format_.read(packed).equals(_TABLE)


@formats
@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_suffixes_select_format_and_codec(format_: Format, suffix: str, tmp_path: Path):
    path = tmp_path / f"t{format_.suffixes[0]}{suffix}"
    assert write_table(path, _TABLE.to_batches(), _TABLE.schema) == 1_000
    assert path.read_bytes().startswith({".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}[suffix])
    assert list(tmp_path.iterdir()) == [path]
    assert read_table(path).equals(_TABLE)


@pytest.mark.parametrize(("name", "format_name"), [("x.CSV.GZ", "csv"), ("x.y.ndjson.zst", "jsonl")])
def test_format_is_determined_by_the_suffix_before_the_codec_suffix(name: str, format_name: str):
    assert format_for_path(Path(name)) is FORMATS[format_name]


@pytest.mark.parametrize("name", ["x.gz", "x.csv.xz", ".csv.gz", "x.gz.csv.gz.gz"])
def test_codec_suffix_without_a_format_suffix_is_an_error(name: str):
    with pytest.raises(InvalidInput) as caught:
        format_for_path(Path(name))
    assert caught.value.code == "unknown_format"


@pytest.mark.parametrize("name", ["t.csv.bz2", "t.csv.zip", "t.zip"])
def test_bzip2_files_and_single_file_archives_are_read(tmp_path: Path, name: str):
    data = bz2.compress(_CSV) if name.endswith("bz2") else _zip("folder/t.csv", "__MACOSX/._t.csv")
    (tmp_path / name).write_bytes(data)
    table = read_table(tmp_path / name)
    assert table.num_rows == _CSV.count(b"\n") - 1
    again = tmp_path / f"again.csv{Path(name).suffix}"
    write_table(again, table.to_batches(), table.schema)
    assert read_table(again).equals(table)


@pytest.mark.parametrize("compress", [gzip.compress, _zstd], ids=["gzip", "zstd"])
def test_all_members_of_a_compressed_file_are_decompressed(compress, tmp_path: Path):
    parts = [b"a,b\n", b"", b"1,x\n" * 50_000, b"", b"2,y\n"]
    packed = _file(tmp_path, b"".join(compress(part) for part in parts))
    assert read_table(packed).num_rows == 50_001


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(_CSV)[:-1],
        gzip.compress(_CSV)[:20],
        gzip.compress(_CSV)[:-8] + bytes(8),
        gzip.compress(_CSV) + b"a,b",
        gzip.compress(_CSV) + bytes(10),
        _zstd(_CSV)[:-1],
        _zstd(_CSV) + b"a,b",
        _zstd(_CSV)[:4] + b"\xff" * 8 + _zstd(_CSV)[12:],
        gzip.compress(gzip.compress(_CSV)),
        _zstd(gzip.compress(_CSV)),
        gzip.compress(_zstd(_CSV)),
        gzip.compress(bz2.compress(_CSV)),
        lzma.compress(_CSV),
        bz2.compress(_CSV)[:-1],
        _zip("t.csv")[:-30],
        _zip("a.csv", "b.csv"),
        gzip.compress(_zip("t.csv")),
        pa.compress(_CSV, codec="lz4", asbytes=True),
        b"\x1f\x8b",
        b"\x28\xb5\x2f\xfd",
    ],
    ids=range(20),
)
@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
def test_damaged_or_nested_compression_is_an_error(data: bytes, name: str, tmp_path: Path):
    with pytest.raises(InvalidInput) as caught:
        FORMATS[name].ingest(_file(tmp_path, data), tmp_path / "table.parquet", ReadLimits())
    assert caught.value.code == "unreadable_file"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize("data", [gzip.compress(b""), _zstd(b"")], ids=["gzip", "zstd"])
def test_compressed_empty_file_is_reported_as_empty(data: bytes, tmp_path: Path):
    with pytest.raises(InvalidInput) as caught:
        read_table(_file(tmp_path, data))
    assert caught.value.code == "empty_file"


@pytest.mark.parametrize("compress", [gzip.compress, _zstd], ids=["gzip", "zstd"])
def test_decompression_bomb_is_stopped_early(compress, tmp_path: Path):
    bomb = _file(tmp_path, compress(b"a,b\n" + b"1,2\n" * 40_000_000))
    with pytest.raises(TooLarge, match="100 times"):
        read_table(bomb)


def test_error_contains_the_absolute_limit_on_the_decompressed_size(tmp_path: Path):
    with pytest.raises(TooLarge, match="1,000 bytes"):
        read_table(_file(tmp_path, gzip.compress(_CSV)), limits=ReadLimits(decompressed_bytes_max=1_000))
