"""Which columns are generated, and as what: their kinds decide, and headers and values decide the form."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from understudy.tables.inference import headers, is_generated_column
from understudy.tables.inference.personal import address_form_of, name_form_of
from understudy.tables.inference.values import sample_array
from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.base import ArrowColumn


@dataclass(frozen=True)
class Recognition:
    """The kind and the form in which the values of a column are generated."""

    kind: ColumnKind
    form: str


def recognise(column: Column, values: ArrowColumn) -> Recognition | None:
    """Return how the values of a column are generated, or None if they are learnt."""
    if not is_generated_column(column, values.type):
        return None
    return Recognition(column.kind, _form(column.kind, column.name, values))


def _form(kind: ColumnKind, name: str, values: ArrowColumn) -> str:
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    if kind in (ColumnKind.name, ColumnKind.address) and is_text:
        form_of = name_form_of if kind is ColumnKind.name else address_form_of
        return form_of(headers.words_of(name), sample_array(values)[0].texts())
    return {ColumnKind.text: "words"}.get(kind, kind.value)
