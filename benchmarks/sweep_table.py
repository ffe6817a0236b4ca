"""One table of the sweep: read, profile, fit, sample, write back, and evaluate."""

from __future__ import annotations

import csv
import re
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any  # `Any` covers Arrow arrays of any type.

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import understudy
from understudy.errors import UnderstudyError
from understudy.tables.formats import ReadLimits, format_for_path, write_table
from understudy.tables.notations.parsing import AnyNotation, parse
from understudy.tables.profile import profile_table
from understudy.tables.schema import TableSchema
from understudy.tables.text_style import PLAIN, TAB_SUFFIXES, TextStyle

ROWS_MAX = 2_000
# Wider tables are only read and profiled, because a fit needs minutes.
COLUMNS_MAX = 60
_ROWS_EVALUATED_MAX = 500
# Verbs that indicate that an error message contains a remedy, that is, tells the reader what to do.
_REMEDY = re.compile(
    r"\b(?:add|change|check|choose|convert|correct|declare|delete|drop|export|give|increase|join|lower|name|open"
    r"|pass|put|remove|rename|repair|replace|save|send|set|shorten|skip|split|upload|use|write)\b",
    re.IGNORECASE,
)


@dataclass
class Outcome:
    """The outcome of one table.

    Parameters
    ----------
    result : str
        `done`, `refused`, `internal error`, or `crash` if the process died or exceeded the time limit.
    stage : str
        The last step that began.
    message : str
        The text of the error, if any.
    n_written, n_parsed : int
        Number of non-missing values that were written as text, and how many of these values parse in the
        notation of their column.
    unparsed : list of str
        Columns with values that do not parse.
    changed : list of str
        Columns that have a different type when the written file is read again.
    warnings : list of str
        Warnings of Python libraries.
    """

    table: str
    format: str
    result: str = "done"
    stage: str = ""
    code: str = ""
    message: str = ""
    has_remedy: bool = True
    n_rows: int = 0
    n_columns: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    n_written: int = 0
    n_parsed: int = 0
    unparsed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Record the name and the duration of a step."""
        self.stage = name
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


def examine(name: str, path: Path) -> dict[str, Any]:
    """Return the outcome of all steps for one file, as a dictionary."""
    outcome = Outcome(name, format_for_path(path).name)
    with TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _run(outcome, path, Path(folder))
        except UnderstudyError as error:
            is_internal = error.code == "internal_error"
            outcome.result = "internal error" if is_internal else "refused"
            outcome.code, outcome.message = error.code, error.detail
            outcome.has_remedy = _REMEDY.search(error.detail) is not None
        except Exception:
            outcome.result, outcome.message = "internal error", traceback.format_exc(limit=-6)
    outcome.warnings = sorted({f"{each.category.__name__}: {str(each.message)[:150]}" for each in caught})
    return asdict(outcome)


def _run(outcome: Outcome, path: Path, folder: Path) -> None:
    stored = folder / "table.parquet"
    with outcome.step("read"):
        ingested = format_for_path(path).ingest(path, stored, ReadLimits())
    schema = ingested.schema
    outcome.n_rows, outcome.n_columns = ingested.n_rows, ingested.n_columns
    with outcome.step("profile"):
        profile_table(stored, schema, is_protected=True)
    if ingested.n_columns > COLUMNS_MAX:
        outcome.stage = "profile only"
        return
    real = pq.read_table(stored).slice(0, ROWS_MAX).cast(schema.to_arrow())
    with outcome.step("fit"):
        model = understudy.fit(real, schema=schema, synthesizer="fast", seed=0)
    with outcome.step("sample"):
        sample: Any = model.sample(len(real), seed=1)
    rows = sample.cast(schema.to_arrow())
    written = folder / f"sample{''.join(path.suffixes[-2:]) if path.suffix == '.gz' else path.suffix}"
    with outcome.step("write"):
        write_table(written, rows.to_batches(), rows.schema)
    with outcome.step("read again"):
        _compare(outcome, written, rows, schema)
    with outcome.step("evaluate"):
        n = _ROWS_EVALUATED_MAX
        understudy.evaluate(real.slice(0, n), sample.slice(0, n), schema=model)


def _compare(outcome: Outcome, written: Path, rows: pa.Table, schema: TableSchema) -> None:
    """Count the written values that parse in their column's notation."""
    if outcome.format == "csv" and len(rows.column_names) > 1 and not written.name.endswith(".gz"):
        texts = _texts_of(written, rows.column_names, schema.text_style or PLAIN)
    else:
        texts = None
    again = format_for_path(written).read(written)
    outcome.changed = [
        field_.name
        for field_ in rows.schema
        if field_.name in again.column_names
        and again.schema.field(field_.name).type != field_.type
        and rows[field_.name].null_count < len(rows)
    ]
    for column in schema.columns:
        notation = column.notation
        present = len(rows) - rows[column.name].null_count
        if texts is None:
            parsed = _n_typed(again, column.name, rows.schema.field(column.name).type)
        else:
            parsed = _n_parsed(texts[column.name], notation, rows.schema.field(column.name).type)
        outcome.n_written += present
        outcome.n_parsed += min(parsed, present)
        if parsed < present:
            outcome.unparsed.append(f"{column.name} ({column.arrow_type}, {parsed} of {present})")


def _n_typed(again: pa.Table, name: str, type_: pa.DataType) -> int:
    if name not in again.column_names:
        return 0
    try:
        cast = again[name].cast(type_, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return 0
    return int(pc.count(cast).as_py())


def _texts_of(path: Path, names: list[str], style: TextStyle) -> pa.Table:
    """Return the fields of a text file in the given style, read independently of Understudy's code."""
    delimiter = "\t" if path.suffix in TAB_SUFFIXES else style.delimiter or ","
    with path.open(encoding=style.encoding, newline="") as file:
        rows = list(csv.reader(file, delimiter=delimiter, quotechar=style.quote))[1:]
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.table([pa.array([text or None for text in column], pa.string()) for column in columns], names)


def _n_parsed(texts: Any, notation: AnyNotation | None, type_: pa.DataType) -> int:
    values = texts.combine_chunks()
    if notation is not None:
        parsed: Any = parse(values, notation, type_)
        return int(pc.count(parsed).as_py())
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return int(pc.count(values).as_py())
    if pa.types.is_time(type_):
        days: Any = pc.binary_join_element_wise("2000-01-01", values, " ")
        values, type_ = days, pa.timestamp("ns")
    try:
        cast = values.cast(type_)
    except pa.ArrowInvalid:
        return 0
    return int(pc.count(cast).as_py())
