"""MongoDB Extended JSON: values in an object whose only key names their type, as in `{"$oid": "…"}`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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

    This includes columns without values, which are the last ones of their group. The column with the most
    values is the first one.
    """
    groups: dict[tuple[str, ...], list[Column]] = {}
    for column in columns.values():
        groups.setdefault(_without_types(column.keys), []).append(column)
    return [
        sorted(group, key=lambda column: -column.n_values) for group in groups.values() if _is_mixed(group)
    ]


def _is_mixed(group: Sequence[Column]) -> bool:
    """Return whether the values of a group of columns can be one column."""
    filled = [column for column in group if column.n_values]
    has_json = any(column.has_json for column in group)
    return not has_json and (len(filled) == 1 < len(group) or _has_prefix(filled))


def _has_prefix(group: Sequence[Column]) -> bool:
    """Return whether a column has objects in some lines and other values in others."""
    keys = [column.keys for column in group]
    return any(own != other and own == other[: len(own)] for own in keys for other in keys)


def join_columns(group: Sequence[Column]) -> Column:
    """Return a column of texts with the values of a group of columns. Its values are not counted yet."""
    numbers = [column for column in group if column.keys[-1] in NUMBER_KEYS and "$date" not in column.keys]
    first = group[0]
    return Column(first.name, first.keys, kind=ValueKind.texts, has_numbers=bool(numbers))


def has_milliseconds(column: Column, texts: Iterable[pa.Array[Any]]) -> bool:
    """Return whether all values of a column are dates that are counted in milliseconds."""
    return column.keys[-2:] == ("$date", "$numberLong") and not any(
        pc.all(pc.match_substring_regex(each, _MILLISECONDS)).as_py() is False for each in texts
    )


def dates_of(texts: pa.Array[Any]) -> pa.Array[Any]:
    """Return milliseconds as the texts of dates."""
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
