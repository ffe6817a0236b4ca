"""A generator of texts such as log lines. Constant words stay in place, and all varying items are made up."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import hashing
from understudy.tables.inference.messages import find_items
from understudy.tables.schema import LOCALES, ColumnKind
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import MIN_SUPPORT, Arrays, ArrowArray, Json, RowStream, Subjects
from understudy.transformers.generated.coded import Coded, PatternCodes, fit_coded, write_by_choice
from understudy.transformers.generated.identifiers import PatternTexts, Uuids, fit_patterns, fit_texts
from understudy.transformers.generated.patterns import Pattern, by_length, shared_texts
from understudy.transformers.generated.personal import Personal, fit_phones
from understudy.transformers.generated.texts import distinct_values, join
from understudy.transformers.generated.transformer import N_ROWS_ANY, ValueGenerator
from understudy.transformers.support import count_sharers

# Maximum number of distinct texts that are used to learn templates.
_N_TEXTS_MAX = 20_000
N_TEMPLATES_MAX = 500
N_PARTS_MAX = 400
# Minimum share of rows with a template that enough rows share, and minimum share of rows with an item that
# may identify a person.
COVERED_MIN = 0.5
WITH_ITEM_MIN = 0.5
# Numbers with at least this many digits may be keys, so these numbers are never reproduced from the table.
N_DIGITS_OF_KEY = 4
# Offset between the random streams for the items in a text.
_ITEM = 1 << 47
# Number of the first made-up person in texts. The people in personal columns have lower numbers.
_PERSON = 60_000
_DIGITS = re.compile(r"\d+")
_COLUMN_KINDS = {
    "ip": ColumnKind.ip,
    "iban": ColumnKind.iban,
    "email": ColumnKind.email,
    "phone": ColumnKind.phone,
    "name": ColumnKind.name,
    "login": ColumnKind.name,
}
_FORMS = {"email": "email", "phone": "phone", "name": "full", "login": "login"}

# A part of a text: whether it is a slot, and the name of the slot or the constant text.
Part = tuple[bool, str]
Template = tuple[Part, ...]


@dataclass(frozen=True)
class Slot:
    """A kind of item that is made up in texts.

    Parameters
    ----------
    generator : ValueGenerator
        Generator of the items.
    n_items : int
        Number of different items in a sample. Items recur, as they do in the table.
    """

    generator: ValueGenerator
    n_items: int


@dataclass(frozen=True)
class Messages:
    """A generator of texts from templates. Templates are used in the same proportions as in the table.

    Parameters
    ----------
    templates : tuple of Template
        Templates. At least k rows or subjects share each template.
    counts : array of shape (n_templates,)
        Number of rows in the table that have each template.
    slots : dict of name to Slot
        Generators of the items.
    locale : str
        Locale of names.
    """

    templates: tuple[Template, ...]
    counts: npt.NDArray[np.int64]
    slots: dict[str, Slot]
    locale: str

    @property
    def n_rows_max(self) -> int:
        """The number of rows is not limited, because items recur."""
        return N_ROWS_ANY

    def make(self, stream: RowStream) -> ArrowArray:
        """Return a text for each row."""

        def write(i: int, own: npt.NDArray[np.int64]) -> ArrowArray:
            rows = stream.rows[own]
            parts: list[ArrowArray | str] = [
                self._items(text, RowStream(stream.seed, stream.stream + (place + 1) * _ITEM, rows))
                if is_slot
                else text
                for place, (is_slot, text) in enumerate(self.templates[i])
            ]
            parts.append(pa.array([""] * len(own), pa.large_string()))
            return join(parts, "")

        return write_by_choice(self.counts, stream, write)

    def _items(self, name: str, stream: RowStream) -> ArrowArray:
        slot = self.slots[name]
        words = np.empty(len(stream.rows), np.uint64)
        hashing.hash_rows(*stream.key(), words)
        numbers = RowStream(stream.seed, _stream_of(name), words % np.uint64(slot.n_items))
        items: ArrowArray = slot.generator.make(numbers).cast(pa.large_string())
        return items

    def describe(self) -> Json:
        """Return the form and the number of templates."""
        return {"form": "messages", "templates": len(self.templates), "items": sorted(self.slots)}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the templates, their counts and the generators of items."""
        slots, arrays = [], {"counts": self.counts}
        for i, (name, slot) in enumerate(self.slots.items()):
            manifest, own = slot.generator.to_arrays()
            # Model files store the generator under the key `maker`.
            slots.append({"name": name, "n_items": slot.n_items, "maker": manifest})
            arrays |= {f"slot_{i}_{key}": array for key, array in own.items()}
        templates = [[[int(is_slot), text] for is_slot, text in template] for template in self.templates]
        return {"form": "messages", "templates": templates, "slots": slots, "locale": self.locale}, arrays

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a generator from the output of `to_arrays`."""
        slots = _read_slots(reader)
        written: Any = reader.manifest.get("templates")
        require(
            isinstance(written, list) and 0 < len(written) <= N_TEMPLATES_MAX,
            "the list of templates is invalid",
        )
        templates = tuple(_read_template(parts, slots) for parts in written)
        return cls(
            templates, reader.counts("counts", len(templates)), slots, reader.choice("locale", LOCALES)
        )


def _read_template(parts: Any, slots: dict[str, Slot]) -> Template:  # `Any` is untrusted JSON.
    require(isinstance(parts, list) and len(parts) <= N_PARTS_MAX, "a template is invalid")
    for part in parts:
        is_part = isinstance(part, list) and len(part) == 2 and part[0] in (0, 1) and isinstance(part[1], str)
        require(is_part and (part[0] == 0 or part[1] in slots), "a part of a template is invalid")
    return tuple((bool(part[0]), part[1]) for part in parts)


def _read_slots(reader: ArrayReader) -> dict[str, Slot]:
    written: Any = reader.manifest.get("slots")
    require(isinstance(written, list) and len(written) <= N_TEMPLATES_MAX, "the items of texts are invalid")
    slots: dict[str, Slot] = {}
    for i, entry in enumerate(written):
        require(isinstance(entry, dict) and isinstance(entry.get("maker"), dict), "an item is invalid")
        own = reader.part(entry["maker"], f"{reader.prefix}slot_{i}_")
        outer = reader.part(entry, reader.prefix)
        name = outer.text("name")
        form = own.text("form")
        generators = {"pattern": PatternTexts, "codes": PatternCodes, "uuid": Uuids, "coded": Coded}
        generator_class: Any = generators.get(form, Personal)
        kind = _COLUMN_KINDS.get(name, ColumnKind.identifier)
        require(generator_class is not Personal or name in _FORMS, "the form of an item is unknown")
        slots[name] = Slot(
            generator_class.from_arrays(kind, pa.large_string(), own), outer.whole("n_items", 1, 2**48)
        )
    return slots


def fit_messages(texts: ArrowArray, locale: str, subjects: Subjects | None = None) -> Messages | None:
    """Return a generator for texts that share templates, or None for other texts.

    Parameters
    ----------
    texts : array of shape (n_texts,)
        Texts of a column.
    subjects : array of shape (n_texts,), optional
        Subject of each text. If given, at least k subjects instead of k rows must share a template.
    """
    if len(texts) < MIN_SUPPORT:
        return None
    encoded: Any = texts.dictionary_encode()
    step = max(1, len(encoded.dictionary) // _N_TEXTS_MAX)
    index = encoded.indices.to_numpy().astype(np.int64)
    is_read = index % step == 0
    index, owners = index[is_read] // step, None if subjects is None else subjects[is_read]
    distinct = encoded.dictionary.to_pylist()[::step]
    counts = np.bincount(index)
    parted = [_parts_of(str(text)) for text in distinct]
    n_rows = int(counts.sum())
    with_item = sum(
        int(n)
        for parts, n in zip(parted, counts, strict=True)
        if any(_may_identify(name) for name, _ in parts)
    )
    if with_item < WITH_ITEM_MIN * n_rows:
        return None
    templates = _templates(parted, index, owners)
    n_covered = sum(count for _, count in templates)
    if not templates or n_covered < COVERED_MIN * n_rows:
        return None
    items: dict[str, Counter[str]] = defaultdict(Counter)
    for parts, n in zip(parted, counts, strict=True):
        for name, text in parts:
            if name:
                items[name][text] += int(n)
    phones = _phones_of(parted, index, owners)
    used = {text for template, _ in templates for is_slot, text in template if is_slot}
    slots = {name: _fit_slot(name, items[name], locale, i) for i, name in enumerate(sorted(used))}
    if "phone" in slots:
        slots["phone"] = replace(slots["phone"], generator=fit_phones(*phones, locale))
    return Messages(
        tuple(template for template, _ in templates),
        np.array([count for _, count in templates], np.int64),
        slots,
        locale,
    )


def _may_identify(name: str) -> bool:
    """Return whether items of a slot may identify a person. Short numbers do not identify people."""
    return bool(name) and (not name.startswith("digits_") or int(name[7:]) >= N_DIGITS_OF_KEY)


def _parts_of(text: str) -> list[tuple[str, str]]:
    """Return the parts of a text, each as a slot name (empty for constant text) and the part's text."""
    parts: list[tuple[str, str]] = []
    position = 0
    for item in find_items(text):
        parts += _split_digits(text[position : item.start])
        parts.append((item.kind, text[item.start : item.end]))
        position = item.end
    return parts + _split_digits(text[position:])


