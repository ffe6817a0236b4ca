"""MongoDB Extended JSON: values in an object whose only key names their type, as in `{"$oid": "…"}`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.formats.jsonl.columns import Column
from understudy.tables.json_place import NUMBER_KEYS

_KEYS = NUMBER_KEYS | {"$oid", "$date", "$uuid", "$symbol"}


def unwrapped_names(columns: Mapping[str, Column]) -> dict[str, str]:
    """Return the name of each column without type keys such as `$oid`.

    The keys are kept if the name would otherwise be empty or equal to the name of another column.
    """
    names = {name: _unwrapped(name, column.keys) for name, column in columns.items()}
    n_columns = Counter(names.values())
    return {name: short if short.strip() and n_columns[short] == 1 else name for name, short in names.items()}


def _unwrapped(name: str, keys: tuple[str, ...]) -> str:
    n = len(keys)
    while n > 1 and keys[n - 1] in _KEYS:
        n -= 1
    return name if n == len(keys) else ".".join(keys[:n])


def has_infinite(texts: pa.Array[Any]) -> bool:
    """Return whether any text is NaN or Infinity, which are valid in `$numberDouble` and `$numberDecimal`."""
    return pc.any(pc.match_substring_regex(texts, r"(?i)^\s*[-+]?(?:nan|inf(?:inity)?)\s*$")).as_py() is True
