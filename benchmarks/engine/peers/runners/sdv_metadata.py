"""SDV metadata from the types of the columns, without SDV's own detection (BUSL-1.1: comparison only)."""

from __future__ import annotations

from measuring import Request
from sdv.metadata import Metadata

# SDV 2 needs a name for every table.
TABLE = "table"
SDTYPES = {
    "integer": {"sdtype": "numerical"},
    "float": {"sdtype": "numerical"},
    "boolean": {"sdtype": "boolean"},
    "timestamp": {"sdtype": "datetime"},
    "word": {"sdtype": "categorical"},
}


def metadata(request: Request) -> Metadata:
    """Return the SDV metadata of the columns."""
    columns = {name: SDTYPES[kind] for name, kind in request.kinds.items()}
    return Metadata.load_from_dict({"tables": {TABLE: {"columns": columns}}})
