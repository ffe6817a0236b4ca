"""Read what `to_arrays` wrote, trusting nothing: compiled code does not check the indices it is given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, ValidationError

from understudy.errors import InvalidInput
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.identifier_formats import IDENTIFIER_FORMATS
from understudy.tables.inference.numbers import highest_of
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.schema import GENERATED_KINDS, LOCALES, Column, TableSchema
from understudy.tables.stored_schemas import read_stored
from understudy.transformers.base import N_CODES_MAX, Arrays, Transformer
from understudy.transformers.bins import N_SEGMENTS, Bins
from understudy.transformers.boolean import BooleanTransformer
from understudy.transformers.categorical import CategoricalTransformer
from understudy.transformers.generated import points
from understudy.transformers.generated.coded import SEPARATORS, SLOT, Coded, PatternCodes
from understudy.transformers.generated.filler import N_QUANTILES, N_WORDS_MAX, Filler
from understudy.transformers.generated.fitting import is_of_digits, is_storable
from understudy.transformers.generated.identifiers import PatternTexts, Sequence, Uuids
from understudy.transformers.generated.patterns import CLASSES, LENGTH_MAX, N_PATTERNS_MAX, Pattern
from understudy.transformers.generated.people import N_PEOPLE_MAX
from understudy.transformers.generated.personal import FORMS, Personal
from understudy.transformers.generated.points import Points
from understudy.transformers.generated.spaces import P, Space
from understudy.transformers.generated.templates import Template
from understudy.transformers.generated.transformer import GeneratedTransformer, Maker
from understudy.transformers.integer_units import is_exact
from understudy.transformers.numeric import EXPONENT_MAX, N_DECIMALS_MAX, NumericTransformer, Scale, Writing
from understudy.transformers.table import TableTransformer

M = TypeVar("M", bound=BaseModel)
Loader = Callable[[Column, pa.DataType, "ArrayReader"], Transformer]


def refuse(what: str) -> InvalidInput:
    """Return the error for a file whose content cannot have been written by us."""
    return InvalidInput(f"The model file is damaged or foreign: {what}.", code="invalid_model_file")


def require(condition: bool, what: str) -> None:
    """Raise InvalidInput unless the condition holds."""
    if not condition:
        raise refuse(what)


class ArrayReader:
    """A manifest and its arrays, each entry checked as it is taken.

    Parameters
    ----------
    manifest, arrays : mapping
        From outside.
    prefix : str
        What the arrays' names begin with.
    """

    def __init__(self, manifest: Mapping[str, Any], arrays: Arrays, prefix: str = "") -> None:
        require(isinstance(manifest, Mapping), "a part of the manifest is not an object")
        self.manifest, self.arrays, self.prefix = manifest, arrays, prefix

    def part(self, manifest: Any, prefix: str) -> ArrayReader:  # Any: from outside
        """Return a reader of a part."""
        return ArrayReader(manifest, self.arrays, prefix)

    def whole(self, key: str, low: int = 0, high: int = 2**64) -> int:
        """Return a whole number between low and high."""
        value = self.manifest.get(key)
        require(type(value) is int and low <= value <= high, f"{key} is not a whole number in range")
        assert isinstance(value, int)
        return value

    def choice(self, key: str, known: Collection[str]) -> str:
        """Return one of the known texts."""
        value = self.manifest.get(key)
        require(isinstance(value, str) and value in known, f"{key} is unknown")
        return str(value)

    def truth(self, key: str) -> bool:
        """Return a truth value."""
        value = self.manifest.get(key)
        require(isinstance(value, bool), f"{key} is not true or false")
        return bool(value)

    def text(self, key: str) -> str:
        """Return a text."""
        value = self.manifest.get(key)
        require(isinstance(value, str), f"{key} is not a text")
        return str(value)

    def texts(self, key: str) -> list[str]:
        """Return a list of texts."""
        value = self.manifest.get(key)
        is_texts = isinstance(value, list) and all(isinstance(text, str) for text in value)
        require(is_texts, f"{key} is not a list of texts")
        assert isinstance(value, list)
        return value

    def parts(self, key: str, n: int) -> list[Any]:
        """Return a list of n parts."""
        value = self.manifest.get(key)
        require(isinstance(value, list) and len(value) == n, f"{key} is not a list of {n}")
        assert isinstance(value, list)
        return value

    def parameters(self, model: type[M]) -> M:
        """Return the parameters, parsed."""
        return self.parse(model, "parameters")

    def parse(self, model: type[M], key: str) -> M:
        """Return the entry, parsed."""
        try:
            return model.model_validate(self.manifest.get(key))
        except (ValidationError, InvalidInput) as error:
            raise refuse(f"{key} is not valid") from error

    def array(self, name: str, dtype: type[np.generic], shape: tuple[int | None, ...]) -> npt.NDArray[Any]:
        """Return an array of that type and shape; None is any length."""
        array = self.arrays.get(self.prefix + name)
        if array is None:
            raise refuse(f"{self.prefix + name} is missing")
        fits = array.ndim == len(shape) and all(
            n is None or n == m for n, m in zip(shape, array.shape, strict=True)
        )
        require(array.dtype == dtype and fits, f"{self.prefix + name} has another type or shape")
        return np.ascontiguousarray(array)

    def indices(
        self, name: str, dtype: type[np.generic], shape: tuple[int | None, ...], low: int, high: int
    ) -> npt.NDArray[Any]:
        """Return an array whose entries lie in low … high - 1."""
        array = self.array(name, dtype, shape)
        in_range = array.size == 0 or (int(array.min()) >= low and int(array.max()) < high)
        require(in_range, f"{self.prefix + name} points outside")
        return array

    def counts(self, name: str, n: int) -> npt.NDArray[np.int64]:
        """Return n counts, not all zero."""
        counts = self.indices(name, np.int64, (n,), 0, 2**40)
        require(bool(counts.any()), f"{self.prefix + name} is all zero")
        return counts


def load_table(reader: ArrayReader) -> TableTransformer:
    """Return the transformers of a table."""
    schema = _load_schema(reader)
    manifests = reader.parts("columns", len(schema.columns))
    columns = [
        load_transformer(column, reader.part(manifest, f"transformer_{j}."))
        for j, (column, manifest) in enumerate(zip(schema.columns, manifests, strict=True))
    ]
    return TableTransformer(schema, tuple(columns))


def _load_schema(reader: ArrayReader) -> TableSchema:
    try:
        return read_stored(reader.manifest.get("schema"))[0].tables[DEFAULT_NAME]
    except (ValidationError, InvalidInput) as error:
        raise refuse("schema is not valid") from error


def load_transformer(column: Column, reader: ArrayReader) -> Transformer:
    """Return the transformer of a column."""
    loaders: dict[str, Loader] = {
        "numeric": _load_numeric,
        "categorical": _load_categorical,
        "boolean": _load_boolean,
        "made_anew": _load_generated,
    }
    name = reader.manifest.get("transformer")
    if not isinstance(name, str) or name not in loaders:
        raise refuse("a transformer is unknown")
    try:
        type_ = parse_arrow_type(column.arrow_type)
    except InvalidInput as error:
        raise refuse("a column's type is unknown") from error
    transformer = loaders[name](column, type_, reader)
    require(1 <= transformer.n_codes <= N_CODES_MAX, "a column has too many codes, or none")
    return transformer


def _load_boolean(column: Column, type_: pa.DataType, reader: ArrayReader) -> BooleanTransformer:
    require(pa.types.is_boolean(type_), "truth values are stored as something else")
    truths = reader.manifest.get("truths")
    require(truths in ([], [False], [True], [False, True]), "truth values are not valid")
    return BooleanTransformer(np.array(truths, np.bool_), reader.truth("has_missing"))


def _load_categorical(column: Column, type_: pa.DataType, reader: ArrayReader) -> CategoricalTransformer:
    texts = reader.texts("levels")
    try:
        levels = pa.array(texts, pa.string()).cast(type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeEncodeError) as error:
        raise refuse("levels do not fit their type") from error
    has_missing = reader.truth("has_missing")
    require(bool(texts) or has_missing, "a category has no levels")
    counts = reader.counts("counts", len(texts)) if texts else np.zeros(0, np.int64)
    first_level = reader.indices("first_level", np.int32, (None,), 0, len(texts))
    is_ascending = bool((np.diff(first_level) > 0).all()) and first_level[:1].tolist() == [0] * bool(texts)
    require(is_ascending, "the codes of a category do not divide its levels")
    return CategoricalTransformer(
        levels,
        counts,
        first_level,
        has_missing,
        reader.whole("n_levels_pooled"),
        reader.whole("n_rows_pooled"),
        reader.truth("is_placeholder"),
    )


def _load_generated(column: Column, type_: pa.DataType, reader: ArrayReader) -> GeneratedTransformer:
    generated, form = (reader.text(key) for key in ("made_anew", "form"))
    is_number = pa.types.is_integer(type_) and form in ("sequential", "pattern", "coded", "codes")
    is_text = pa.types.is_string(type_) or pa.types.is_large_string(type_)
    require(is_number or (is_text and form != "sequential"), "new values are stored as something else")
    makers: dict[tuple[bool, str], Callable[[], Maker]] = {
        (True, "sequential"): lambda: _load_sequence(type_, reader),
        (True, "uuid"): lambda: Uuids(reader.whole("version", 0, 15), reader.truth("is_upper")),
        (True, "pattern"): lambda: _load_patterns(type_, reader),
        (True, "coded"): lambda: _load_coded(type_, reader),
        (True, "codes"): lambda: _load_codes(type_, reader),
        (True, "points"): lambda: _load_points(reader),
        (False, "words"): lambda: _load_filler(reader),
    }
    load = makers.get((generated not in _OF_PEOPLE, form), lambda: _load_personal(generated, form, reader))
    if generated == "phone" and form == "codes":
        load = makers[True, form]
    require(generated in {kind.value for kind in GENERATED_KINDS}, "new values are of an unknown kind")
    return GeneratedTransformer(
        column.name,
        type_,
        generated,
        reader.truth("has_missing"),
        reader.truth("has_values"),
        load(),
    )


# Kinds that people and filler make, not numbers and codes.
_OF_PEOPLE = frozenset({"text", "name", "email", "phone", "address"})


def _load_coded(type_: pa.DataType, reader: ArrayReader) -> Coded:
    names, layouts = reader.texts("schemes"), reader.texts("layouts")
    is_known = 0 < len(names) <= len(IDENTIFIER_FORMATS) and all(name in IDENTIFIER_FORMATS for name in names)
    require(is_known and len(layouts) == len(names), "schemes are unknown")
    n_blocks = reader.parts("n_blocks", len(names))
    templates = [Template(name) for name in names]
    if pa.types.is_integer(type_):
        n_digits = len(str(highest_of(type_))) - 1
        fit = all(is_storable(template.identifier_format, n_digits) for template in templates)
        require(fit and not any(layouts), "whole numbers have other characters than digits")
    spaces = [
        _load_space(template, n, f"free_{i}", reader)
        for i, (template, n) in enumerate(zip(templates, n_blocks, strict=True))
    ]
    require(all(space.capacity for space in spaces), "a scheme has no texts")
    for template, layout in zip(templates, layouts, strict=True):
        marks = layout.replace(SLOT, "")
        is_layout = layout.count(SLOT) == template.identifier_format.length and len(marks) <= LENGTH_MAX
        require(not layout or (is_layout and set(marks) <= set(SEPARATORS)), "a layout is not valid")
    return Coded(tuple(spaces), tuple(layouts), reader.counts("counts", len(names)))


def _load_codes(type_: pa.DataType, reader: ArrayReader) -> PatternCodes:
    written: Any = reader.manifest.get("patterns")
    require(isinstance(written, list) and 0 < len(written) <= N_PATTERNS_MAX, "patterns are not valid")
    patterns = tuple(_load_pattern(positions) for positions in written)
    if pa.types.is_integer(type_):
        n_digits = len(str(highest_of(type_))) - 1
        is_number = all(is_of_digits(pattern, n_digits) for pattern in patterns)
        require(is_number, "whole numbers have other characters than digits")
    return PatternCodes(patterns, reader.counts("counts", len(patterns)))


def _load_points(reader: ArrayReader) -> Points:
    quantiles = reader.array("quantiles", np.float64, (2, points.N_QUANTILES))
    require(bool((np.abs(quantiles) <= 180).all()), "places are not on the earth")
    before, between, after = (str(mark) for mark in reader.parts("marks", 3))
    is_short = max(map(len, (before, between, after))) <= points.MARKS_MAX
    require(is_short, "marks are not valid")
    n_decimals = reader.whole("decimals", 0, points.N_DECIMALS_MAX)
    return Points(quantiles, n_decimals, (before, between, after))


def _load_sequence(type_: pa.DataType, reader: ArrayReader) -> Sequence:
    start, step = reader.whole("start", -(2**63), 2**64), reader.whole("step", 1, 2**64 - 1)
    is_signed = not pa.types.is_unsigned_integer(type_)
    require(start >= (-highest_of(type_) - 1 if is_signed else 0), "numbers begin below their type")
    return Sequence(start, step, highest_of(type_))


def _load_patterns(type_: pa.DataType, reader: ArrayReader) -> PatternTexts:
    written: Any = reader.manifest.get("patterns")
    require(isinstance(written, list) and 0 < len(written) <= 2 * N_PATTERNS_MAX, "patterns are not valid")
    n_wider = reader.whole("n_wider", 0, len(written) - 1)
    n_blocks = reader.parts("n_blocks", len(written))
    spaces = [
        _load_space(_load_pattern(positions), n, f"free_{i}", reader)
        for i, (positions, n) in enumerate(zip(written, n_blocks, strict=True))
    ]
    if pa.types.is_integer(type_):
        n_digits = len(str(highest_of(type_))) - 1
        is_number = all(is_of_digits(space.pattern, n_digits) for space in spaces)
        require(is_number, "whole numbers have other characters than digits")
    capacities = [space.capacity for space in spaces[len(spaces) - n_wider :]]
    require(capacities == sorted(capacities), "wider patterns do not ascend")
    own = spaces[: len(spaces) - n_wider]
    return PatternTexts(tuple(own), reader.counts("counts", len(own)), tuple(spaces[len(own) :]))


def _load_pattern(positions: Any) -> Pattern:  # Any: from outside
    is_valid = isinstance(positions, list) and 0 < len(positions) <= 2 * LENGTH_MAX
    require(is_valid and all(_is_position(p) for p in positions), "a pattern is not valid")
    return Pattern(tuple(positions))


def _is_position(position: Any) -> bool:  # Any: from outside
    if not isinstance(position, str):
        return False
    return position in CLASSES or (len(position) == 1 and not 0xD800 <= ord(position) < 0xE000)


def _load_space(pattern: P, n_blocks: Any, name: str, reader: ArrayReader) -> Space[P]:
    n_texts = pattern.count_texts()
    require(type(n_blocks) is int and 1 <= n_blocks <= min(n_texts, 2**31), "blocks are not valid")
    free = reader.indices(name, np.uint32, (None,), 0, n_blocks)
    return Space(pattern, n_blocks, free)


def _load_filler(reader: ArrayReader) -> Filler:
    n_words = reader.array("n_words", np.float64, (N_QUANTILES,))
    require(bool(((n_words >= 1) & (n_words <= N_WORDS_MAX)).all()), "numbers of words are out of range")
    require(reader.manifest.get("made_anew") == "text", "words stand for something else")
    return Filler(_load_locale(reader), n_words, reader.truth("is_sentence"))


def _load_personal(generated: str, form: str, reader: ArrayReader) -> Personal:
    kinds = [kind for kind in FORMS if kind.value == generated and form in FORMS[kind]]
    require(bool(kinds), "new values have an unknown form")
    return Personal(kinds[0], form, _load_locale(reader), reader.whole("person", 0, N_PEOPLE_MAX))


def _load_locale(reader: ArrayReader) -> str:
    locale = reader.text("locale")
    require(locale in LOCALES, "a locale is unknown")
    return locale


def _load_numeric(column: Column, type_: pa.DataType, reader: ArrayReader) -> NumericTransformer:
    scale = _load_scale(type_, reader)
    is_placeholder = reader.truth("is_placeholder")
    n_merged, n_drawn_in = reader.whole("n_rows_merged"), reader.whole("n_rows_drawn_in")
    is_float = scale.writing == "float"
    starts = reader.array("starts", np.float64 if is_float else np.uint64, (None,))
    knots = reader.array("knots", np.float64, (None, N_SEGMENTS + 1))
    knot_row = reader.indices("knot_row", np.int32, (len(starts),), -1, len(knots))
    has_missing = reader.truth("has_missing")
    require(len(starts) + has_missing > 0, "a column has no codes")
    # Casting a wild float to an integer is undefined in compiled code.
    highest = np.finfo(np.float64).max if is_float else 2.0**64
    in_range = np.isfinite(starts).all() and ((knots >= 0) & (knots < highest)).all()
    require(bool(in_range), "quantiles are out of range")
    bins = Bins(starts, knot_row, knots, n_merged, n_drawn_in)
    return NumericTransformer(type_, column.nullable, has_missing, is_placeholder, scale, bins)


def _load_scale(type_: pa.DataType, reader: ArrayReader) -> Scale:
    writing = reader.manifest.get("writing")
    require(writing in get_args(Writing), "numbers are written in an unknown way")
    require((writing == "exact") == is_exact(type_), "numbers are written in another type")
    require(is_exact(type_) or pa.types.is_floating(type_), "numbers are stored as something else")
    return Scale(
        writing,  # type: ignore[arg-type]  # checked above
        reader.whole("origin", -(2**63), 2**64 - 1),
        reader.whole("step", 1, 2**64 - 1),
        reader.whole("decimals", 0, N_DECIMALS_MAX),
        reader.whole("exponent", 0, 1024 - EXPONENT_MAX),
    )
