"""A generator of identifiers that contain values from other columns in the same row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa

from understudy.tables.schema import ColumnKind
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import MIN_SUPPORT, Arrays, ArrowArray, Json, RowStream, Subjects
from understudy.transformers.generated.coded import PatternCodes
from understudy.transformers.generated.identifiers import PatternTexts, fit_patterns
from understudy.transformers.generated.locations import MARKS, N_MARKS_MAX, cut_all, has_all_marks
from understudy.transformers.generated.patterns import (
    LENGTH_MAX,
    N_PATTERNS_MAX,
    Pattern,
    by_length,
    learn_patterns,
    shared_texts,
)
from understudy.transformers.generated.references import Part, Reference
from understudy.transformers.generated.renderings import Rendering
from understudy.transformers.generated.texts import distinct_values, join, pc

# Values from other columns in the same rows, by column name.
ValuesByColumn = Mapping[str, ArrowArray]
# Minimum number of new texts per row of the table. If there are fewer new texts, zeros in the pattern become
# arbitrary digits.
_N_TEXTS_PER_ROW = 8
_HOST, _EXAMPLE_HOST = r"^(https?://|//)?[^/?#]+", r"\1example.com"


@dataclass(frozen=True)
class Composed:
    """A generator of texts that contain values from other columns in place of marks.

    Parameters
    ----------
    rest : PatternTexts or PatternCodes
        Generator of the texts around the values, with mark i in place of the value of reference i.
    references : tuple of Reference
        References to the columns that supply the inserted values.
    values : mapping of str to array, optional
        Values from these columns for the generated rows.
    """

    rest: PatternTexts | PatternCodes
    references: tuple[Reference, ...]
    values: ValuesByColumn | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the columns that supply the inserted values."""
        return tuple(dict.fromkeys(reference.column for reference in self.references))

    @property
    def n_rows_max(self) -> int:
        """The maximum number of rows that can have different texts."""
        return self.rest.n_rows_max

    def given(self, values: ValuesByColumn) -> Self:
        """Return a generator for rows with the given values in other columns."""
        return replace(self, values=values)

    def make(self, stream: RowStream) -> ArrowArray:
        """Return an identifier for each row."""
        texts = self.rest.make(stream)
        for mark, reference in zip(MARKS, self.references, strict=False):
            texts = _insert(texts, mark, self._written(reference, len(stream.rows)))
        return texts

    def _written(self, reference: Reference, n: int) -> ArrowArray:
        fallback = pa.scalar(reference.fallback, pa.large_string())
        if self.values is None or reference.column not in self.values:
            return pa.repeat(fallback, n)
        written: ArrowArray = pc.fill_null(reference.rendering.write(self.values[reference.column]), fallback)
        return written

    def describe(self) -> Json:
        """Return the form, the inserted columns, and the number of patterns of the remaining text."""
        own: Json = {"form": "composed", "contains": list(self.sources)}
        return {key: n for key, n in self.rest.describe().items() if key != "form"} | own

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the references and the generator of the remaining texts."""
        manifest, arrays = self.rest.to_arrays()
        references = [
            {"column": own.column, "fallback": own.fallback, "rendering": own.rendering.to_json()}
            for own in self.references
        ]
        own: Json = {"form": "composed", "rest": manifest, "references": references}
        return own, {f"rest.{name}": array for name, array in arrays.items()}

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a generator from the output of `to_arrays`."""
        own = reader.part(reader.manifest.get("rest"), reader.prefix + "rest.")
        rests: dict[str, type[PatternTexts | PatternCodes]] = {"pattern": PatternTexts, "codes": PatternCodes}
        rest = rests[own.choice("form", rests)].from_arrays(kind, pa.large_string(), own)
        written: Any = reader.manifest.get("references")
        is_list = isinstance(written, list) and 0 < len(written) <= N_MARKS_MAX
        require(is_list, "an identifier has no references or too many")
        references = tuple(_reference_of(reader.part(entry, "")) for entry in written)
        marks = list(MARKS[: len(references)])
        patterns = [pattern.positions for pattern in patterns_of(rest)]
        is_complete = all([p for p in sorted(positions) if p in MARKS] == marks for positions in patterns)
        require(is_complete, "a pattern does not contain all references")
        return cls(rest, references)


def _reference_of(reader: ArrayReader) -> Reference:
    fallback = reader.text("fallback")
    require(len(fallback) <= LENGTH_MAX, "a text for missing values is too long")
    rendering = Rendering.from_reader(reader.part(reader.manifest.get("rendering"), ""))
    return Reference(reader.text("column"), rendering, fallback)


def patterns_of(rest: PatternTexts | PatternCodes) -> list[Pattern]:
    """Return the patterns of the texts around the values, with marks in place of the values."""
    if isinstance(rest, PatternCodes):
        return list(rest.patterns)
    return [space.pattern for space in (*rest.spaces, *rest.wider)]


