"""Columns of JSON text. Each key is learned as a separate column.

`screening` finds the columns that may contain JSON text, `parsing` reads the text and `styles` detects how it
is written, `learning` finds its structure, and `unpacking` splits the text into columns. `splitting` applies
these steps to a table. `writing` builds the text from sampled columns, and `cells` converts batches of rows.
Most of these modules are imported on first use, because few tables have such columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.lazy_members import lazy_members

if TYPE_CHECKING:
    from understudy.synthesizers.json_cells.cells import JsonCells
    from understudy.synthesizers.json_cells.columns import json_cells_from_manifest
    from understudy.synthesizers.json_cells.search import find_json_cells

__all__ = ["JsonCells", "find_json_cells", "json_cells_from_manifest"]

__getattr__ = lazy_members(
    __name__,
    "understudy.synthesizers.json_cells.cells:JsonCells",
    "understudy.synthesizers.json_cells.search:find_json_cells",
    "understudy.synthesizers.json_cells.columns:json_cells_from_manifest",
)
