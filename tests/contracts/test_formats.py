"""Contract tests for every file format in `FORMATS`."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from understudy.errors import InvalidInput, TooLarge
from understudy.parameters.read_options import FormatName
from understudy.tables.formats import FORMATS, Format, ReadLimits, read_table, stream_table, write_table
from understudy.tables.inference import infer_table
from understudy.tables.validation import conform

ROOT = Path(__file__).parents[2]
_MOMENT = datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC)
_FINE_MOMENT = datetime(1969, 12, 31, 23, 59, 58, 123456, tzinfo=UTC)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)

# One column for each supported type, with a missing value, extremes, and values that are difficult to write.
_VALUES: dict[pa.DataType, list[object]] = {
    pa.int8(): [-128, 127, None],
    pa.int16(): [-32768, 32767, None],
    pa.int32(): [-(2**31), 2**31 - 1, None],
    pa.int64(): [-(2**63), 2**63 - 1, None],
    pa.uint8(): [0, 255, None],
    pa.uint16(): [0, 2**16 - 1, None],
    pa.uint32(): [0, 2**32 - 1, None],
    pa.uint64(): [0, 2**64 - 1, None],
    pa.float16(): [0.5, -65504.0, None],
    pa.float32(): [0.1, -3.4e38, None],
    pa.float64(): [0.1 + 0.2, -1.7976931348623157e308, None],
    pa.bool_(): [True, False, None],
    pa.string(): ['a "quoted", text', "two\r\nlines; é 😀", None],
    pa.large_string(): ["", "NA", None],
    pa.date32(): [date(1, 1, 1), date(9999, 12, 31), None],
    pa.date64(): [date(1900, 2, 28), date(2024, 2, 29), None],
    pa.time32("s"): [time(0, 0, 0), time(23, 59, 59), None],
    pa.time32("ms"): [time(0, 0, 0), time(23, 59, 59, 999000), None],
    pa.time64("us"): [time(0, 0, 0), time(23, 59, 59, 999999), None],
    pa.time64("ns"): [1, 86_399_999_999_999, None],
    pa.timestamp("s"): [_FIRST, _MOMENT, None],
    pa.timestamp("ms"): [_FINE_MOMENT.replace(microsecond=123000), _MOMENT, None],
    pa.timestamp("us"): [_FINE_MOMENT, _LAST, None],
    pa.timestamp("ns"): [-1, 2**62 + 1, None],
    pa.timestamp("s", tz="UTC"): [_FIRST, _MOMENT, None],
    pa.timestamp("us", tz="America/New_York"): [_FINE_MOMENT, _MOMENT, None],
    pa.timestamp("ns", tz="UTC"): [-1, 2**62 + 1, None],
    pa.duration("s"): [timedelta(days=-1), timedelta(seconds=1), None],
    pa.duration("ms"): [timedelta(milliseconds=1), timedelta(days=1), None],
    pa.duration("us"): [timedelta(microseconds=1), timedelta(days=1), None],
    pa.duration("ns"): [-1, 10**15, None],
    pa.decimal128(9, 2): [Decimal("-1234567.89"), Decimal("0.10"), None],
    pa.decimal128(38, 0): [Decimal(10**37), Decimal(-1), None],
}
_KINDS_TABLE = pa.table({str(type_): pa.array(values, type_) for type_, values in _VALUES.items()})

# Text files have no end marker, so truncation at a line ending or in the last field cannot be detected.
WITHOUT_END_MARK = {"csv", "jsonl"}

formats = pytest.mark.parametrize("format_", FORMATS.values(), ids=lambda format_: format_.name)


def _write(format_: Format, folder: Path, table: pa.Table) -> Path:
    path = folder / f"table{format_.suffixes[0]}"
    assert format_.write(path, table.to_batches(), table.schema) == table.num_rows
    return path


def _mixed_table(n_rows: int) -> pa.Table:
    rng = random.Random(1)  # noqa: S311
    return pa.table(
        {
            "row": list(range(n_rows)),
            "x": [rng.gauss(0, 1) for _ in range(n_rows)],
            "word": [rng.choice(["ab", "cd", None]) for _ in range(n_rows)],
        }
    )


@formats
@pytest.mark.parametrize("name", _KINDS_TABLE.column_names)
def test_every_type_is_restored_with_its_schema(format_: Format, name: str, tmp_path: Path):
    table = _KINDS_TABLE.select([name])
    read = format_.read(_write(format_, tmp_path, table))
    assert conform(read, infer_table(table).schema).equals(table)


@formats
def test_table_of_all_types_is_restored_with_its_schema(format_: Format, tmp_path: Path):
    read = format_.read(_write(format_, tmp_path, _KINDS_TABLE))
    assert conform(read, infer_table(_KINDS_TABLE).schema).equals(_KINDS_TABLE)


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_binary_formats_preserve_every_type_without_a_schema(name: str, tmp_path: Path):
    path = _write(FORMATS[name], tmp_path, _KINDS_TABLE)
    assert read_table(path).equals(_KINDS_TABLE)


def test_parquet_preserves_which_columns_are_not_nullable(tmp_path: Path):
    schema = pa.schema([pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.string())])
    table = pa.table({"a": [1, 2], "b": ["x", "y"]}, schema=schema)
    assert read_table(_write(FORMATS["parquet"], tmp_path, table)).schema.equals(schema)


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_text_formats_preserve_types_that_the_text_shows(name: str, tmp_path: Path):
    shown = [
        *(pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.date32(), pa.time32("s"), pa.time32("ms")),
        *(pa.time64("us"), pa.time64("ns"), pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("us")),
        *(pa.timestamp("ns"), pa.timestamp("s", tz="UTC")),
    ]
    table = _KINDS_TABLE.select([str(type_) for type_ in shown])
    assert read_table(_write(FORMATS[name], tmp_path, table)).equals(table)


@formats
def test_ingest_preserves_the_row_order_and_describes_the_table(format_: Format, tmp_path: Path):
    table = _mixed_table(30_000)
    source = _write(format_, tmp_path, table)
    ingested = format_.ingest(source, tmp_path / "canonical.parquet", ReadLimits())
    assert read_table(tmp_path / "canonical.parquet").equals(format_.read(source))
    assert read_table(tmp_path / "canonical.parquet").cast(table.schema).equals(table)
    assert (ingested.n_rows, ingested.n_columns, ingested.warnings) == (30_000, 3, [])
    assert [column.kind for column in ingested.schema.columns] == ["identifier", "float", "category"]


@formats
def test_ingested_schema_equals_the_canonical_schema(format_: Format, tmp_path: Path):
    source = _write(format_, tmp_path, _KINDS_TABLE)
    ingested = format_.ingest(source, tmp_path / "canonical.parquet", ReadLimits())
    again = infer_table(read_table(tmp_path / "canonical.parquet")).schema
    assert ingested.schema.to_arrow().equals(again.to_arrow())
    assert ingested.schema.names == again.names


@formats
def test_written_bytes_do_not_depend_on_the_batches(format_: Format, tmp_path: Path):
    table = _mixed_table(10_000)
    paths = [tmp_path / f"{size}{format_.suffixes[0]}" for size in (7, 10_000)]
    for path, size in zip(paths, (7, 10_000), strict=True):
        format_.write(path, table.to_batches(max_chunksize=size), table.schema)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@formats
@pytest.mark.parametrize(
    ("limits", "code", "number"),
    [
        (ReadLimits(rows_max=99), "too_many_rows", "99"),
        (ReadLimits(columns_max=2), "too_many_columns", "2"),
        (ReadLimits(decoded_bytes_max=1_000), "too_large", "1,000"),
    ],
    ids=["rows", "columns", "bytes"],
)
def test_error_message_contains_the_exceeded_limit(
    format_: Format, limits: ReadLimits, code: str, number: str, tmp_path: Path
):
    source = _write(format_, tmp_path, _mixed_table(100))
    with pytest.raises(TooLarge, match=number) as caught:
        format_.read(source, limits=limits)
    assert caught.value.code == code


@pytest.mark.parametrize("format_", [f for f in FORMATS.values() if f.write_limits], ids=lambda f: f.name)
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "counted"])
def test_writing_more_rows_than_the_format_can_store_is_an_error(
    format_: Format, *, is_known: bool, tmp_path: Path
):
    rows_max = format_.write_limits.rows_max
    batch = pa.record_batch({"x": pa.nulls(rows_max + 1, pa.int8())})
    path = tmp_path / f"table{format_.suffixes[0]}"
    with pytest.raises(TooLarge, match=f"{rows_max:,}") as caught:
        format_.write(path, [batch], batch.schema, rows_total=batch.num_rows if is_known else None)
    assert caught.value.code == "too_many_rows"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format_", [f for f in FORMATS.values() if f.write_limits], ids=lambda f: f.name)
def test_writing_texts_or_columns_beyond_the_format_limits_is_an_error(format_: Format, tmp_path: Path):
    limits = format_.write_limits
    path = tmp_path / f"table{format_.suffixes[0]}"
    wide = pa.table({f"c{index}": [1] for index in range(limits.columns_max + 1)})
    for table, code in (
        (pa.table({"text": ["x" * (limits.characters_max + 1)]}), "too_large"),
        (pa.table({"text": ["😀" * (limits.characters_max // 2 + 1)]}), "too_large"),
        (wide, "too_many_columns"),
    ):
        with pytest.raises(TooLarge) as caught:
            format_.write(path, table.to_batches(), table.schema)
        assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


@formats
def test_truncated_file_is_an_error_or_has_fewer_rows(format_: Format, tmp_path: Path):
    table = _mixed_table(500)
    data = _write(format_, tmp_path, table).read_bytes()
    for part in range(1, 64):
        cut = tmp_path / "cut"
        cut.write_bytes(data[: len(data) * part // 64])
        try:
            read = format_.read(cut)
        except InvalidInput:
            continue
        assert format_.name in WITHOUT_END_MARK
        assert read.num_rows < table.num_rows


@formats
def test_damaged_file_is_read_or_raises_invalid_input(format_: Format, tmp_path: Path):
    data = _write(format_, tmp_path, _mixed_table(50)).read_bytes()
    rng = random.Random(2)  # noqa: S311
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(data))] = rng.randrange(256)
        path = tmp_path / "damaged"
        path.write_bytes(damaged)
        try:
            assert format_.read(path).num_columns >= 1
        except InvalidInput:
            continue


@formats
def test_failing_writer_leaves_no_file(format_: Format, tmp_path: Path):
    table = _mixed_table(10)

    def batches() -> Iterator[pa.RecordBatch]:
        yield from table.to_batches()
        raise RuntimeError("out of rows")

    with pytest.raises(RuntimeError, match="out of rows"):
        format_.write(tmp_path / f"table{format_.suffixes[0]}", batches(), table.schema)
    assert list(tmp_path.iterdir()) == []


@formats
def test_progress_is_reported_up_to_the_last_row(format_: Format, tmp_path: Path):
    told: list[tuple[str, float, int | None]] = []

    def progress(
        phase: str, fraction: float, *, rows_done: int | None = None, rows_total: int | None = None
    ) -> None:
        told.append((phase, fraction, rows_done))

    source = _write(format_, tmp_path, _mixed_table(100))
    format_.ingest(source, tmp_path / "canonical.parquet", ReadLimits(), progress)
    assert told[0][0] == "checking"
    assert told[-1] == ("writing", 1.0, 100)
    assert all(0 <= fraction <= 1 for _, fraction, _ in told)


@formats
def test_path_with_unusual_characters_is_supported(format_: Format, tmp_path: Path):
    folder = tmp_path / "it's [1]*? é;--"
    folder.mkdir()
    source = _write(format_, folder, _mixed_table(10))
    format_.ingest(source, folder / "canonical.parquet", ReadLimits())
    assert read_table(folder / "canonical.parquet").num_rows == 10


@formats
def test_memory_for_writing_does_not_grow_with_the_number_of_rows(format_: Format, tmp_path: Path):
    batch = pa.record_batch({"x": [0.1 * i for i in range(10_000)], "y": ["some text"] * 10_000})
    path = tmp_path / f"table{format_.suffixes[0]}"
    format_.write(path, (batch for _ in range(30)), batch.schema)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    n_batches = 200 if format_.write_limits is None else format_.write_limits.rows_max // 10_000
    format_.write(path, (batch for _ in range(n_batches)), batch.schema)
    # 2 million rows take 50 MB as Arrow, a full workbook 26 MB and a row group 3 MB. ru_maxrss is in KiB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < (
        25_000 if n_batches == 200 else 10_000
    )


def _ingest_peak_megabytes(source: Path) -> float:
    """Return the peak memory of a process that ingests a file."""
    command = [sys.executable, "-m", "tests.hostile.measuring", str(source)]
    measured = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    peak: float = measured["peak_megabytes"]
    return peak


@formats
def test_memory_for_ingest_does_not_grow_with_the_number_of_rows(format_: Format, tmp_path: Path):
    batch = pa.record_batch({"x": [0.1 * i for i in range(10_000)], "y": ["some longer text"] * 10_000})
    # Reading a workbook takes longer than reading files in other formats.
    few, many = (60, 200) if format_.name != "xlsx" else (10, 45)
    sources = [tmp_path / f"{n_batches}{format_.suffixes[0]}" for n_batches in (few, many)]
    for source, n_batches in zip(sources, (few, many), strict=True):
        format_.write(source, (batch for _ in range(n_batches)), batch.schema)
    # The additional rows take 47 MB as Arrow and 35 MB as sheet XML.
    growth_max = 35 if many == 200 else 18
    peaks = [_ingest_peak_megabytes(source) for source in sources]
    if peaks[1] - peaks[0] >= growth_max:
        # On a busy machine, a thread may free a buffer late. Actual growth with the number of rows would
        # recur in every run.
        peaks[1] = min(peaks[1], *(_ingest_peak_megabytes(sources[1]) for _ in range(2)))
    assert peaks[1] - peaks[0] < growth_max


@formats
def test_wide_table_and_long_texts_are_read(format_: Format, tmp_path: Path):
    length = 500_000 if format_.write_limits is None else format_.write_limits.characters_max
    long = pa.table({"a": list(range(40)), "b": ["é" * length] * 40})
    wide = pa.table({f"c{index}": [index, None, -index] for index in range(2_000)})
    for table in (long, wide):
        source = _write(format_, tmp_path, table)
        ingested = format_.ingest(source, tmp_path / "canonical.parquet", ReadLimits())
        assert read_table(tmp_path / "canonical.parquet").to_pydict() == table.to_pydict()
        assert ingested.n_rows == table.num_rows


def test_canonical_file_has_row_groups_of_131072_rows(tmp_path: Path):
    table = pa.table({"a": pa.array(range(300_000), pa.int32())})
    write_table(tmp_path / "table.parquet", table.to_batches(max_chunksize=1_000), table.schema)
    metadata = pq.read_metadata(tmp_path / "table.parquet")
    sizes = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    assert sizes == [131_072, 131_072, 37_856]
    assert metadata.row_group(0).column(0).compression == "ZSTD"


def test_wide_tables_get_smaller_row_groups(tmp_path: Path):
    ones = pa.array([1] * 20_000, pa.int8())
    batch = pa.record_batch({f"c{index}": ones for index in range(800)})
    write_table(tmp_path / "table.parquet", [batch], batch.schema)
    assert pq.read_metadata(tmp_path / "table.parquet").row_group(0).num_rows == 10_000


@formats
def test_streamed_bytes_equal_the_written_file(format_: Format, tmp_path: Path):
    parquet = _write(FORMATS["parquet"], tmp_path, _KINDS_TABLE)
    written = _write(format_, tmp_path, _KINDS_TABLE).read_bytes()
    assert b"".join(stream_table(parquet, format_, tmp_path)) == written


def test_format_names_match_the_names_in_the_api():
    assert list(FORMATS) == list(get_args(FormatName))


def test_csv_is_streamed_in_pieces(tmp_path: Path):
    table = _mixed_table(400_000).select(["row"])
    write_table(tmp_path / "table.parquet", table.to_batches(), table.schema)
    pieces = list(stream_table(tmp_path / "table.parquet", FORMATS["csv"], tmp_path))
    assert pieces[0] == b'"row"\n'
    assert max(len(piece) for piece in pieces) < 1_000_000
    assert b"".join(pieces[1:]) == b"".join(b"%d\n" % row for row in range(400_000))