def _insert(texts: ArrowArray, mark: str, values: ArrowArray) -> ArrowArray:
    """Return the texts with each row's value in place of the mark."""
    halves: Any = pc.split_pattern(texts, pattern=mark, max_splits=1)
    return join([pc.list_element(halves, 0), values, pc.list_element(halves, 1)], "")


@dataclass(frozen=True)
class Parted:
    """Identifiers from a table, and the parts of these identifiers that are values from other columns.

    Parameters
    ----------
    values : array of shape (n_rows,)
        Identifiers as text.
    parts : tuple of Part
        Parts that are values from other columns.
    kind : ColumnKind
        Kind of the identifiers.
    is_fresh : bool
        Whether the generated values of at least one part never occur in the table. If true, the remaining
        text may occur in the table.
    is_numbered : bool
        Whether the generated values of such a part are also unique. If true, the remaining text may repeat.
    is_number : bool
        Whether the identifiers are integers, which must not begin with a zero.
    units : tuple of array of shape (n_rows,)
        Arrays with the subject or entity of each row. The generator reproduces a text only if enough subjects
        or entities share it in each array.
    """

    values: ArrowArray
    parts: tuple[Part, ...]
    kind: ColumnKind
    is_fresh: bool
    is_numbered: bool
    is_number: bool
    units: tuple[Subjects, ...] = ()


def fit_composed(own: Parted) -> Composed | None:
    """Return a generator of identifiers with these parts, or None if the rest of the text has no pattern."""
    rests = cut_all(own.values, [part.location for part in own.parts])
    if own.kind is ColumnKind.url:
        rests = pc.replace_substring_regex(rests, pattern=_HOST, replacement=_EXAMPLE_HOST)
    is_complete = pc.fill_null(has_all_marks(rests, len(own.parts)), False)
    complete, units = rests.filter(is_complete), [unit[np.asarray(is_complete)] for unit in own.units]
    references = tuple(part.reference for part in own.parts)
    if own.is_fresh and (literal := _literals(complete, len(own.values), units)):
        return Composed(literal, references)
    distinct = distinct_values(rests)
    learned = [
        (_without_leading_zero(pattern) if own.is_number else pattern, n)
        for pattern, n in learn_patterns(by_length(shared_texts(complete, units)))
        if _has_marks(pattern, len(own.parts))
    ]
    if sum(n for _, n in learned) < max(len(distinct) / 2, MIN_SUPPORT):
        return None
    if own.is_fresh and own.is_numbered:
        patterns = tuple(pattern for pattern, _ in learned)
        return Composed(PatternCodes(patterns, np.array([n for _, n in learned], np.int64)), references)
    n_needed = _N_TEXTS_PER_ROW * len(own.values)
    wide = [(_widened(pattern) if pattern.count_texts() < n_needed else pattern, n) for pattern, n in learned]
    return Composed(fit_patterns(wide, by_length(distinct)), references)


def _without_leading_zero(pattern: Pattern) -> Pattern:
    first, *others = pattern.positions
    return Pattern(("nonzero" if first == "digit" else first, *others))


def _has_marks(pattern: Pattern, n: int) -> bool:
    return all(pattern.positions.count(mark) == 1 for mark in MARKS[:n])


def _literals(rests: ArrowArray, n_rows: int, units: Sequence[Subjects]) -> PatternCodes | None:
    """Return a generator of the remaining texts if there are only a few and enough rows share each of them.

    If the table has subjects or entities, enough of these must also share each text.
    """
    encoded: Any = rests.dictionary_encode()
    texts, index = encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)
    counts = np.bincount(index, minlength=len(texts))
    is_shared = counts >= MIN_SUPPORT
    for unit in units:
        pairs = np.unique(index * (int(unit.max(initial=0)) + 1) + unit)
        n_units = np.bincount(pairs // (int(unit.max(initial=0)) + 1), minlength=len(texts))
        is_shared &= n_units >= min(MIN_SUPPORT, len(np.unique(unit)))
    kept = [(text, int(n)) for text, n, own in zip(texts, counts, is_shared, strict=True) if own]
    is_all = sum(n for _, n in kept) >= 0.99 * n_rows
    if (
        not kept
        or not is_all
        or len(kept) > N_PATTERNS_MAX
        or max(len(text) for text, _ in kept) > LENGTH_MAX
    ):
        return None
    kept.sort(key=lambda pair: (-pair[1], pair[0]))
    patterns = tuple(Pattern(tuple(text)) for text, _ in kept)
    return PatternCodes(patterns, np.array([n for _, n in kept], np.int64))


def _widened(pattern: Pattern) -> Pattern:
    """Return the pattern with digits in place of zeros that precede digits: `digit digit` for `0 digit`."""
    positions = list(pattern.positions)
    for i in range(len(positions) - 2, -1, -1):
        if positions[i] == "0" and positions[i + 1] == "digit":
            positions[i] = "digit"
    return Pattern(tuple(positions))
