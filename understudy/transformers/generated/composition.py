"""Compose identifiers from values of other columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.inference.numbers import highest_of
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.array_reader import require
from understudy.transformers.base import ArrowArray, ArrowColumn, Codes, Subjects
from understudy.transformers.generated.coded import Coded
from understudy.transformers.generated.composed import Composed, Parted, fit_composed
from understudy.transformers.generated.filler import Filler
from understudy.transformers.generated.identifiers import PatternTexts, Uuids
from understudy.transformers.generated.identifiers import Sequence as SequenceOfNumbers
from understudy.transformers.generated.json_texts import JsonTexts
from understudy.transformers.generated.references import Candidates, Part, find_parts
from understudy.transformers.generated.texts import pc
from understudy.transformers.generated.transformer import GeneratedTransformer

Fitted = list[tuple[Any, Codes]]

_KINDS = frozenset({ColumnKind.identifier, ColumnKind.url, ColumnKind.text})
_GENERATORS = (PatternTexts, SequenceOfNumbers, Coded, Filler)
# Generators that never generate a value from the table.
_FRESH_GENERATORS = (PatternTexts, SequenceOfNumbers, Coded, Uuids, Composed)
# Maximum share of texts with spaces in a column that is not prose, such as a column of file names.
_SHARE_OF_SENTENCES_MAX = 0.05


@dataclass(frozen=True)
class _Identifier:
    """An identifier that may contain the values of other columns."""

    place: int
    column: Column
    values: ArrowColumn
    mean_width: float

    @property
    def rank(self) -> tuple[float, int]:
        """Rank of the identifier. An identifier can contain only identifiers with a lower rank."""
        return self.mean_width, self.place

    @property
    def is_number(self) -> bool:
        """Whether the values are stored as integers."""
        return bool(pa.types.is_integer(self.values.type))

    def texts(self) -> ArrowArray:
        """Return the values as text."""
        return pa.concat_arrays(self.values.cast(pa.large_string()).chunks)


def composed_of(transformer: Any) -> Composed | None:  # `Any` is a transformer of any kind.
    """Return a transformer's generator if it inserts values from other columns, or None otherwise."""
    generator = transformer.generator if isinstance(transformer, GeneratedTransformer) else None
    return generator if isinstance(generator, Composed) else None


def compose_identifiers(
    fitted: Fitted,
    columns: Sequence[Column],
    values: Sequence[ArrowColumn],
    units: Sequence[Subjects] = (),
) -> Fitted:
    """Return the transformers and codes, with identifiers composed from the columns that they contain.

    Parameters
    ----------
    fitted : list of (transformer, codes)
        Transformers and codes of the columns.
    columns : sequence of Column
        Schema of the columns.
    values : sequence of ChunkedArray
        Values of the columns.
    units : sequence of array of shape (n_rows,)
        Arrays with the subject or entity of each row.
    """
    identifiers = {own.place: own for own in _identifiers(fitted, columns, values)}
    out = list(fitted)
    for own in sorted(identifiers.values(), key=lambda identifier: identifier.rank):
        others = [
            (place, column.name, values[place])
            for place, column in enumerate(columns)
            if place != own.place
            and not (own.is_number and _is_text(values[place].type))
            and (place not in identifiers or identifiers[place].rank < own.rank)
            and _can_be_contained(out[place][0])
        ]
        generator = _fit(own, find_parts(own.values, others), out, values, units)
        if generator is not None and generator.n_rows_max >= len(own.values):
            transformer, codes = out[own.place]
            out[own.place] = replace(transformer, generator=generator), codes
    return out


def _identifiers(
    fitted: Fitted, columns: Sequence[Column], values: Sequence[ArrowColumn]
) -> Iterator[_Identifier]:
    for place, ((transformer, _), column) in enumerate(zip(fitted, columns, strict=True)):
        is_generated = isinstance(transformer, GeneratedTransformer) and column.kind in _KINDS
        if not is_generated or not isinstance(transformer.generator, _GENERATORS):
            continue
        texts = values[place].cast(pa.large_string())
        if isinstance(transformer.generator, Filler) and _share_with_blanks(texts) > _SHARE_OF_SENTENCES_MAX:
            continue
        width = pc.mean(pc.utf8_length(texts)).as_py()
        if width is not None:
            yield _Identifier(place, column, values[place], float(width))


def _share_with_blanks(texts: ArrowColumn) -> float:
    return float(pc.mean(pc.match_substring_regex(texts, r"\s").cast(pa.float64())).as_py() or 0)


def _can_be_contained(transformer: Any) -> bool:
    """Return whether an identifier may contain values of a column. Prose and JSON texts are excluded."""
    is_generated = isinstance(transformer, GeneratedTransformer)
    return not (is_generated and isinstance(transformer.generator, Filler | JsonTexts))


def _fit(
    own: _Identifier,
    candidates: Candidates,
    fitted: Fitted,
    values: Sequence[ArrowColumn],
    units: Sequence[Subjects],
) -> Composed | None:
    """Return a generator of identifiers that contain as many of the parts as possible.

    An identifier that consists only of values of learned columns would be neither unique nor new. In this
    case, the part with the most values, such as a number within a group, is generated instead.
    """
    if not candidates.parts or (own.is_number and not _fits(own)):
        return None
    texts = own.texts()
    while parts := candidates.choose():
        fresh = [part for part in parts if _is_fresh(part, fitted[part.place][0])]
        is_numbered = any(_is_unique(values[part.place]) for part in fresh)
        parted = Parted(
            texts, tuple(parts), own.column.kind, bool(fresh), is_numbered, own.is_number, tuple(units)
        )
        if generator := fit_composed(parted):
            return generator
        left_out = max(parts, key=lambda part: (part.is_number, part.n_distinct))
        candidates = candidates.without(left_out.place)
    return None


def _fits(own: _Identifier) -> bool:
    """Return whether the integer type of the identifiers can store longer texts than the table contains."""
    length = int(pc.max(pc.utf8_length(own.texts())).as_py() or 0)
    return length + 3 < len(str(highest_of(own.values.type)))


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def _is_fresh(part: Part, transformer: Any) -> bool:
    is_generated = isinstance(transformer, GeneratedTransformer)
    return (
        is_generated
        and part.reference.rendering.is_whole
        and isinstance(transformer.generator, _FRESH_GENERATORS)
    )


def _is_unique(values: ArrowColumn) -> bool:
    return int(pc.count_distinct(values, mode="only_valid").as_py()) == len(values) - values.null_count


def check_sources(schema: TableSchema, columns: Sequence[Any]) -> None:
    """Raise `InvalidInput` if an identifier contains itself, or a column that does not exist."""
    composed = {
        column.name: generator
        for column, transformer in zip(schema.columns, columns, strict=True)
        if (generator := composed_of(transformer)) is not None
    }
    for generator in composed.values():
        for reference in generator.references:
            is_known = reference.column in schema.names
            require(is_known, "an identifier contains an unknown column")
            type_ = parse_arrow_type(schema.column(reference.column).arrow_type)
            require(
                reference.rendering.suits(type_),
                "the type of a column does not suit its form in an identifier",
            )
    done: set[str] = set()
    while len(done) < len(composed):
        ready = {
            name for name, generator in composed.items() if set(generator.sources) & composed.keys() <= done
        } - done
        require(bool(ready), "an identifier contains itself")
        done |= ready
