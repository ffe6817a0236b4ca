"""Rewrites of the schemas in the OpenAPI document, so that client generators understand them.

FastAPI and pydantic write valid OpenAPI, but openapi-python-client, openapi-generator and openapi-ts fail on
some of it or generate poor code. Each function here removes one such problem, or text that only repeats other
text. All functions change the document in place.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from app.bodies.base import Body
from app.bodies.problems import Problem
from app.bodies.results import OF_KIND
from app.bodies.uploads import UploadDatasetForm

Json = dict[str, Any]

NULL: Json = {"type": "null"}
SCHEMAS = "#/components/schemas/"
# Names of the unions, by the field that distinguishes their members. Each generator invents a different name
# for an unnamed union.
UNION_NAMES = {"kind": "JobRequest", "name": "SynthesizerParameters", "metric": "MetricResult"}
# Parts that many schemas repeat: the name of the shared schema, and the path of one occurrence.
SHARED_PARTS = {
    "CellValue": ("ColumnConstraint", "properties", "one_of", "items"),
    "ConfidenceInterval": ("ColumnShapesResult", "properties", "interval"),
    "JobPriority": ("TrainParameters", "properties", "priority"),
    "LabelChanges": ("UpdateModel", "properties", "labels"),
    "IdentifierStart": ("SampleParameters", "properties", "id_start"),
    "PageCursor": ("JobPage", "properties", "next"),
    "RandomSeed": ("TrainParameters", "properties", "seed"),
    "ResourceLabels": ("TrainParameters", "properties", "labels"),
    "RowCounts": ("ColumnShapesResult", "properties", "n_rows"),
    "SubjectCounts": ("ColumnShapesResult", "properties", "n_subjects"),
    "SubscribedTypes": ("CreateWebhook", "properties", "event_types"),
    "WebhookUrl": ("CreateWebhook", "properties", "url"),
}


def rewrite_schemas(document: Json) -> None:
    """Apply all rewrites to the schemas of a document."""
    schemas: Json = document["components"]["schemas"]
    schemas.update(_missing_schemas())
    for body in _subclasses(Body):
        _make_fields_optional(schemas.get(body.__name__, {}))
    _strip_titles(document)
    _close_maps(document)
    _name_unions(document, schemas)
    _name_results(schemas)
    _merge_null_types(document)
    _declare_items(document)
    _share_parts(schemas)
    document["components"]["schemas"] = dict(sorted(schemas.items()))


def _share_parts(schemas: Json) -> None:
    """Move repeated parts to the named schemas, and replace each occurrence with a reference."""
    shared = {}
    for name, (schema, *keys) in SHARED_PARTS.items():
        part = schemas[schema]
        for key in keys:
            part = part[key]
        shared[name] = copy.deepcopy(part)
    for name, part in shared.items():
        for schema in schemas.values():
            _replace_part(schema, part, {"$ref": f"{SCHEMAS}{name}"})
    schemas.update(shared)


def _replace_part(node: Any, part: Json, reference: Json) -> None:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in list(items):
        if child == part:
            node[key] = dict(reference)
        else:
            _replace_part(child, part, reference)


def drop_unused(document: Json) -> None:
    """Remove unreferenced schemas, such as the schemas for FastAPI's own validation errors."""
    schemas: Json = document["components"]["schemas"]
    while unused := schemas.keys() - set(_references(document)):
        for name in unused:
            del schemas[name]


def _references(node: Any) -> Iterator[str]:
    """Yield the names of the schemas that a part of the document refers to."""
    if isinstance(node, dict) and str(node.get("$ref", "")).startswith(SCHEMAS):
        yield node["$ref"].removeprefix(SCHEMAS)
    for child in _children(node):
        yield from _references(child)


def _declare_items(node: Any) -> None:
    """Declare tuples as arrays of a fixed length because generators do not support `prefixItems`."""
    for child in _children(node):
        _declare_items(child)
    if isinstance(node, dict) and isinstance(node.get("prefixItems"), list):
        members = []
        for member in node.pop("prefixItems"):
            if member not in members:
                members.append(member)
        node["items"] = members[0] if len(members) == 1 else {"anyOf": members}


