"""Columns of JSON text. Each key is learned as a separate column.

`parsing` reads the JSON text and `styles` detects how it is written, `learning` finds its structure,
`unpacking` splits the text into columns, `writing` builds the text from sampled columns, and `columns`
applies all of this to a table.
"""

from understudy.synthesizers.json_cells.columns import (
    JsonCells,
    find_json_cells,
    json_cells_from_manifest,
)

__all__ = ["JsonCells", "find_json_cells", "json_cells_from_manifest"]
