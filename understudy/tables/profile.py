"""Profiles of stored tables, with exact or protected column statistics.

A protected profile contains only values, bounds and histogram bars with at least k rows. If the schema
declares subjects, k subjects are required instead. A protected profile contains no values of generated
columns, such as names. The bounds are the k-th lowest and the k-th highest value. The bounds are rounded
inward so that neither bound is the value of a single row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from understudy.tables.notation import BooleanNotation
from understudy.tables.notations import write
from understudy.tables.notations.parsing import AnyNotation
from understudy.tables.notations.writing import is_applicable
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind, TableSchema

Json = dict[str, Any]
Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

# Minimum number of rows or subjects that support a value in a protected profile.
K = 5
# Maximum number of rows read.
N_ROWS_READ = 200_000
# Number of row groups that are read from a longer table.
N_ROW_GROUPS_READ = 8
# Number of histogram bars. In a protected profile, some of these bars are merged.
N_BINS = 20
# Maximum number of most frequent values listed.
N_TOP = 10
# Fractions at which quantiles are computed.
FRACTIONS = (0.05, 0.25, 0.5, 0.75, 0.95)
# Minimum number of grid lines between the bounds of a protected profile. Bounds are rounded to this grid.
_GRID_LINES = 200

_COUNTED_KINDS = {ColumnKind.category, ColumnKind.boolean}


def profile_table(path: Path, schema: TableSchema, *, is_protected: bool) -> Json:
    """Return the profile of a canonical Parquet file, in bounded memory and time.

    If the file has more than 200,000 rows, only the first rows of eight row groups are read. The row groups
    are evenly spread over the file.
    """
    texts = [name for name in schema.names if pa.types.is_string(_stored(path).field(name).type)]
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        subjects = None
        if schema.subject:
            codes = np.column_stack([_codes(_read(file, name)) for name in schema.subject])
            subjects = np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
        columns = [
            _profile(column, _read(file, column.name), subjects, is_protected=is_protected)
            for column in schema.columns
        ]
        n_rows = file.metadata.num_rows
        n_rows_read = sum(n for _, n in _stretches(file))
    unit = "subject" if schema.subject else "row"
    protection = {"unit": unit, "k": K} if is_protected else None
    return {"n_rows": n_rows, "n_rows_read": n_rows_read, "protection": protection, "columns": columns}


def _stored(path: Path) -> pa.Schema:
    return pq.read_schema(path)


def _stretches(file: pq.ParquetFile) -> Iterator[tuple[int, int]]:
    """Yield each row group to read, with the number of rows to read from it."""
    metadata = file.metadata
    n_groups = metadata.num_row_groups
    if metadata.num_rows <= N_ROWS_READ:
        yield from ((group, metadata.row_group(group).num_rows) for group in range(n_groups))
        return
    groups = np.unique(np.linspace(0, n_groups - 1, N_ROW_GROUPS_READ).round().astype(int))
    for group in groups:
        yield int(group), min(metadata.row_group(int(group)).num_rows, N_ROWS_READ // len(groups))


def _read(file: pq.ParquetFile, name: str) -> pa.ChunkedArray[Any]:
    parts = [
        file.read_row_group(group, columns=[name], use_threads=False).column(0).slice(0, n)
        for group, n in _stretches(file)
    ]
    return pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)


def _codes(values: pa.ChunkedArray[Any]) -> Numbers:
    """Return an integer code for each row. Equal values have equal codes, and missing values have -1."""
    if pa.types.is_dictionary(values.type):
        values = values.unify_dictionaries()
        parts = [chunk.indices.fill_null(-1) for chunk in values.chunks]  # type: ignore[attr-defined]
        return np.concatenate([part.to_numpy() for part in parts]).astype(np.int64)
    encoded: Any = values.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    numbers: Numbers = encoded.indices.fill_null(-1).to_numpy().astype(np.int64)
    return numbers


def _profile(
    column: Column, values: pa.ChunkedArray[Any], subjects: Numbers | None, *, is_protected: bool
) -> Json:
    codes = _codes(values)
    present = values.drop_null()
    owners = None if subjects is None else subjects[codes >= 0]
    codes = codes[codes >= 0]
    summary: Json = {
        "name": column.name,
        "kind": column.kind.value,
        "n_missing": values.null_count,
        "n_distinct": len(np.unique(codes)),
    }
    if len(present) == 0 or (is_protected and column.kind in GENERATED_KINDS):
        return summary
    is_text = pa.types.is_dictionary(values.type) or pa.types.is_large_string(values.type)
    if is_text or column.kind in _COUNTED_KINDS or column.kind is ColumnKind.identifier:
        top_values = _top_values(present, codes, owners, is_protected=is_protected)
        return summary | {"top_values": top_values} | _written_top(top_values, column.notation)
    return summary | _spread(present, owners, column.notation, is_protected=is_protected)


def _top_values(
    values: pa.ChunkedArray[Any], codes: Numbers, owners: Numbers | None, *, is_protected: bool
) -> list[Json]:
    n_rows = np.bincount(codes)
    sharers = n_rows
    if owners is not None:
        pairs = np.unique(np.stack([codes, owners]), axis=1)
        sharers = np.bincount(pairs[0], minlength=len(n_rows))
    order = np.argsort(-n_rows, kind="stable")
    if is_protected:
        order = order[sharers[order] >= K]
    chosen = order[:N_TOP]
    first = [int(np.argmax(codes == code)) for code in chosen]
    return [
        {"value": _text(values[at].as_py()), "n_rows": int(n_rows[code])}
        for at, code in zip(first, chosen, strict=True)
    ]


def _written_top(top_values: list[Json], notation: AnyNotation | None) -> Json:
    """Return the frequent boolean values in the words of the notation, in the same order as `top_values`."""
    if not isinstance(notation, BooleanNotation):
        return {}
    words = {True: notation.true, False: notation.false}
    return {"written": {"top_values": [words.get(one["value"], str(one["value"])) for one in top_values]}}


def _spread(
    values: pa.ChunkedArray[Any], owners: Numbers | None, notation: AnyNotation | None, *, is_protected: bool
) -> Json:
    """Return the bounds, quantiles, mean and histogram of numbers, dates or times."""
    numbers = _numbers(values)
    low, high = (float(numbers.min()), float(numbers.max()))
    if is_protected:
        low, high = _protected_bounds(numbers, owners)
        if not low < high:
            return {}
        numbers = np.clip(numbers, low, high)
    counts, edges = _histogram(numbers, owners, low, high, is_protected=is_protected)
    quantiles = _interpolated(counts, edges) if is_protected else np.quantile(numbers, FRACTIONS)
    to_json = _json_writer(values.type)
    spread: Json = {
        "minimum": to_json(low),
        "maximum": to_json(high),
        "mean": to_json(float(numbers.mean())),
        "quantiles": [
            {"fraction": fraction, "value": to_json(float(value))}
            for fraction, value in zip(FRACTIONS, quantiles, strict=True)
        ],
        "histogram": {"edges": [to_json(float(edge)) for edge in edges], "n_rows": counts.tolist()},
    }
    if not pa.types.is_temporal(values.type):
        spread["standard_deviation"] = float(numbers.std())
    if notation is not None and is_applicable(notation, values.type):
        bounds_and_mean = (low, high, float(numbers.mean()))
        spread["written"] = _written(
            values.type, notation, bounds_and_mean, quantiles.tolist(), edges.tolist()
        )
    return spread


def _written(
    type_: pa.DataType,
    notation: AnyNotation,
    bounds_and_mean: tuple[float, float, float],
    quantiles: list[float],
    edges: list[float],
) -> Json:
    """Return the statistics of a column as text in its notation."""
    numbers = [*bounds_and_mean, *quantiles, *edges]
    # Any: Arrow's stubs do not support types that are known only at run time.
    values: Any = pa.array(numbers, pa.float64())
    if pa.types.is_temporal(type_):
        whole = pa.int32() if type_.bit_width == 32 else pa.int64()
        values = pa.array([round(number) for number in numbers], whole).cast(type_)
    elif pa.types.is_integer(type_):
        # The mean and the edges may lie between whole numbers, so they are rounded.
        values = pa.array([round(number) for number in numbers], pa.int64())
    texts = write(values, notation).to_pylist()
    n_before_edges = 3 + len(quantiles)
    return {
        **dict(zip(("minimum", "maximum", "mean"), texts[:3], strict=True)),
        "quantiles": texts[3:n_before_edges],
        "edges": texts[n_before_edges:],
    }


def _numbers(values: pa.ChunkedArray[Any]) -> Floats:
    type_ = values.type
    if pa.types.is_temporal(type_):
        values = values.cast(pa.int32() if type_.bit_width == 32 else pa.int64()).cast(pa.int64())
    return values.cast(pa.float64(), safe=False).to_numpy()


def _protected_bounds(numbers: Floats, owners: Numbers | None) -> tuple[float, float]:
    """Return the k-th lowest and k-th highest value, rounded inward to a grid.

    Each subject counts once for each bound, with its lowest or highest value.
    """
    lows = highs = numbers
    if owners is not None:
        order = np.lexsort((numbers, owners))
        is_first = np.concatenate(([True], owners[order][1:] != owners[order][:-1]))
        is_last = np.concatenate((is_first[1:], [True]))
        lows, highs = numbers[order][is_first], numbers[order][is_last]
    if len(lows) < 2 * K:
        return 0.0, 0.0
    low, high = float(np.sort(lows)[K - 1]), float(np.sort(highs)[-K])
    if not low < high:
        return low, high
    step = 10.0 ** np.floor(np.log10((high - low) / _GRID_LINES))
    return float(np.ceil(low / step) * step), float(np.floor(high / step) * step)


def _histogram(
    numbers: Floats, owners: Numbers | None, low: float, high: float, *, is_protected: bool
) -> tuple[Numbers, Floats]:
    edges = np.linspace(low, high, N_BINS + 1) if low < high else np.array([low, high])
    bins = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(bins, minlength=len(edges) - 1)
    return _merged(counts, edges, bins, owners) if is_protected else (counts, edges)


def _merged(counts: Numbers, edges: Floats, bins: Numbers, owners: Numbers | None) -> tuple[Numbers, Floats]:
    """Merge adjacent bars until each bar has at least k rows or subjects."""
    groups: list[list[int]] = [[]]
    for index in range(len(counts)):
        groups[-1].append(index)
        if _n_sharers(groups[-1], counts, bins, owners) >= K:
            groups.append([])
    if groups[-1] and len(groups) > 1:
        groups[-2] += groups.pop()
    groups = [group for group in groups if group]
    merged = np.array([counts[group].sum() for group in groups])
    return merged, np.array([edges[0], *(edges[group[-1] + 1] for group in groups)])


def _n_sharers(group: list[int], counts: Numbers, bins: Numbers, owners: Numbers | None) -> int:
    if owners is None:
        return int(counts[group].sum())
    return len(np.unique(owners[(bins >= group[0]) & (bins <= group[-1])]))


def _interpolated(counts: Numbers, edges: Floats) -> Floats:
    share = np.concatenate(([0.0], np.cumsum(counts) / counts.sum()))
    return np.interp(FRACTIONS, share, edges)


def _json_writer(type_: pa.DataType) -> Any:
    """Return a function that converts a stored number to a JSON value. Dates and times become text."""
    if not pa.types.is_temporal(type_):
        return lambda number: number
    whole = pa.int32() if type_.bit_width == 32 else pa.int64()
    return lambda number: _text(pa.scalar(round(number), whole).cast(type_).as_py())


def _text(value: object) -> object:
    return value if isinstance(value, (bool, int, float, str)) else str(value)