def _missing_schemas() -> Json:
    """Return the schemas of the two bodies that no route declares: problems and the streamed upload form."""
    _, definitions = models_json_schema(
        [(Problem, "serialization"), (UploadDatasetForm, "validation")],
        ref_template="#/components/schemas/{model}",
    )
    schemas: Json = definitions["$defs"]
    return schemas


def _subclasses(cls: type[Body]) -> Iterator[type[Body]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def without_null(schema: Json) -> Json:
    """Return a schema that does not allow null. Pydantic declares every optional field as nullable."""
    if NULL not in schema.get("anyOf", []):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    members = [member for member in schema["anyOf"] if member != NULL]
    return {**members[0], **rest} if len(members) == 1 else {"anyOf": members, **rest}


def _make_fields_optional(schema: Json) -> None:
    """Declare the optional fields of a response body as possibly absent. The API never sends them as null."""
    for name, field in schema.get("properties", {}).items():
        if name in schema.get("required", []) or NULL not in field.get("anyOf", []):
            continue
        schema["properties"][name] = without_null(field)
        schema["properties"][name].pop("default", None)


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return list(node) if isinstance(node, list) else []


def _name_unions(node: Any, schemas: Json) -> None:
    """Move every union with a discriminator to the named schemas, and replace it with a reference."""
    for child in _children(node):
        _name_unions(child, schemas)
    if isinstance(node, dict) and "discriminator" in node and "oneOf" in node:
        union = {key: node.pop(key) for key in ("discriminator", "oneOf")}
        name = UNION_NAMES[union["discriminator"]["propertyName"]]
        schemas[name] = union
        node["$ref"] = f"#/components/schemas/{name}"


def _name_results(schemas: Json) -> None:
    """Move the union of job results to the named schemas, and declare its discriminator.

    A value that no other class describes is an `OtherResult`, so clients must accept it.
    """
    field = schemas["Job"]["properties"]["result"]
    references = {kind: f"#/components/schemas/{cls.__name__}" for kind, cls in OF_KIND.items()}
    schemas["JobResult"] = {
        "description": "The result of a job. The field `kind` determines the other fields.",
        "oneOf": field.pop("oneOf"),
        "discriminator": {"propertyName": "kind", "mapping": references},
    }
    field["$ref"] = "#/components/schemas/JobResult"


def _close_maps(node: Any) -> None:
    """Restrict the keys of maps to their pattern. Pydantic allows any value under other keys."""
    for child in _children(node):
        _close_maps(child)
    if isinstance(node, dict) and len(node.get("patternProperties", {})) == 1:
        ((pattern, value),) = node.pop("patternProperties").items()
        node["propertyNames"] = {**node.get("propertyNames", {}), "pattern": pattern}
        node["additionalProperties"] = value


def _strip_titles(node: Any) -> None:
    """Remove pydantic's titles, which only repeat names, but keep properties with the name `title`."""
    if isinstance(node, list):
        for item in node:
            _strip_titles(item)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("title"), str) and "version" not in node:
        del node["title"]
    for key, value in node.items():
        if key == "properties":
            for member in value.values():
                _strip_titles(member)
        elif key not in ("example", "examples", "default"):
            _strip_titles(value)


def _merge_null_types(node: Any) -> None:
    """Write `anyOf: [{type: X}, {type: null}]` as `type: [X, "null"]`, which OpenAPI 3.1 allows.

    Enumerations and references are not changed, because a null type beside them would not allow null.
    """
    for child in _children(node):
        _merge_null_types(child)
    if not isinstance(node, dict) or NULL not in node.get("anyOf", []) or len(node["anyOf"]) != 2:
        return
    (member,) = [member for member in node["anyOf"] if member != NULL]
    if not isinstance(member.get("type"), str) or "enum" in member or "const" in member:
        return
    del node["anyOf"]
    for key, value in member.items():
        node.setdefault(key, value)
    node["type"] = [member["type"], "null"]
