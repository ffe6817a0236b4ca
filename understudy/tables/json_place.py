"""The place of a column in nested JSON objects. Importing this module loads neither Arrow nor NumPy."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from understudy.parameters.base import COLUMN_NAME_LENGTH_MAX

METADATA_KEY = b"understudy.json_place"
"""Key in an Arrow field's metadata. The value is the place as JSON."""

# Keys of MongoDB Extended JSON whose values are numbers, usually in quotation marks.
NUMBER_KEYS = frozenset({"$numberDecimal", "$numberLong", "$numberInt", "$numberDouble"})


class JsonPlace(BaseModel):
    """The place of a column's values in JSON Lines objects."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: Annotated[
        tuple[Annotated[str, Field(max_length=COLUMN_NAME_LENGTH_MAX)], ...],
        Field(
            min_length=1, max_length=32, description="Keys that lead to the value, from the outermost object."
        ),
    ]
    is_json: Annotated[
        bool,
        Field(description="Whether the values are JSON texts, such as arrays, which are written as JSON."),
    ] = False
    is_quoted: Annotated[
        bool,
        Field(description="Whether numbers are in quotation marks, as in MongoDB Extended JSON."),
    ] = False


def place_metadata(place: JsonPlace | None) -> dict[bytes, bytes]:
    """Return Arrow field metadata that stores a place."""
    return {METADATA_KEY: place.model_dump_json().encode()} if place else {}


def read_place(metadata: dict[bytes, bytes] | None) -> JsonPlace | None:
    """Return the place from the metadata of an Arrow field, or None if the metadata has no valid place."""
    text = (metadata or {}).get(METADATA_KEY)
    if text is None:
        return None
    try:
        return JsonPlace.model_validate_json(text)
    except ValidationError:
        return None
