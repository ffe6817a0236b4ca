"""Labels of a code: columns that correspond one to one to the levels of another column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.schema import Column
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


@dataclass(frozen=True)
class LabelTransformer:
    """The labels of the levels of another column, whose codes this column shares.

    Parameters
    ----------
    column_of_code : int
        Position of the column of the code.
    code : CategoricalTransformer
        Transformer of the column of the code.
    labels : pyarrow.Array of shape (n_levels + 1,)
        Label of each level, and of missing codes. A label can be missing.
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
        """Return the labels of the levels that the numbers of the stream represent."""
        values: ArrowArray = self.labels.take(pa.array(stream.rows, pa.uint64()))
        return values

    def describe(self) -> Json:
        """Return the counts of the code."""
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


def fit_label(
    place: int, code: CategoricalTransformer, codes: ArrowColumn, values: ArrowColumn, make_up: MakeUp
) -> LabelTransformer | None:
    """Return the labels of a code, or None if the type of the labels has no room for made-up ones.

    Parameters
    ----------
    place : int
        Position of the column of the code.
    code : CategoricalTransformer
        Transformer of the column of the code.
    codes, values : pyarrow.ChunkedArray of shape (n_rows,)
        Values of the code and of its label.
    make_up : callable
        Function that makes up labels.
    """
    labels = values.combine_chunks()
    kept = code.levels.slice(0, code.n_kept)
    level = np.asarray(pc.index_in(codes.combine_chunks(), value_set=kept).fill_null(-1))
    has_level = np.flatnonzero(level >= 0)
    row_of_level = np.zeros(len(kept), np.int64)
    row_of_level[level[has_level]] = has_level
    parts = [labels.take(pa.array(row_of_level, pa.int64()))]
    if code.n_made_up:
        is_rare = (level < 0) & np.asarray(codes.is_valid())
        n_missing = len(pc.unique(codes.filter(pa.array(is_rare & np.asarray(labels.is_null())))))
        made_up = make_up(pc.unique(labels.drop_null()), code.n_made_up - n_missing)
        if made_up is None:
            return None
        parts += [made_up, pa.nulls(n_missing, labels.type)]
    is_missing = np.flatnonzero(np.asarray(codes.is_null()))
    of_missing = labels.slice(int(is_missing[0]), 1) if len(is_missing) else pa.nulls(1, labels.type)
    return LabelTransformer(place, code, pa.concat_arrays([*parts, of_missing]))
