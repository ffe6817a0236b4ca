"""Generators of identifiers with a known format (cards, IBANs, national IDs, …), with valid check digits.

New identifiers do not occur in the table. All possible identifiers of a format are numbered and divided into
blocks. Only blocks that contain no identifier from the table are used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.kernels import decoding, hashing
from understudy.tables.identifier_formats import (
    CARDS,
    IBANS,
    IDENTIFIER_FORMATS,
    IP_ADDRESSES,
    NATIONAL_IDS,
    URLS,
    IdentifierFormat,
)
from understudy.tables.identifier_formats.base import compacted
from understudy.tables.inference.numbers import highest_of
from understudy.tables.inference.texts import find_matches
from understudy.tables.schema import ColumnKind
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import MIN_SUPPORT, Arrays, ArrowArray, Json, Mask, RowStream
from understudy.transformers.categorical import cumulate
from understudy.transformers.generated.patterns import (
    LENGTH_MAX,
    N_PATTERNS_MAX,
    Pattern,
    by_length,
    learn_patterns,
)
from understudy.transformers.generated.spaces import Space, fit_space
from understudy.transformers.generated.templates import Template, characters_of_length
from understudy.transformers.generated.texts import join
from understudy.transformers.generated.transformer import N_ROWS_ANY

# Positions of rows in a stream.
Places = npt.NDArray[np.int64]

# Offsets of the random streams for the choice of a format and for the texts of patterns.
_CHOICE, _WORDS = 1 << 50, 1 << 51
# Placeholder for a character of an identifier in a layout. All other characters of a layout are separators.
SLOT = "#"
SEPARATORS = "-./ "
FORMATS_OF_KIND: dict[ColumnKind, tuple[IdentifierFormat, ...]] = {
    ColumnKind.card: CARDS,
    ColumnKind.iban: IBANS,
    ColumnKind.national_id: NATIONAL_IDS,
    ColumnKind.ip: IP_ADDRESSES,
    ColumnKind.url: URLS,
}
# Kinds of identifiers that are generated with the separators from the table.
_KINDS_WITH_SEPARATORS = frozenset({ColumnKind.card, ColumnKind.iban, ColumnKind.national_id})
# Minimum share of texts that must have a known format.
_PLAUSIBLE = 0.5
# Minimum size of an IP address range, as a multiple of the number of distinct table addresses in the range.
ROOM_MIN = 8


def write_by_choice(
    counts: npt.NDArray[np.int64], stream: RowStream, write: Callable[[int, Places], ArrowArray]
) -> ArrowArray:
    """Return a text for each row. The form of each text is sampled in proportion to the counts.

    Parameters
    ----------
    counts : array of shape (n_forms,)
        Frequency of each form.
    write : callable (form, places) -> texts
        Function that returns texts in one form for the rows at the given positions in the stream.
    """
    choice = np.zeros(len(stream.rows), np.uint16)
    if len(counts) > 1:
        key = RowStream(stream.seed, stream.stream + _CHOICE, stream.rows).key()
        decoding.draw_from_marginal(cumulate(counts), key, choice)
    parts: list[ArrowArray] = [pa.array([], pa.large_string())]
    places = [np.zeros(0, np.int64)]
    for i in range(len(counts)):
        own = np.flatnonzero(choice == i)
        if len(own):
            parts.append(write(i, own))
            places.append(own)
    order = np.argsort(np.concatenate(places), kind="stable")
    return pa.concat_arrays(parts).take(pa.array(order, pa.int64()))


@dataclass(frozen=True)
class Coded:
    """A generator of texts in one or more identifier formats, in the same proportions as in the table.

    Parameters
    ----------
    spaces : tuple of Space
        For each format, the texts that do not occur in the table.
    layouts : tuple of str
        The layout of each format: a `SLOT` for each character, and separators. The layout is empty if there
        are no separators.
    counts : array of shape (n_formats,)
        Number of texts in the table that have each format.
    """

    spaces: tuple[Space[Template], ...]
    layouts: tuple[str, ...]
    counts: npt.NDArray[np.int64]

    @property
    def n_rows_max(self) -> int:
        """The number of rows is not limited. If there are more rows than texts in a format, texts repeat."""
        return N_ROWS_ANY

    def make(self, stream: RowStream) -> ArrowArray:
        """Return a text for each row."""
        stream = stream.of_identifiers()

        def write(i: int, own: Places) -> ArrowArray:
            space = self.spaces[i]
            rows = stream.rows[own] % np.uint64(space.capacity)
            return _laid_out(space.make(RowStream(stream.seed, stream.stream, rows)), self.layouts[i])

        return write_by_choice(self.counts, stream, write)

    def describe(self) -> Json:
        """Return the names of the formats."""
        return {"form": "coded", "schemes": [_name(space) for space in self.spaces]}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the formats, their layouts, counts and free blocks."""
        manifest: Json = {
            "form": "coded",
            "schemes": [_name(space) for space in self.spaces],
            "layouts": list(self.layouts),
            "n_blocks": [space.n_blocks for space in self.spaces],
        }
        return manifest, {"counts": self.counts} | {f"free_{i}": s.free for i, s in enumerate(self.spaces)}

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a generator from the output of `to_arrays`."""
        names, layouts = reader.texts("schemes"), reader.texts("layouts")
        is_known = 0 < len(names) <= len(IDENTIFIER_FORMATS) and set(names) <= IDENTIFIER_FORMATS.keys()
        require(is_known and len(layouts) == len(names), "an identifier format is unknown")
        n_blocks = reader.parts("n_blocks", len(names))
        templates = [Template(name) for name in names]
        if pa.types.is_integer(type_):
            n_digits = len(str(highest_of(type_))) - 1
            fit = all(is_storable(template.identifier_format, n_digits) for template in templates)
            require(fit and not any(layouts), "an integer column has characters other than digits")
        spaces = tuple(
            Space.from_arrays(template, n, f"free_{i}", reader)
            for i, (template, n) in enumerate(zip(templates, n_blocks, strict=True))
        )
        require(all(space.capacity for space in spaces), "an identifier format cannot generate new texts")
        for template, layout in zip(templates, layouts, strict=True):
            _check_layout(template, layout)
        return cls(spaces, tuple(layouts), reader.counts("counts", len(names)))


def _check_layout(template: Template, layout: str) -> None:
    marks = layout.replace(SLOT, "")
    is_layout = layout.count(SLOT) == template.identifier_format.length and len(marks) <= LENGTH_MAX
    require(not layout or (is_layout and set(marks) <= set(SEPARATORS)), "a layout is invalid")


def is_storable(identifier_format: IdentifierFormat, length_max: int) -> bool:
    """Return whether texts in a format consist of at most `length_max` digits."""
    return identifier_format.is_numeral and identifier_format.length <= length_max


def _name(space: Space[Template]) -> str:
    return space.pattern.scheme_name


def _laid_out(compact: ArrowArray, layout: str) -> ArrowArray:
    """Insert the separators of a layout into texts."""
    if not layout:
        return compact
    runs = "".join(c if c == SLOT else f"\x00{c}\x00" for c in layout).split("\x00")
    out: list[Any] = []
    start = 0
    for run in runs:
        if run.startswith(SLOT):
            out.append(pc.utf8_slice_codeunits(compact, start, start + len(run)))
            start += len(run)
        elif run:
            out.append(run)
    return join(out, "")


# Default formats for kinds that require valid new texts even if no text in the table has a known format.
_ALWAYS_VALID: dict[ColumnKind, IdentifierFormat] = {ColumnKind.url: URLS[0]}


def fit_coded(kind: ColumnKind, distinct: ArrowArray, n_values: int) -> Coded | None:
    """Return the generator for the formats of most texts, or None if most texts have no known format.

    Parameters
    ----------
    kind : ColumnKind
        Kind of the column.
    distinct : array of shape (n_distinct,)
        Distinct texts of the column.
    n_values : int
        Number of values that are not missing. No format is learned from fewer than k values.
    """
    compact = compacted(distinct) if kind in _KINDS_WITH_SEPARATORS else distinct
    formats: list[tuple[IdentifierFormat, Mask]] = []
    rest = np.ones(len(distinct), np.bool_)
    # The first format can be learned from fewer than k distinct texts if many rows share them. Each
    # additional format requires k distinct texts.
    n_needed = MIN_SUPPORT if n_values < MIN_SUPPORT else min(MIN_SUPPORT, max(len(distinct) // 2, 1))
    for identifier_format, is_match in _by_coverage(kind, compact):
        own = is_match & rest
        has_room = own.sum() * ROOM_MIN <= Template(identifier_format.name).count_texts()
        if own.sum() >= (MIN_SUPPORT if formats else n_needed) and (has_room or kind is not ColumnKind.ip):
            formats.append((identifier_format, own))
            rest &= ~own
    if not formats or rest.mean() > 1 - _PLAUSIBLE:
        if kind not in _ALWAYS_VALID:
            return None
        formats = [(_ALWAYS_VALID[kind], np.zeros(len(distinct), np.bool_))]
    return _coded(kind, formats, distinct, compact)


def _coded(
    kind: ColumnKind, formats: list[tuple[IdentifierFormat, Mask]], distinct: ArrowArray, compact: ArrowArray
) -> Coded:
    spaces = tuple(_space(identifier_format, compact) for identifier_format, _ in formats)
    layouts = tuple(
        _layout(distinct.filter(pa.array(own)), kind, identifier_format) for identifier_format, own in formats
    )
    return Coded(spaces, layouts, np.array([max(own.sum(), 1) for _, own in formats], np.int64))


def _by_coverage(kind: ColumnKind, compact: ArrowArray) -> list[tuple[IdentifierFormat, Mask]]:
    """Return the formats, each with a mask of its texts. For national IDs, return only the best format."""
    matches = [
        (identifier_format, _find(identifier_format, compact, kind))
        for identifier_format in FORMATS_OF_KIND[kind]
    ]
    if kind is ColumnKind.ip:
        return matches
    # Formats with check digits take precedence. The order of the formats breaks ties.
    matches.sort(key=lambda pair: -float(pair[1].mean()) + (0.0 if pair[0].complete else 0.2))
    return matches[:1] if kind is ColumnKind.national_id else matches


def _find(identifier_format: IdentifierFormat, compact: ArrowArray, kind: ColumnKind) -> Mask:
    if kind in _KINDS_WITH_SEPARATORS:
        return identifier_format.find(compact)
    return find_matches(compact, rf"^(?i:{identifier_format.pattern})$")


def _space(identifier_format: IdentifierFormat, compact: ArrowArray) -> Space[Template]:
    template = Template(identifier_format.name)
    space = fit_space(template, characters_of_length(compact, identifier_format.length))
    return space if space.capacity else Space(template, 1, np.zeros(1, np.uint32))


def _layout(texts: ArrowArray, kind: ColumnKind, identifier_format: IdentifierFormat) -> str:
    """Return the most frequent layout of the texts if enough rows share it, and otherwise an empty string."""
    if kind not in _KINDS_WITH_SEPARATORS:
        return ""
    layouts = pc.value_counts(pc.replace_substring_regex(texts, f"[^{SEPARATORS}]", SLOT))
    counts = layouts.field("counts").to_numpy()
    commonest = int(counts.argmax())
    layout = str(layouts.field("values")[commonest])
    is_shared = counts[commonest] >= MIN_SUPPORT and layout.count(SLOT) == identifier_format.length
    return layout if is_shared and layout.strip(SLOT) else ""


@dataclass(frozen=True)
class PatternCodes:
    """A generator of strings that may repeat and may equal real values, such as postal codes.

    Parameters
    ----------
    patterns : tuple of Pattern
        Patterns of the texts.
    counts : array of shape (n_patterns,)
        Number of distinct texts in the table that have each pattern.
    """

    patterns: tuple[Pattern, ...]
    counts: npt.NDArray[np.int64]

    @property
    def n_rows_max(self) -> int:
        """The number of rows is not limited."""
        return N_ROWS_ANY

    def make(self, stream: RowStream) -> ArrowArray:
        """Return a text for each row."""
        return write_by_choice(self.counts, stream, lambda i, own: self.write(i, stream, own))

    def write(self, i: int, stream: RowStream, own: Places) -> ArrowArray:
        """Return texts with one pattern for the rows at the given positions in the stream."""
        return self.patterns[i].write(_random(self.patterns[i], stream, own))

    def describe(self) -> Json:
        """Return the number of patterns."""
        return {"form": "codes", "patterns": len(self.patterns)}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the patterns and their counts."""
        manifest: Json = {"form": "codes", "patterns": [list(pattern.positions) for pattern in self.patterns]}
        return manifest, {"counts": self.counts}

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a generator from the output of `to_arrays`."""
        written: Any = reader.manifest.get("patterns")
        require(
            isinstance(written, list) and 0 < len(written) <= N_PATTERNS_MAX,
            "the list of patterns is invalid",
        )
        patterns = tuple(Pattern.from_positions(positions) for positions in written)
        if pa.types.is_integer(type_):
            n_digits = len(str(highest_of(type_))) - 1
            is_number = all(pattern.has_digits_only(n_digits) for pattern in patterns)
            require(is_number, "an integer column has characters other than digits")
        return cls(patterns, reader.counts("counts", len(patterns)))


def _random(pattern: Pattern, stream: RowStream, own: npt.NDArray[np.int64]) -> list[npt.NDArray[np.uint64]]:
    indices = []
    for chunk in range(len(pattern.chunks)):
        words = np.empty(len(own), np.uint64)
        rows = RowStream(stream.seed, stream.stream + _WORDS + (chunk << 40), stream.rows[own])
        hashing.hash_rows(*rows.key(), words)
        indices.append(words % np.uint64(pattern.count_texts(chunk)))
    return indices


def fit_codes(
    distinct: ArrowArray, *, length_max: int | None = None, is_number: bool = False
) -> PatternCodes:
    """Return the generator for the patterns of texts. Patterns with fewer than k distinct texts are ignored.

    Parameters
    ----------
    length_max : int, optional
        Maximum length of patterns. Longer patterns are omitted.
    is_number : bool
        Whether the texts are integers, which must not begin with a zero.
    """
    learned = learn_patterns(by_length(distinct))
    if is_number:
        learned = [(_nonzero(pattern), count) for pattern, count in learned]
    if length_max is not None:
        learned = [(pattern, count) for pattern, count in learned if len(pattern.positions) <= length_max]
    n_digits = min(5, length_max or 5)
    learned = learned or [(Pattern(("nonzero",) + ("digit",) * (n_digits - 1)), 1)]
    return PatternCodes(
        tuple(pattern for pattern, _ in learned), np.array([count for _, count in learned], np.int64)
    )


def _nonzero(pattern: Pattern) -> Pattern:
    first, *others = pattern.positions
    return Pattern(("nonzero" if first == "digit" else first, *others))
