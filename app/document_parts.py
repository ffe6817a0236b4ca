"""Parts of the OpenAPI document that many operations share: request headers, conditions and forms of IDs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from understudy.ids import ALPHABET, N_LETTERS, PREFIXES

Json = dict[str, Any]

ETAGS_SCHEMA: Json = {"type": "string", "examples": ['"3f2a9c"']}
# Request headers that several operations accept, by the names of their components.
PARAMETERS: dict[str, Json] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Unique key of 1 to 255 visible ASCII characters. A repeated request with the same key"
        " returns the first response again, with the header `Idempotent-Replayed: true`. Keys are kept for 72"
        " hours.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "ETag of the resource that you read. If the resource has changed since then, the "
        "request fails with 412.",
        "schema": ETAGS_SCHEMA,
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "ETag of the representation that you have. If it is current, the response is 304.",
        "schema": ETAGS_SCHEMA,
    },
    "LastEventID": {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "ID of the last event received. The stream starts with the next event.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
    },
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "description": "The preference `wait=30` delays the response until the job has finished, for at most"
        " 30 seconds (RFC 7240). The longest possible wait is 60 seconds.",
        "schema": {"type": "string"},
        "example": "wait=30",
    },
    "Range": {
        "name": "Range",
        "in": "header",
        "description": "Range of bytes of a stored Parquet file.",
        "schema": {"type": "string"},
        "example": "bytes=0-1023",
    },
}
BY_HEADER = {parameter["name"].lower(): name for name, parameter in PARAMETERS.items()}
NOT_MODIFIED: Json = {"description": "The resource has not changed: its ETag matches `If-None-Match`."}
# The noun of the ID in the field `id`, by schema.
NOUN_OF_SCHEMA = {
    "Dataset": "dataset",
    "EvaluationReport": "report",
    "Job": "job",
    "Project": "project",
    "ReportSummary": "report",
    "TrainedModel": "model",
    "Upload": "upload",
}


def share_parameters(method: str, operation: Json, *, has_condition: bool) -> None:
    """Replace shared headers with references, and add those that FastAPI cannot derive."""
    parameters = operation.get("parameters", [])
    shared = {name for p in parameters if (name := BY_HEADER.get(p["name"].lower())) is not None}
    if method == "post":
        shared.add("IdempotencyKey")
    if has_condition:
        shared.add("IfNoneMatch")
    if "206" in operation["responses"]:
        shared.add("Range")
    own = [parameter for parameter in parameters if parameter["name"].lower() not in BY_HEADER]
    references = [{"$ref": f"#/components/parameters/{name}"} for name in sorted(shared)]
    if own or references:
        operation["parameters"] = [*own, *references]


def id_pattern(noun: str) -> str:
    """Return the pattern of the IDs of a noun."""
    return f"^{PREFIXES[noun]}_[{ALPHABET}]{{{N_LETTERS}}}$"


def describe_ids(document: Json, operations: list[Json]) -> None:
    """Add the patterns of IDs to the path parameters, the filters and the fields of bodies."""
    for operation in operations:
        for parameter in operation.get("parameters", []):
            if (noun := _noun_of(parameter["name"])) is not None:
                parameter["schema"]["pattern"] = id_pattern(noun)
    for name, schema in document["components"]["schemas"].items():
        for field, declared in _string_fields(schema):
            noun = NOUN_OF_SCHEMA.get(name) if field == "id" else _noun_of(field)
            if noun is not None:
                declared["pattern"] = id_pattern(noun)


def _string_fields(schema: Json) -> Iterator[tuple[str, Json]]:
    for field, declared in schema.get("properties", {}).items():
        if declared.get("type") in ("string", ["string", "null"]):
            yield field, declared


def _noun_of(name: str) -> str | None:
    """Return the noun of the ID that a field or a parameter contains, such as `synthetic_dataset_id`."""
    noun = name.removesuffix("_id").rpartition("_")[2]
    return noun if name.endswith("_id") and noun in PREFIXES else None
