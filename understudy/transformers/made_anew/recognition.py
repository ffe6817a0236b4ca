"""Which columns are made anew, and as what: the schema says so, or, where nobody looked, the values do."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from understudy.tables.inference import headers, infer_values
from understudy.tables.inference.personal import address_form_of, name_form_of
from understudy.tables.inference.values import sample_array
from understudy.tables.schema import MADE_ANEW_KINDS, Column, ColumnKind
from understudy.transformers.base import ArrowColumn

# A schema of before inference looked at values, or by hand, says these of columns of any kind.
_UNSEEN_KINDS = frozenset({ColumnKind.category, ColumnKind.integer})


@dataclass(frozen=True)
class Recognition:
    """What a column is taken for, and why; the evidence holds no value."""

    kind: ColumnKind
    form: str
    evidence: str


def recognise(column: Column, values: ArrowColumn) -> Recognition | None:
    """Return what a column is to be made anew as, or None if it is to be learnt."""
    kind, evidence = column.kind, column.evidence or "the schema says so"
    if column.confidence is None and kind in _UNSEEN_KINDS:
        inferred = infer_values(column.name, values)
        kind, evidence = inferred.kind, inferred.evidence
    if kind not in MADE_ANEW_KINDS or (kind is ColumnKind.coordinates and _is_number(values.type)):
        return None
    return Recognition(kind, _form(kind, column.name, values), evidence)


def _is_number(type_: pa.DataType) -> bool:
    return pa.types.is_floating(type_) or pa.types.is_integer(type_) or pa.types.is_decimal(type_)


def _form(kind: ColumnKind, name: str, values: ArrowColumn) -> str:
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    if kind in (ColumnKind.name, ColumnKind.address) and is_text:
        form_of = name_form_of if kind is ColumnKind.name else address_form_of
        return form_of(headers.words_of(name), sample_array(values)[0].texts())
    return {ColumnKind.text: "words"}.get(kind, kind.value)
