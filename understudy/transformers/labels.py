"""Label columns, whose labels correspond one to one to the levels of another column, the code column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.schema import Column
from understudy.transformers import generated
from understudy.transformers.array_reader import ArrayReader, refuse, require
from understudy.transformers.base import (
    Arrays,
    ArrowArray,
    ArrowColumn,
    Codes,
    Json,
    Mask,
    RowStream,
    Transformer,
)
from understudy.transformers.categorical import CategoricalTransformer, MakeUp
from understudy.transformers.generated.text_parts import contain_codes, find_part


@dataclass(frozen=True, eq=False, repr=False)
class LabelTransformer:
    """A label column, which has the same codes as its code column.

    Parameters
    ----------
    column_of_code : int
        Position of the code column.
    code : CategoricalTransformer
        Transformer of the code column.
    labels : pyarrow.Array of shape (n_levels + 1,)
        Label for each level, followed by the label for rows where the code is missing. A label can be
        missing.
    """

    column_of_code: int
    code: CategoricalTransformer
    labels: ArrowArray

    @property
    def n_codes(self) -> int:
        """The number of codes."""
        return self.code.n_codes

    @property
    def is_ordinal(self) -> bool:
        """Whether the levels of the code are ordered."""
        return self.code.is_ordinal

    @property
    def is_exact(self) -> Mask:
        """A mask of the codes that each represent exactly one value of the table."""
        return self.code.is_exact

    @property
    def has_missing(self) -> bool:
        """Whether code 0 represents missing values."""
        return self.code.has_missing and not self.labels[-1].is_valid

    @property
    def labels_of_levels(self) -> ArrowArray:
        """The label of each level."""
        return self.labels.slice(0, len(self.labels) - 1)

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return the label for each level. The row numbers in the stream are level indices."""
        values: ArrowArray = self.labels.take(pa.array(stream.rows, pa.uint64()))
        return values

    def describe(self) -> Json:
        """Return the counts of the code column for the model card."""
        return self.code.describe() | {"is_label": True}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the learned state as JSON and plain arrays."""
        labels = self.labels.cast(pa.string()).to_pylist()
        return {"transformer": "label", "label_of": self.column_of_code, "labels": labels}, {}


def load_label(
    column: Column, reader: ArrayReader, columns: Sequence[Transformer | None]
) -> LabelTransformer:
    """Load a transformer from the output of `to_arrays`, given the other columns of the table."""
    place = reader.whole("label_of", 0, len(columns) - 1)
    code = columns[place]
    require(isinstance(code, CategoricalTransformer), "a label belongs to a column that is not a category")
    assert isinstance(code, CategoricalTransformer)
    texts: list[Any] = reader.parts("labels", len(code.levels) + 1)
    require(all(text is None or isinstance(text, str) for text in texts), "a label is not text")
    try:
        labels = pa.array(texts, pa.string()).cast(parse_arrow_type(column.arrow_type))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeEncodeError) as error:
        raise refuse("labels do not fit their type") from error
    return LabelTransformer(place, code, labels)


@dataclass(frozen=True, eq=False, repr=False)
class _Pairs:
    """The levels of a code column, with their labels in one label column.

    Parameters
    ----------
    codes, labels : list of str
        Code and label of each labeled level, including rare levels.
    of_kept : pyarrow.Array of shape (n_kept,)
        Label of each level that is kept. Labels that must not be shown are replaced.
    of_missing : pyarrow.Array of shape (1,)
        Label for rows where the code is missing.
    n_missing : int
        Number of rare levels without a label.
    """

    codes: list[str]
    labels: list[str]
    of_kept: ArrowArray
    of_missing: ArrowArray
    n_missing: int


def fit_labels(
    place: int,
    code: CategoricalTransformer,
    values: ArrowColumn,
    labels: Mapping[int, tuple[ArrowColumn, ArrowArray]],
    make_up: MakeUp,
) -> tuple[CategoricalTransformer, dict[int, LabelTransformer]]:
    """Return the transformer of a code column, and the transformers of its label columns by position.

    If the table's codes contain their labels, each made-up code contains its made-up label. Likewise, made-up
    labels contain their codes if the labels of the table do. A column is left out if its type has too few
    unused values for made-up labels.

    Parameters
    ----------
    place : int
        Position of the code column.
    code : CategoricalTransformer
        Transformer of the code column.
    values : pyarrow.ChunkedArray of shape (n_rows,)
        Values of the code column.
    labels : mapping of int to (pyarrow.ChunkedArray of shape (n_rows,), pyarrow.Array)
        Values of each label column, and the labels that may be shown.
    make_up : callable
        Function that makes up labels.
    """
    pairs = {j: _pair(code, values, own) for j, (own, _) in labels.items()}
    hidden = {j: _hide(own, labels[j][1], make_up) for j, own in pairs.items()}
    pairs = {j: own for j, own in hidden.items() if own is not None}
    made_up = {j: _make_up(code, own, make_up) for j, own in pairs.items()}
    for j, own in pairs.items():
        code = _with_label_inside(code, own, made_up[j])
    fitted = {}
    for j, own in pairs.items():
        new = _with_code_inside(code, own, make_up) or made_up[j]
        if new is not None:
            fitted[j] = LabelTransformer(place, code, pa.concat_arrays([own.of_kept, new, own.of_missing]))
    return code, fitted


def _pair(code: CategoricalTransformer, codes: ArrowColumn, values: ArrowColumn) -> _Pairs:
    labels = values.combine_chunks()
    level = np.asarray(
        pc.index_in(codes.combine_chunks(), value_set=code.levels.slice(0, code.n_kept)).fill_null(-1)
    )
    has_level = np.flatnonzero(level >= 0)
    row_of_level = np.zeros(code.n_kept, np.int64)
    row_of_level[level[has_level]] = has_level
    is_present, has_label = np.asarray(codes.is_valid()), np.asarray(labels.is_valid())
    n_missing = len(pc.unique(codes.filter(pa.array((level < 0) & is_present & ~has_label))))
    numbers = np.asarray(codes.combine_chunks().dictionary_encode().indices.fill_null(-1))
    numbers = np.where(is_present & has_label, numbers, -1)
    found, first_row = np.unique(numbers, return_index=True)
    rows = pa.array(first_row[found >= 0], pa.int64())
    texts: list[list[Any]] = [own.take(rows).cast(pa.string()).to_pylist() for own in (codes, labels)]
    missing = np.flatnonzero(~is_present)
    of_missing = labels.slice(int(missing[0]), 1) if len(missing) else pa.nulls(1, labels.type)
    return _Pairs(texts[0], texts[1], labels.take(pa.array(row_of_level, pa.int64())), of_missing, n_missing)


def _hide(pairs: _Pairs, shown: ArrowArray, make_up: MakeUp) -> _Pairs | None:
    """Replace the labels that must not be shown. Return None if their type has too few unused values.

    A label must not be shown if too few rows share it: its code is rare and is kept only because it is
    declared, or its code is missing.
    """
    labels = pa.concat_arrays([pairs.of_kept, pairs.of_missing])
    is_hidden = ~np.asarray(pc.is_in(labels, value_set=shown)) & np.asarray(labels.is_valid())
    if not is_hidden.any():
        return pairs
    made_up = make_up(_known_labels(pairs), int(is_hidden.sum()))
    if made_up is None:
        return None
    labels = pc.replace_with_mask(labels, pa.array(is_hidden), made_up.cast(labels.type))
    n_kept = len(pairs.of_kept)
    return replace(pairs, of_kept=labels.slice(0, n_kept), of_missing=labels.slice(n_kept))


def _make_up(code: CategoricalTransformer, pairs: _Pairs, make_up: MakeUp) -> ArrowArray | None:
    """Return the labels of made-up levels. The last labels can be missing."""
    type_ = pairs.of_kept.type
    if not code.n_made_up:
        nothing: ArrowArray = pa.nulls(0, type_)
        return nothing
    n_labeled = max(code.n_made_up - pairs.n_missing, 0)
    known = _known_labels(pairs)
    made_up = make_up(known, n_labeled) if len(known) else pa.nulls(n_labeled, type_)
    if made_up is None:
        return None
    labels: ArrowArray = pa.concat_arrays([made_up, pa.nulls(code.n_made_up - n_labeled, type_)])
    return labels


def _known_labels(pairs: _Pairs) -> ArrowArray:
    """Return the distinct labels of the levels, and the label of missing values."""
    of_levels: ArrowArray = pa.array(pairs.labels, pa.string()).cast(pairs.of_kept.type)
    known: ArrowArray = pc.unique(pa.concat_arrays([of_levels, pairs.of_missing.drop_null()]))
    return known


def _with_label_inside(
    code: CategoricalTransformer, pairs: _Pairs, made_up: ArrowArray | None
) -> CategoricalTransformer:
    """Return the code column. If every code in the table contains its label, so does every made-up code."""
    part = find_part(pairs.codes, pairs.labels) if code.n_made_up and made_up is not None else None
    if part is None or made_up is None or pa.types.is_integer(code.levels.type):
        return code
    levels: list[Any] = code.levels.slice(code.n_kept).to_pylist()
    labels: list[Any] = made_up.cast(pa.string()).to_pylist()
    written = [
        level if label is None else part.write(level, label)
        for level, label in zip(levels, labels, strict=True)
    ]
    if len({*written, *pairs.codes}) < len(written) + len(pairs.codes):
        return code
    new = pa.array(written, pa.string()).cast(code.levels.type)
    return replace(code, levels=pa.concat_arrays([code.levels.slice(0, code.n_kept), new]))


def _with_code_inside(code: CategoricalTransformer, pairs: _Pairs, make_up: MakeUp) -> ArrowArray | None:
    """Return made-up labels that contain their codes, or None if a label of the table lacks its code."""
    type_ = pairs.of_kept.type
    if not code.n_made_up or pa.types.is_integer(type_) or not contain_codes(pairs.codes, pairs.labels):
        return None
    marked = [
        label.replace(own, generated.CODE_MARK, 1)
        for own, label in zip(pairs.codes, pairs.labels, strict=True)
    ]
    n_labeled = max(code.n_made_up - pairs.n_missing, 0)
    codes: list[Any] = code.levels.slice(code.n_kept, n_labeled).cast(pa.string()).to_pylist()
    rest = make_up(pa.array(marked, pa.string()), n_labeled)
    assert rest is not None
    texts: list[Any] = rest.to_pylist()
    labels = [
        text.replace(generated.CODE_MARK, own) if generated.CODE_MARK in text else f"{own} {text}"
        for own, text in zip(codes, texts, strict=True)
    ]
    if len({*labels, *pairs.labels}) < len(labels) + len(set(pairs.labels)):
        return None
    made_up = [*labels, *[None] * (code.n_made_up - n_labeled)]
    new: ArrowArray = pa.array(made_up, pa.string()).cast(type_)
    return new
