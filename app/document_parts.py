"""Parts of the OpenAPI document that many operations share: request headers, conditions and ID patterns."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from understudy.ids import N_LETTERS, PREFIXES

Json = dict[str, Any]

# The characters of `understudy.ids.ALPHABET`.
LETTERS = "0-9a-hjkmnp-tv-z"

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
        "description": "ID of the last received event. The stream starts with the next event.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
    },
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "description": "The preference `wait=30` delays the response until the job has finished, but for at "
        "most 30 seconds (RFC 7240). The maximum is 60 seconds.",
        "schema": {"type": "string"},
        "example": "wait=30",
    },
    "Range": {
        "name": "Range",
        "in": "header",
        "description": "Byte range of a stored Parquet file.",
        "schema": {"type": "string"},
        "example": "bytes=0-1023",
    },
}
BY_HEADER = {parameter["name"].lower(): name for name, parameter in PARAMETERS.items()}
NOT_MODIFIED: Json = {"description": "The resource has not changed: its ETag matches `If-None-Match`."}
NOT_MODIFIED_REFERENCE: Json = {"$ref": "#/components/responses/304"}
# The type of resource that the field `id` identifies, by schema.
NOUN_OF_SCHEMA = {
    "ApiKey": "api_key",
    "Dataset": "dataset",
    "EvaluationReport": "report",
    "Event": "event",
    "Job": "job",
    "ManagedProject": "project",
    "NewApiKey": "api_key",
    "NewWebhook": "webhook",
    "Project": "project",
    "ReportSummary": "report",
    "TrainedModel": "model",
    "Upload": "upload",
    "Webhook": "webhook",
    "WebhookDelivery": "delivery",
}


def share_parameters(method: str, operation: Json, *, has_condition: bool) -> None:
    """Replace shared headers with references, and add the headers that FastAPI cannot derive."""
    parameters = operation.get("parameters", [])
    shared = {name for parameter in parameters if (name := _shared_header(parameter)) is not None}
    if method == "post":
        shared.add("IdempotencyKey")
    if has_condition:
        shared.add("IfNoneMatch")
    if "206" in operation["responses"]:
        shared.add("Range")
    own = [parameter for parameter in parameters if _shared_header(parameter) is None]
    references = [{"$ref": f"#/components/parameters/{name}"} for name in sorted(shared)]
    if own or references:
        operation["parameters"] = [*own, *references]


def _shared_header(parameter: Json) -> str | None:
    """Return the name of the component that declares the same header, or None."""
    return BY_HEADER.get(parameter["name"].lower()) if parameter["in"] == "header" else None


def share_repeated_parameters(document: Json, operations: list[Json]) -> None:
    """Move parameters that several operations share to the document components."""
    texts = Counter(
        json.dumps(parameter) for operation in operations for parameter in operation.get("parameters", [])
    )
    components = document["components"]["parameters"]
    reference_of = {}
    for text, count in texts.items():
        parameter = json.loads(text)
        if count > 1 and "$ref" not in parameter:
            name = _component_name(parameter["name"], components)
            components[name] = parameter
            reference_of[text] = {"$ref": f"#/components/parameters/{name}"}
    for operation in operations:
        if "parameters" in operation:
            declared = operation["parameters"]
            operation["parameters"] = [reference_of.get(json.dumps(own), own) for own in declared]


def _component_name(parameter: str, taken: Json) -> str:
    name = "".join(word.capitalize() for word in parameter.split("_"))
    numbered = (f"{name}{number}" for number in itertools.count(2))
    return name if name not in taken else next(own for own in numbered if own not in taken)


def id_pattern(noun: str) -> str:
    """Return the ID pattern for a noun."""
    return f"^{PREFIXES[noun]}_[{LETTERS}]{{{N_LETTERS}}}$"


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
    noun = name.removesuffix("_id")
    if not name.endswith("_id"):
        return None
    return next((own for own in (noun, noun.rpartition("_")[2]) if own in PREFIXES), None)
