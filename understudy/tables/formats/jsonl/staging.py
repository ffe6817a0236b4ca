"""Store the values of a JSON Lines file by column until all types are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.casting import cast
from understudy.tables.formats.canonical import check_rows
from understudy.tables.formats.csv.column_types import cast_column
from understudy.tables.formats.jsonl.columns import Column, check_cell
from understudy.tables.formats.jsonl.extended import dates_of, has_milliseconds, join_columns, mixed_columns
from understudy.tables.formats.jsonl.fast_path import parse_quickly
from understudy.tables.formats.jsonl.lines import Block, read_blocks
from understudy.tables.formats.jsonl.numerals import plain
from understudy.tables.formats.jsonl.slow_path import parse_strictly
from understudy.tables.formats.scan import Reading
from understudy.tables.notations.parsing import AnyNotation


class Staged:
    """Arrow files in the scratch folder. A new column or a changed type starts a new file."""

    def __init__(self, folder: Path) -> None:
        self.columns: dict[str, Column] = {}
        self.n_rows = 0
        self._folder = folder
        self._parts: list[Path] = []
        self._joined: dict[str, list[Column]] = {}
        self._dates: set[str] = set()

    def fill(self, source: Path, reading: Reading) -> None:
        """Parse a file and stage its values.

        Raises
        ------
        InvalidInput
            If the file is not valid JSON Lines, or if a limit is exceeded.
        """
        with ExitStack() as stack:
            writer: pa.ipc.RecordBatchStreamWriter | None = None
            schema = pa.schema([])
            for block in read_blocks(source, reading):
                batch = self._parse(block, reading)
                if batch.num_rows == 0:
                    continue
                if writer is None or batch.schema != schema:
                    stack.close()
                    schema = batch.schema
                    writer = stack.enter_context(self._begin_part(schema))
                writer.write_batch(batch)

    def _begin_part(self, schema: pa.Schema) -> pa.ipc.RecordBatchStreamWriter:
        path = self._folder / f"{len(self._parts)}.arrows"
        self._parts.append(path)
        options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
        return pa.ipc.new_stream(str(path), schema, options=options)

    def _parse(self, block: Block, reading: Reading) -> pa.RecordBatch:
        limits = reading.limits
        parsed = parse_quickly(block, self.columns) if self.columns else None
        parsed = parsed or parse_strictly(
            block, self.columns, limits, flattens=reading.options.flatten is not False
        )
        for column, values in parsed:
            if block.has_long_line and pa.types.is_string(values.type):
                texts: Any = values
                longest = pc.max(pc.binary_length(texts)).as_py() or 0
                check_cell(column.name, longest, limits.cell_bytes_max)
            column.count(values)
        batch = pa.record_batch([values for _, values in parsed], names=[column.name for column, _ in parsed])
        self.n_rows += batch.num_rows
        check_rows(self.n_rows, limits)
        return batch

    def join_mixed(self) -> list[str]:
        """Join the columns with values of one key, and return the names of the joined columns.

        A joined column is at the position of the first column that it replaces.
        """
        targets: dict[str, Column] = {}
        groups: dict[str, list[Column]] = {}
        for group in mixed_columns(self.columns):
            filled = [column for column in group if column.n_values]
            target = join_columns(filled) if len(filled) > 1 else filled[0]
            targets |= {column.name: target for column in group}
            groups |= {target.name: filled} if len(filled) > 1 else {}
        parts = [column for group in groups.values() for column in group]
        self._dates = {each.name for each in parts if has_milliseconds(each, self.texts(each.name))}
        columns = [targets.get(name, column) for name, column in self.columns.items()]
        self.columns, self._joined = {column.name: column for column in columns}, groups
        for name in groups:
            for values in self.texts(name):
                self.columns[name].count(values)
        return list(groups)

    def texts(self, name: str) -> Iterator[pa.Array[Any]]:
        """Yield the values of a column as text."""
        for batch in self._batches():
            if name in batch.schema.names:
                yield batch.column(name).cast(pa.string())

    def batches(
        self, schema: pa.Schema, notations: Mapping[str, AnyNotation | None]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows with the detected types."""
        for batch in self._batches():
            columns = [
                _final(batch.column(field.name), field.type, notations[field.name])
                if field.name in batch.schema.names
                else pa.array([None] * batch.num_rows, field.type)
                for field in schema
            ]
            yield pa.record_batch(columns, schema=schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for path in self._parts:
            with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as reader:
                yield from map(self._with_joined, reader) if self._joined else reader

    def _with_joined(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        for name, group in self._joined.items():
            parts = [
                self._texts_of(column.name, columns.pop(column.name))
                for column in group
                if column.name in columns
            ]
            if parts:
                columns[name] = pc.coalesce(*parts)
        return pa.record_batch(columns)

    def _texts_of(self, name: str, values: pa.Array[Any]) -> pa.Array[Any]:
        texts = values.cast(pa.string())
        return dates_of(texts) if name in self._dates else texts


def _final(values: pa.Array[Any], target: pa.DataType, notation: AnyNotation | None) -> pa.Array[Any]:
    if values.type == target:
        return values
    if notation is not None:
        return cast_column(values.cast(pa.string()), target, notation=notation)
    if pa.types.is_decimal(target):
        return cast(plain(values.cast(pa.string())), target)
    if pa.types.is_temporal(target):
        return cast_column(values, target)
    return values.cast(target)
