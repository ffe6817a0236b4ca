"""Add hidden columns to a table. Hidden columns are drawn but are not part of the sampled rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa

from understudy.synthesizers.entities.sequences import Int64s
from understudy.synthesizers.tree_chain.difference_columns import (
    DrawnTable,
    difference_column,
    with_columns,
)
from understudy.transformers.base import Subjects
from understudy.transformers.table_fitting import fit_column


@dataclass
class Builder:
    """Builder that adds hidden columns to a table."""

    drawn: DrawnTable
    group: int
    entities: Int64s
    subjects: Subjects

    def add(self, name: str, values: Int64s, *, is_of_entity: bool = False) -> int:
        """Add a hidden column, and return its index."""
        drawn, place = self.drawn, len(self.drawn.transformer.columns)
        while name in drawn.transformer.schema.names:
            name += "_"
        array = pa.chunked_array([pa.array(values, pa.int64())])
        subjects = self.entities if is_of_entity else self.subjects
        transformer, codes = fit_column(difference_column(name), array, subjects)
        owners = {place: self.group} if is_of_entity else {}
        self.drawn = replace(
            drawn,
            transformer=with_columns(drawn.transformer, {name: transformer}),
            codes=[*drawn.codes, codes],
            entities=drawn.entities.extend(owners),
            sizes=(*drawn.sizes, name),
        )
        return place
