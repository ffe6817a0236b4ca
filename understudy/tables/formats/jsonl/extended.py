"""MongoDB Extended JSON: values in an object whose only key names their type, as in `{"$oid": "…"}`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from understudy.tables.formats.jsonl.columns import Column
from understudy.tables.json_place import NUMBER_KEYS

_KEYS = frozenset({"$numberDecimal", "$numberLong", "$numberInt", "$numberDouble"})
_KEYS = NUMBER_KEYS | {"$oid", "$date", "$uuid", "$symbol"}


def unwrapped_names(columns: Mapping[str, Column]) -> dict[str, str]:
    """Return the name of each column without the keys of types, unless two columns would have this name."""
    names = {name: _unwrapped(name, column.keys) for name, column in columns.items()}
    n_columns = Counter(names.values())
    return {name: short if n_columns[short] == 1 else name for name, short in names.items()}


def _unwrapped(name: str, keys: tuple[str, ...]) -> str:
    n = len(keys)
    while n > 1 and keys[n - 1] in _KEYS:
        n -= 1
    return name if n == len(keys) else ".".join(keys[:n])
