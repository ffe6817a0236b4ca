"""Load the transformer of a generated column. Its kind and form determine the generator."""

from __future__ import annotations

from typing import Any, Protocol

import pyarrow as pa

from understudy.tables.notation_scripts import DIGITS
from understudy.tables.placeholders import find_placeholders
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.generated.coded import Coded, PatternCodes
from understudy.transformers.generated.composed import Composed
from understudy.transformers.generated.filler import Filler
from understudy.transformers.generated.identifiers import PatternTexts, Sequence, Uuids
from understudy.transformers.generated.json_texts import JsonTexts
from understudy.transformers.generated.messages import Messages
from understudy.transformers.generated.personal import Personal
from understudy.transformers.generated.placed_codes import PlacedCodes
from understudy.transformers.generated.points import Points
from understudy.transformers.generated.transformer import GeneratedTransformer, ValueGenerator


class _LoadableGenerator(Protocol):
    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Any: ...


# The generator class for each form. `Personal` is the generator class for all other forms.
_GENERATORS: dict[str, type[_LoadableGenerator]] = {
    "sequential": Sequence,
    "uuid": Uuids,
    "pattern": PatternTexts,
    "coded": Coded,
    "codes": PatternCodes,
    "points": Points,
    "words": Filler,
    "json": JsonTexts,
    "messages": Messages,
    "composed": Composed,
    "placed": PlacedCodes,
}
# Kinds that `Personal` generates, except for the forms in `_NOT_PERSONAL`.
_OF_PEOPLE = frozenset(
    {ColumnKind.text, ColumnKind.name, ColumnKind.email, ColumnKind.phone, ColumnKind.address}
)
_NOT_PERSONAL = (
    *((ColumnKind.text, form) for form in ("words", "json", "messages", "composed")),
    (ColumnKind.phone, "codes"),
)
_FORMS_OF_NUMBERS = frozenset({"sequential", "pattern", "coded", "codes", "composed", "placed"})


def load_generated(column: Column, type_: pa.DataType, reader: ArrayReader) -> GeneratedTransformer:
    """Load a transformer from the output of `GeneratedTransformer.to_arrays`."""
    kind = ColumnKind(reader.choice("generated", {kind.value for kind in GENERATED_KINDS}))
    form = reader.text("form")
    is_number = pa.types.is_integer(type_) and form in _FORMS_OF_NUMBERS
    is_text = pa.types.is_string(type_) or pa.types.is_large_string(type_)
    require(
        is_number or (is_text and form != "sequential"),
        "the type of a generated column does not suit its form",
    )
    generator: ValueGenerator = _generator_of(kind, form).from_arrays(kind, type_, reader)
    has_missing, has_values = reader.truth("has_missing"), reader.truth("has_values")
    placeholders = tuple(reader.texts("placeholders")) if "placeholders" in reader.manifest else ()
    require(not placeholders or is_text, "a column that is not text has placeholders")
    require(
        bool(find_placeholders(pa.array(placeholders, pa.large_string())).all()), "a placeholder is unknown"
    )
    digits = reader.choice("digits", DIGITS) if "digits" in reader.manifest else "latin"
    require(digits == "latin" or is_text, "a column that is not text has digits of another script")
    return GeneratedTransformer(
        column.name, type_, kind.value, has_missing, has_values, generator, placeholders, digits
    )


def _generator_of(kind: ColumnKind, form: str) -> type[_LoadableGenerator]:
    if kind in _OF_PEOPLE and (kind, form) not in _NOT_PERSONAL:
        return Personal
    is_known = form in _GENERATORS and (form not in ("words", "messages") or kind is ColumnKind.text)
    require(is_known, "the form of a generated column is unknown")
    return _GENERATORS[form]
