"""Find the header of a table that is preceded by other rows, as in files exported for human readers.

`cells` classifies individual cells, and `headers` finds the header rows. `clarity` decides whether these rows
are clearly the header. `naming` joins header rows, and generates names for columns without a name. The
modules do not depend on a file format.
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
from understudy.tables.formats.layout.naming import (
    blank_warnings,
    join_rows,
    placeholder_names,
    renaming_warnings,
    unique_names,
)

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
    "renaming_warnings",
    "unique_names",
]
