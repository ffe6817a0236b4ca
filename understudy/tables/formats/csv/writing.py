"""Write CSV files in the style of the schema: by default UTF-8, with single line feeds and quoted text.

A missing value is an empty field, or a word for missing values that the notation of the column contains.
Quotation marks distinguish it from empty text (`""`) and from the text `NA`.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from understudy.progress import Progress, no_progress
from understudy.tables.formats.canonical import atomic_path
from understudy.tables.formats.csv.parsing import MISSING
from understudy.tables.notation import PlainNotation, read_metadata
from understudy.tables.notations import written_batch
from understudy.tables.notations.writing import with_words
from understudy.tables.text_style import PLAIN, TAB_SUFFIXES, TextStyle, read_style

# Large strings are used because many long texts can exceed 2 GiB.
_TEXT = pa.large_string()
# The text of a whole batch would occupy a lot of memory while a slow client reads it.
_PIECE_ROWS = 8_192
# Delimiters that never occur in numbers, dates or times.
_SAFE_DELIMITERS = (",", ";", "\t", "|")


def write_csv(
    path: Path,
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    *,
    progress: Progress = no_progress,
    rows_total: int | None = None,
) -> int:
    """Write batches to a file and return the number of rows. Files with the suffix `.tsv` or `.tab` use tabs.

    The file appears at its path only when it is complete. Memory use does not grow with the number of rows.
    """
    style = style_of_schema(schema)
    if path.suffix.lower() in TAB_SUFFIXES:
        style = style.model_copy(update={"delimiter": "\t"})
    n_rows = 0
    with atomic_path(path) as part, part.open("wb") as file:
        file.write(_header(schema, style))
        for batch in batches:
            file.write(_rows(batch, schema, style))
            n_rows += batch.num_rows
            fraction = n_rows / rows_total if rows_total else 0.0
            progress("writing", fraction, rows_done=n_rows, rows_total=rows_total)
    return n_rows


def csv_chunks(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[bytes]:
    """Yield the bytes of a CSV file: the header, then the rows of each batch in pieces."""
    style = style_of_schema(schema)
    yield _header(schema, style)
    for batch in batches:
        for start in range(0, batch.num_rows, _PIECE_ROWS):
            yield _rows(batch.slice(start, _PIECE_ROWS), schema, style)


def style_of_schema(schema: pa.Schema) -> TextStyle:
    """Return the style of a schema. The default delimiter is a comma."""
    style = read_style(schema.metadata) or PLAIN
    return style if style.delimiter else style.model_copy(update={"delimiter": ","})


def _header(schema: pa.Schema, style: TextStyle) -> bytes:
    names: Any = pa.array(schema.names, _TEXT)
    quoted = _minimally_quoted(names, style) if style.quoting == "minimal" else _quoted(names, style)
    line = (style.delimiter or ",").join(quoted.to_pylist()) + style.line_ending
    return ("\ufeff" * style.has_mark + line).encode(style.encoding, _HANDLER)


def _rows(batch: pa.RecordBatch, schema: pa.Schema, style: TextStyle) -> bytes:
    written = written_batch(batch, schema)
    plain = {index: notation for index, field in enumerate(schema) if (notation := _plain(field))}
    is_default = (style.quoting, style.quote, style.line_ending) == ("text", '"', "\n")
    if written is not batch or plain or not is_default:
        data = _joined_rows(written, batch.schema, plain, style)
    else:
        sink = pa.BufferOutputStream()
        columns = [column.cast(_written_type(column.type)) for column in batch.columns]
        options = pa.csv.WriteOptions(
            include_header=False, delimiter=style.delimiter or ",", batch_size=16_384
        )
        pa.csv.write_csv(pa.record_batch(columns, names=batch.schema.names), sink, options)
        data = sink.getvalue().to_pybytes()
    return data if style.encoding == "utf-8" else data.decode().encode(style.encoding, _HANDLER)


def _plain(field: pa.Field[Any]) -> PlainNotation | None:
    """Return the notation of a field if it only determines how missing values are written."""
    notation = read_metadata(field.metadata)
    return notation if isinstance(notation, PlainNotation) else None


def _joined_rows(
    written: pa.RecordBatch, schema: pa.Schema, plain: Mapping[int, PlainNotation], style: TextStyle
) -> bytes:
    """Return the rows of a batch as CSV if a column has a notation or the style is not the default."""
    fields: list[Any] = []
    for index, (column, type_) in enumerate(zip(written.columns, schema.types, strict=True)):
        texts: Any = column.cast(_written_type(column.type)).cast(_TEXT)
        if style.quoting == "all":
            texts = _quoted(texts if _is_text(type_) else pc.fill_null(texts, ""), style)
        elif column.type != type_ or (not _is_text(type_) and style.delimiter not in _SAFE_DELIMITERS):
            texts = _quoted_if_needed(texts, style)
        elif _is_text(type_):
            is_minimal = style.quoting == "minimal"
            texts = _minimally_quoted(texts, style) if is_minimal else _quoted(texts, style)
        if index in plain:
            # Words for missing values are not quoted, which distinguishes them from text.
            texts = with_words(texts, plain[index])
        fields += [texts, pa.scalar(style.delimiter, _TEXT)]
    fields[-1] = pa.scalar(style.line_ending, _TEXT)
    lines: Any = pc.binary_join_element_wise(
        *fields, pa.scalar("", _TEXT), null_handling="replace", null_replacement=""
    )
    data: bytes = lines.buffers()[2].slice(0, pc.sum(pc.binary_length(lines)).as_py() or 0).to_pybytes()
    return data


def _quoted_if_needed(texts: Any, style: TextStyle) -> Any:
    has_special = pc.match_substring_regex(texts, _special(style))
    return pc.if_else(has_special, _quoted(texts, style), texts) if pc.any(has_special).as_py() else texts


def _special(style: TextStyle) -> str:
    """Return a pattern of the characters that require quotation marks."""
    return f"[{style.quote}\r\n{re.escape(style.delimiter or ',')}]"


def _minimally_quoted(texts: Any, style: TextStyle) -> Any:
    """Quote the texts that require it: special characters, empty text, and words for missing values."""
    is_word = pc.is_in(texts, value_set=pa.array(MISSING, _TEXT))
    needs_marks = pc.or_(pc.match_substring_regex(texts, _special(style)), is_word)
    return pc.if_else(needs_marks, _quoted(texts, style), texts) if pc.any(needs_marks).as_py() else texts


def _quoted(texts: Any, style: TextStyle) -> Any:
    mark = pa.scalar(style.quote, _TEXT)
    escaped = pc.replace_substring(texts, style.quote, style.quote * 2)
    return pc.binary_join_element_wise(mark, escaped, mark, pa.scalar("", _TEXT))


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _written_type(type_: pa.DataType) -> pa.DataType:
    """Return the type that is written: an integer for durations, and date32 for date64."""
    if pa.types.is_duration(type_):
        return pa.int64()
    if pa.types.is_date64(type_):
        return pa.date32()
    return type_


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that an encoding does not contain with their base letters or question marks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    bases = unicodedata.normalize("NFKD", error.object[error.start : error.end])
    ascii_text = "".join(c for c in bases if c.isascii()) or "?" * (error.end - error.start)
    return ascii_text, error.end


_HANDLER = "understudy.nearest"
codecs.register_error(_HANDLER, _nearest)
