"""MongoDB Extended JSON: values in an object whose only key names their type, as in `{"$oid": "…"}`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.formats.jsonl.columns import Column, ValueKind
from understudy.tables.json_place import NUMBER_KEYS

# Milliseconds since 1970 of dates from the year 1654 to 5138.
_MILLISECONDS = "^(?:[0-9]{1,14}|-[0-9]{1,13})$"
_KEYS = NUMBER_KEYS | {"$oid", "$date", "$uuid", "$symbol"}


def unwrapped_names(columns: Mapping[str, Column]) -> dict[str, str]:
    """Return the name of each column without type keys such as `$oid`.

    The keys are kept if the name would otherwise be empty or equal to the name of another column.
    """
    names = {name: _unwrapped(name, column.keys) for name, column in columns.items()}
    n_columns = Counter(names.values())
    return {name: short if short.strip() and n_columns[short] == 1 else name for name, short in names.items()}


def mixed_columns(columns: Mapping[str, Column]) -> list[list[Column]]:
    """Return groups of columns with the values of one key, some within the key of a type and some not.

    The column with the most values is the first one of its group.
    """
    groups: dict[tuple[str, ...], list[Column]] = {}
    for column in columns.values():
        if column.n_values:
            groups.setdefault(_without_types(column.keys), []).append(column)
    return [
        sorted(group, key=lambda column: -column.n_values)
        for group in groups.values()
        if _has_prefix(group) and not any(column.has_json for column in group)
    ]


def _has_prefix(group: Sequence[Column]) -> bool:
    """Return whether a column has objects in some lines and other values in others."""
    keys = [column.keys for column in group]
    return any(own != other and own == other[: len(own)] for own in keys for other in keys)


def join_columns(group: Sequence[Column]) -> Column:
    """Return a column of texts with the values of a group of columns. Its values are not counted yet."""
    numbers = [column for column in group if column.keys[-1] in NUMBER_KEYS and "$date" not in column.keys]
    first = group[0]
    return Column(first.name, first.keys, kind=ValueKind.texts, has_numbers=bool(numbers))


def texts_of(column: Column, values: pa.Array[Any]) -> pa.Array[Any]:
    """Return the values of a column as text. Dates that are counted in milliseconds become dates."""
    texts = values.cast(pa.string())
    is_date = column.keys[-2:] == ("$date", "$numberLong")
    if not is_date or pc.all(pc.match_substring_regex(texts, _MILLISECONDS)).as_py() is False:
        return texts
    times: Any = texts.cast(pa.int64()).cast(pa.timestamp("ms", "UTC"))
    written: Any = pc.strftime(times, format="%Y-%m-%dT%H:%M:%SZ")
    dates: pa.Array[Any] = pc.replace_substring_regex(written, r"\.000Z$", "Z")
    return dates


def mixture_warning(name: str) -> str:
    """Return a warning about a column that `join_columns` created."""
    return (
        f"Column {name!r} contains values both with and without a type key such as `$numberLong`. JSON Lines "
        "output contains all of them in the more frequent form."
    )


def _unwrapped(name: str, keys: tuple[str, ...]) -> str:
    short = _without_types(keys)
    return name if short == keys else ".".join(short)


def _without_types(keys: tuple[str, ...]) -> tuple[str, ...]:
    n = len(keys)
    while n > 1 and keys[n - 1] in _KEYS:
        n -= 1
    return keys[:n]


def has_infinite(texts: pa.Array[Any]) -> bool:
    """Return whether any text is NaN or Infinity, which are valid in `$numberDouble` and `$numberDecimal`."""
    return pc.any(pc.match_substring_regex(texts, r"(?i)^\s*[-+]?(?:nan|inf(?:inity)?)\s*$")).as_py() is True
