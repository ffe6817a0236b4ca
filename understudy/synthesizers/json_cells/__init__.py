"""Columns of JSON texts. The keys of the texts are learned as separate columns.

`parsing` reads the texts and `styles` detects how they are written, `learning` finds their structure,
`unpacking` splits the texts into columns, `writing` builds the texts from sampled columns, and `columns`
applies all of this to a table.
"""

from understudy.synthesizers.json_cells.columns import (
    JsonCells,
    find_json_cells,
    json_cells_from_manifest,
)

__all__ = ["JsonCells", "find_json_cells", "json_cells_from_manifest"]
