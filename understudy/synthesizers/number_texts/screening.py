"""Find the text columns that may consist of numbers and units. This check rules out most text columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from understudy.tables.inference import has_key_header
from understudy.tables.quantities import are_quantities
from understudy.tables.schema import Column
from understudy.transformers.base import ArrowColumn

# Number of strings that are examined before all strings are split.
_N_EXAMINED = 200


def may_be_numbers(column: Column, values: ArrowColumn) -> bool:
    """Return whether the first strings of a column are quantities, and its name is not that of a key."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return False
    return not has_key_header(column.name) and _begins_with_quantities(values)


def _begins_with_quantities(values: ArrowColumn) -> bool:
    first: Any = values.drop_null().slice(0, _N_EXAMINED).cast(pa.string())
    texts = [text.strip() for text in dict.fromkeys(first.to_pylist())]
    return bool(texts) and are_quantities(texts)
