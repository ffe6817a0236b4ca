"""Find the header of a table among other rows, as in files that programs export for people to read.

`cells` classifies single cells, `headers` finds the header rows, `clarity` decides
whether they are clear, and `naming` joins header rows and names the
columns without a name. The modules do not depend on a file format.
"""

from __future__ import annotations

from understudy.tables.formats.layout.clarity import checked_layout
from understudy.tables.formats.layout.headers import (
    Layout,
    Place,
    Request,
    SheetRow,
    find_layout,
)
from understudy.tables.formats.layout.naming import blank_warnings, join_rows, placeholder_names

__all__ = [
    "Layout",
    "Place",
    "Request",
    "SheetRow",
    "blank_warnings",
    "checked_layout",
    "find_layout",
    "join_rows",
    "placeholder_names",
]