def _split_digits(text: str) -> list[tuple[str, str]]:
    parts, position = [], 0
    for match in _DIGITS.finditer(text):
        parts += [("", text[position : match.start()]), (f"digits_{min(len(match[0]), 18)}", match[0])]
        position = match.end()
    return [part for part in [*parts, ("", text[position:])] if part[1]]


def _templates(
    parted: list[list[tuple[str, str]]], index: npt.NDArray[np.int64], owners: Subjects | None
) -> list[tuple[Template, int]]:
    """Return the templates that at least k rows or subjects share, with the number of rows of each.

    Items that do not vary stay in the template.
    """
    numbers: dict[Template, int] = {}
    items: dict[Template, list[set[str]]] = {}
    template_of = np.empty(len(parted), np.int64)
    for i, parts in enumerate(parted):
        template = tuple((bool(name), name or text) for name, text in parts)
        template_of[i] = numbers.setdefault(template, len(numbers))
        for place, (_, text) in zip(items.setdefault(template, [set() for _ in parts]), parts, strict=True):
            place.add(text)
    n_rows = np.bincount(template_of[index]).tolist()
    is_shared = count_sharers(template_of[index], len(numbers), owners) >= MIN_SUPPORT
    kept = [
        (template, n_rows[i])
        for template, i in numbers.items()
        if is_shared[i] and len(template) <= N_PARTS_MAX
    ]
    kept.sort(key=lambda pair: (-pair[1], pair[0]))
    varying = {
        text
        for template, _ in kept
        for (_, name), texts in zip(template, items[template], strict=True)
        if name == "login" and len(texts) > 1
        for text in texts
    }
    merged: dict[Template, int] = defaultdict(int)
    for template, n in kept[:N_TEMPLATES_MAX]:
        places = zip(template, items[template], strict=True)
        merged[tuple(_constant(part, texts, varying) for part, texts in places)] += n
    return list(merged.items())


