"""Made-up codes that contain values of other columns, such as a region code that begins with its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.synthesizers.tree_chain.difference_columns import DrawnTable
from understudy.synthesizers.tree_chain.rule_enforcement import Pair
from understudy.transformers.base import (
    ArrowArray,
    ArrowColumn,
    Codes,
    RowStream,
    Transformer,
    consecutive_rows,
)
from understudy.transformers.categorical import CategoricalTransformer
from understudy.transformers.generated.text_parts import Part, find_part
from understudy.transformers.labels import LabelTransformer
from understudy.transformers.table import TableTransformer

# Maximum number of other made-up codes whose ending is tried until a code is new.
N_ATTEMPTS = 100


def insert_parts(drawn: DrawnTable, lookups: Mapping[Pair, Codes]) -> TableTransformer:
    """Return the table's transformer, with made-up codes that contain the values they determine.

    Parameters
    ----------
    lookups : mapping of (int, int) to array of shape (n_levels + 1,)
        Codes of each determined column, by level of the code column.
    """
    columns = list(drawn.transformer.columns)
    for (dependent, code), codes in lookups.items():
        transformer = columns[code]
        is_label = isinstance(columns[dependent], LabelTransformer)
        if is_label or not isinstance(transformer, CategoricalTransformer) or not transformer.n_made_up:
            continue
        part = _find(drawn.rows.column(code), drawn.rows.column(dependent))
        if part is not None:
            shown = _values(columns[dependent], codes[transformer.n_kept : len(transformer.levels)])
            known = drawn.rows.column(code).unique().cast(pa.string()).to_pylist()
            new = _rewritten(transformer, shown, part, set(known))
            columns = [_with_code(column, transformer, new, code) for column in columns]
            columns[code] = new
    return replace(drawn.transformer, columns=tuple(columns))


def _find(codes: ArrowColumn, values: ArrowColumn) -> Part | None:
    """Return the part of each code that is the value of the other column, or None if no part matches."""
    if not (_is_text_or_integer(codes.type) and _is_text_or_integer(values.type)):
        return None
    pairs: Any = pa.table([codes, values], names=["code", "value"]).group_by(["code", "value"]).aggregate([])
    pairs = pairs.drop_null()
    texts: list[list[Any]] = [pairs.column(name).cast(pa.string()).to_pylist() for name in ("code", "value")]
    return find_part(texts[0], texts[1])


def _is_text_or_integer(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_integer(type_)


def _values(transformer: Transformer, codes: Codes) -> list[str | None]:
    """Return the value of each code as text, with None for codes that represent several values."""
    values: ArrowArray = transformer.decode(codes, RowStream(0, 0, consecutive_rows(0, len(codes))))
    texts: list[Any] = values.cast(pa.string()).to_pylist()
    return [
        text if is_exact else None for text, is_exact in zip(texts, transformer.is_exact[codes], strict=True)
    ]


def _rewritten(
    code: CategoricalTransformer, values: list[str | None], part: Part, known: set[str | None]
) -> CategoricalTransformer:
    """Return the code column with made-up levels that contain the values, unless a level is already used.

    Parameters
    ----------
    known : set of str
        Codes of the table, including rare codes. Made-up codes must differ from all of these codes.
    """
    levels: list[Any] = code.levels.cast(pa.string()).to_pylist()
    made_up = levels[code.n_kept :]
    taken = known | {level for level, value in zip(made_up, values, strict=True) if value is None}
    for i, value in enumerate(values):
        if value is None:
            continue
        others = made_up[i:] + made_up[:i]
        texts = (part.write(other, value) for other in others[:N_ATTEMPTS])
        # There are more made-up codes than codes that are already used, so at least one of them is free.
        text = next(text for text in chain(texts, made_up) if text not in taken)
        taken.add(text)
        levels[code.n_kept + i] = text
    return replace(code, levels=pa.array(levels, pa.string()).cast(code.levels.type))


def _with_code(
    column: Transformer, old: CategoricalTransformer, new: CategoricalTransformer, place: int
) -> Transformer:
    """Return a label column with the new codes of its code column. Codes within labels are also replaced."""
    if not isinstance(column, LabelTransformer) or column.column_of_code != place:
        return column
    labels: list[Any] = column.labels.cast(pa.string()).to_pylist()
    pairs = list(
        zip(old.levels.cast(pa.string()).to_pylist(), new.levels.cast(pa.string()).to_pylist(), strict=True)
    )
    is_inside = np.mean([a in (label or "") for (a, _), label in zip(pairs, labels, strict=False)]) > 0.5
    if is_inside and not pa.types.is_integer(column.labels.type):
        made_up = [
            (label or "").replace(str(a), str(b), 1) for (a, b), label in zip(pairs, labels, strict=False)
        ]
        labels = [
            text if label is not None else None for text, label in zip(made_up, labels, strict=False)
        ] + labels[-1:]
    return replace(column, code=new, labels=pa.array(labels, pa.string()).cast(column.labels.type))
