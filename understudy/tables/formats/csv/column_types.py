"""The type of each column of a CSV file, from all of its values.

A type is taken if every value present is written in its way. A sample only rules types out, which is safe:
what does not fit in the sample does not fit in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from understudy.tables.formats.csv.staging import MISSING, quoted

if TYPE_CHECKING:
    import duckdb

_SAMPLE_ROWS = 2_000
# A query over more columns at once would be slow to plan.
_COLUMNS_AT_ONCE = 50
# A text column of which so many values are of one type is worth a word.
_NEARLY = 0.95

_INTEGER = r"-?(0|[1-9][0-9]{0,18})"
_NUMBER = r"-?((0|[1-9][0-9]{0,17})(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?([Ii]nf|[Ii]nfinity|INF)|nan"
_NUMERAL = r"[-+]?[0-9]+(\.[0-9]*)?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MINUTES = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_TIME = _MINUTES + r"(:[0-5][0-9](\.[0-9]{1,6})?)?"
_FINE_TIME = _MINUTES + r"(:[0-5][0-9](\.[0-9]{1,9})?)?"
_ZONE = r"(Z|[-+][0-9]{2}(:?[0-9]{2})?)"


@dataclass(frozen=True)
class Candidate:
    """A type that a column may have: how its values are written, and how DuckDB reads them."""

    name: str
    pattern: str
    cast: str
    words: str

    def condition(self, value: str) -> str:
        """Return SQL that is true for a value of this type."""
        is_written_so = f"regexp_full_match({value}, {quoted(self.pattern)})"
        not_year_0 = f" AND {value} NOT LIKE '0000-%'" if self.pattern.startswith(_DATE) else ""
        return f"({is_written_so}{not_year_0} AND try_cast({value} AS {self.cast}) IS NOT NULL)"


# In order of preference: the first that fits all values is taken.
CANDIDATES = (
    Candidate("boolean", "true|false|True|False|TRUE|FALSE", "BOOLEAN", "true or false"),
    Candidate("integer", _INTEGER, "BIGINT", "whole numbers"),
    Candidate("float", _NUMBER, "DOUBLE", "numbers"),
    Candidate("date", _DATE, "DATE", "dates"),
    Candidate("time", _TIME, "TIME", "times of day"),
    Candidate("fine_time", _FINE_TIME, "TIME_NS", "times of day"),
    Candidate("timestamp", f"{_DATE}[T ]{_TIME}", "TIMESTAMP", "points in time"),
    Candidate("fine_timestamp", f"{_DATE}[T ]{_FINE_TIME}", "TIMESTAMP_NS", "points in time"),
    Candidate("zoned", f"{_DATE}[T ]{_TIME}{_ZONE}", "TIMESTAMPTZ", "points in time with their zone"),
)
_BY_NAME = {candidate.name: candidate for candidate in CANDIDATES}
_TIMED = {"time", "timestamp", "zoned"}
# Not a type, but the reason why a column that looks like numbers is text.
_NUMERALS = Candidate("numeral", _NUMERAL, "VARCHAR", "numerals")
_ALL = (*CANDIDATES, _NUMERALS)


@dataclass(frozen=True)
class ColumnType:
    """What was decided for a column.

    Parameters
    ----------
    expression : str
        SQL that reads the staged text as the type.
    arrow_type : pyarrow.DataType
        What the values become; finer than what DuckDB gives for times.
    is_complete : bool
        No value is missing.
    note : str or None
        Why, when it is not plain.
    is_doubtful : bool
        The note should be shown as a warning.
    """

    expression: str
    arrow_type: pa.DataType
    is_complete: bool
    note: str | None = None
    is_doubtful: bool = field(default=False, kw_only=True)


@dataclass
class _Counts:
    """How many values of a column are there, are blank, and fit each candidate still in the race."""

    n_present: int
    n_blank: int
    fitting: dict[str, int]
    n_infinite: int = 0
    n_digits: int = 0

    @property
    def n_values(self) -> int:
        return self.n_present - self.n_blank


def decide_types(
    session: duckdb.DuckDBPyConnection, staged: Path, n_columns: int, n_rows: int
) -> Iterator[ColumnType]:
    """Yield the type of each column of a staged file, in order."""
    for start in range(0, n_columns, _COLUMNS_AT_ONCE):
        columns = range(start, min(n_columns, start + _COLUMNS_AT_ONCE))
        for index, counts in _race(session, staged, columns).items():
            yield _decide(index, counts, n_rows)


def _race(session: duckdb.DuckDBPyConnection, staged: Path, columns: range) -> dict[int, _Counts]:
    """Count over all rows: the favourite of each column first, the others only where it fails."""
    sampled = _count(session, _from(staged, sample=True), dict.fromkeys(columns, _ALL))
    running = {index: _still_running(counts) for index, counts in sampled.items()}
    rows = _from(staged, sample=False)
    counted = _count(session, rows, {index: candidates[:1] for index, candidates in running.items()})
    rest = {
        index: candidates
        for index, candidates in running.items()
        if candidates and counted[index].fitting[candidates[0].name] < counted[index].n_values
    }
    return counted | (_count(session, rows, rest) if rest else {})


def _from(staged: Path, *, sample: bool) -> str:
    limit = f" LIMIT {_SAMPLE_ROWS}" if sample else ""
    return f"(SELECT * FROM read_parquet({quoted(staged)}){limit})"  # noqa: S608 - all of it is ours


def _still_running(counts: _Counts) -> tuple[Candidate, ...]:
    return tuple(
        candidate for candidate in _ALL if counts.fitting[candidate.name] >= _NEARLY * counts.n_values
    )


def _value(index: int) -> str:
    """Return SQL for a value without blanks around it, as exports of fixed width have them."""
    return f"trim(c{index})"


def _count(
    session: duckdb.DuckDBPyConnection, source: str, running: Mapping[int, Sequence[Candidate]]
) -> dict[int, _Counts]:
    missing = ", ".join(quoted(token) for token in MISSING)
    aggregates: list[str] = []
    for index, candidates in running.items():
        value = _value(index)
        aggregates += [f"count(c{index})", f"count(*) FILTER ({value} IN ({missing}))"]
        aggregates += [f"count(*) FILTER ({candidate.condition(value)})" for candidate in candidates]
        names = {candidate.name for candidate in candidates}
        aggregates.append(_infinite(value) if "float" in names else "0")
        aggregates.append(_digits(value) if names & _TIMED else "0")
    row = session.execute(f"SELECT {', '.join(aggregates)} FROM {source}").fetchall()[0]  # noqa: S608
    values = iter(row)
    return {
        index: _Counts(
            n_present=next(values),
            n_blank=next(values),
            fitting={candidate.name: next(values) for candidate in candidates},
            n_infinite=next(values),
            n_digits=next(values) or 0,
        )
        for index, candidates in running.items()
    }


def _infinite(value: str) -> str:
    return f"count(*) FILTER (NOT isfinite(try_cast({value} AS DOUBLE)))"


def _digits(value: str) -> str:
    """Return SQL for the most digits of a second that are written."""
    return f"max(length(regexp_extract({value}, ':[0-9]{{2}}\\.([0-9]+)', 1)))"


def _decide(index: int, counts: _Counts, n_rows: int) -> ColumnType:
    fitting = [c for c in CANDIDATES if counts.n_values > 0 and counts.fitting.get(c.name) == counts.n_values]
    if not fitting:
        note, is_doubtful = _why_text(counts)
        is_complete = counts.n_present == n_rows
        return ColumnType(f"c{index}", pa.string(), is_complete, note, is_doubtful=is_doubtful)
    candidate = fitting[0]
    n_finite = counts.n_values - counts.n_infinite
    expression = f"try_cast({_value(index)} AS {candidate.cast})"
    return ColumnType(expression, _arrow_type(candidate.name, counts.n_digits), n_finite == n_rows)


def _arrow_type(name: str, n_digits: int) -> pa.DataType:
    """Return the Arrow type with the unit in which the seconds are written, so that they come back so."""
    unit: Literal["s", "ms", "us"] = "s" if n_digits == 0 else "ms" if n_digits <= 3 else "us"
    types: dict[str, pa.DataType] = {
        "boolean": pa.bool_(),
        "integer": pa.int64(),
        "float": pa.float64(),
        "date": pa.date32(),
        "time": pa.time64("us") if unit == "us" else pa.time32(unit),
        "fine_time": pa.time64("ns"),
        "timestamp": pa.timestamp(unit),
        "fine_timestamp": pa.timestamp("ns"),
        "zoned": pa.timestamp(unit, tz="UTC"),
    }
    return types[name]


def _why_text(counts: _Counts) -> tuple[str | None, bool]:
    """Return why a column is text and whether that is worth a warning."""
    if counts.n_values == 0:
        return None, False
    if counts.fitting.get("numeral") == counts.n_values:
        return "numerals with leading zeros, a plus sign or too many digits are kept as text", False
    nearly = [(n, name) for name, n in counts.fitting.items() if n >= _NEARLY * counts.n_values and n > 0]
    nearly = [(n, name) for n, name in nearly if name in _BY_NAME and n < counts.n_values]
    if not nearly:
        return None, False
    n, name = max(nearly, key=lambda pair: pair[0])
    n_other = counts.n_values - n
    return f"{n_other:,} of {counts.n_values:,} values are not {_BY_NAME[name].words}", True