def _constant(part: Part, texts: set[str], logins: set[str]) -> Part:
    """Return a part of a text. A slot that never varies and identifies nobody becomes constant text."""
    is_slot, name = part
    if not is_slot or len(texts) > 1:
        return part
    (text,) = texts
    is_number = name.startswith("digits_") and len(text) < N_DIGITS_OF_KEY
    return (False, text) if is_number or (name == "login" and text not in logins) else part


def _phones_of(
    parted: list[list[tuple[str, str]]], index: npt.NDArray[np.int64], owners: Subjects | None
) -> tuple[ArrowArray, ArrowArray]:
    """Return the distinct phone numbers in texts, and those from which forms can be learned."""
    found = [[text for name, text in parts if name == "phone"] for parts in parted]
    n_each = np.array([len(texts) for texts in found], np.int64)[index]
    values = pa.array([text for i in index[n_each > 0] for text in found[i]], pa.large_string())
    return distinct_values(values), shared_texts(
        values, [] if owners is None else [np.repeat(owners, n_each)]
    )


def _fit_slot(name: str, items: Counter[str], locale: str, number: int) -> Slot:
    distinct = pa.array(sorted(items), pa.large_string())
    n_items = max(len(distinct), MIN_SUPPORT)
    if name in _FORMS:
        return Slot(Personal(_COLUMN_KINDS[name], _FORMS[name], locale, _PERSON + number), n_items)
    if name in _COLUMN_KINDS:
        coded = fit_coded(_COLUMN_KINDS[name], distinct, sum(items.values()))
        if coded is not None:
            return Slot(coded, n_items)
    generator: Any = (
        _fit_digits(int(name[7:]), distinct) if name.startswith("digits_") else fit_texts(distinct)
    )
    return Slot(generator, min(n_items, generator.n_rows_max))


def _fit_digits(n_digits: int, distinct: ArrowArray) -> PatternTexts | PatternCodes:
    """Return a generator of numbers with the same length. Long numbers never equal a number in the table."""
    if n_digits < N_DIGITS_OF_KEY:
        return PatternCodes((Pattern(("digit",) * n_digits),), np.ones(1, np.int64))
    is_padded = all(str(text).startswith("0") for text in distinct.to_pylist())
    pattern = Pattern(("0" if is_padded else "nonzero",) + ("digit",) * (n_digits - 1))
    return fit_patterns([(pattern, 1)], by_length(distinct))


def _stream_of(name: str) -> int:
    return sum(ord(letter) << (5 * (i % 8)) for i, letter in enumerate(name)) % 2**46
