"""SDV's metadata, from the types of the columns rather than from its guesses (BUSL-1.1: comparison only)."""

from __future__ import annotations

from measuring import Request
from sdv.metadata import Metadata

# SDV 2 takes every table by name.
TABLE = "table"
SDTYPES = {
    "integer": {"sdtype": "numerical"},
    "float": {"sdtype": "numerical"},
    "boolean": {"sdtype": "boolean"},
    "timestamp": {"sdtype": "datetime"},
    "word": {"sdtype": "categorical"},
}


def metadata(request: Request) -> Metadata:
    """Return what SDV is told of the columns."""
    columns = {name: SDTYPES[kind] for name, kind in request.kinds.items()}
    return Metadata.load_from_dict({"tables": {TABLE: {"columns": columns}}})
