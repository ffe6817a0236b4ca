"""Body examples in the OpenAPI document, composed from the field examples."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

Json = dict[str, Any]

DEPTH_MAX = 4
OF_TYPE: Json = {"integer": 1, "number": 0.5, "boolean": True}
ID_PATTERN = re.compile(r"\^(?P<prefix>[a-z]+)_\[")
LETTERS = "01kaz7m2q5e1h9v3x8r6t4n0bc"
OF_FORMAT: Json = {
    "date-time": "2026-01-31T12:00:00Z",
    "uri": "https://example.org",
    "binary": "a,b\n1,2\n",
}


def add_examples(document: Json) -> None:
    """Add an example to every JSON body in an operation if the body has no example.

    Errors get no example: one example for all statuses would be wrong, and the fields of `Problem` have
    examples.
    """
    schemas: Json = document["components"]["schemas"]
    for holder in _holders(document):
        for media_type, content in holder.get("content", {}).items():
            is_json = "json" in media_type and "ndjson" not in media_type
            if is_json and not {"example", "examples"} & content.keys() and "schema" in content:
                content["example"] = example_of(content["schema"], schemas)
    _share_examples(document)


def _share_examples(document: Json) -> None:
    """Move the examples that several operations repeat to the components of the document."""
    contents = [
        content
        for holder in _holders(document)
        for content in holder.get("content", {}).values()
        if "example" in content and "$ref" in content["schema"]
    ]
    counts = Counter(content["schema"]["$ref"] for content in contents)
    shared: Json = {}
    for content in contents:
        reference = content["schema"]["$ref"]
        if counts[reference] > 1:
            name = reference.rsplit("/", 1)[1]
            shared[name] = {"value": content.pop("example")}
            content["examples"] = {name: {"$ref": f"#/components/examples/{name}"}}
    _share_named_examples(document, shared)
    document["components"]["examples"] = shared


def _share_named_examples(document: Json, shared: Json) -> None:
    """Move the examples of bodies with several named examples if another operation has the same examples."""
    contents = [
        content
        for holder in _holders(document)
        for content in holder.get("content", {}).values()
        if "examples" in content and any("value" in example for example in content["examples"].values())
    ]
    for content in contents:
        if sum(other["examples"] == content["examples"] for other in contents) > 1:
            shared |= content["examples"]
    for content in contents:
        if all(shared.get(name) == example for name, example in content["examples"].items()):
            content["examples"] = {
                name: {"$ref": f"#/components/examples/{name}"} for name in content["examples"]
            }


def _holders(document: Json) -> list[Json]:
    """Return all request bodies and the responses that are not shared."""
    operations = [
        operation
        for item in (*document["paths"].values(), *document["webhooks"].values())
        for operation in item.values()
        if isinstance(operation, dict)
    ]
    bodies = [operation["requestBody"] for operation in operations if "requestBody" in operation]
    responses = [response for operation in operations for response in operation["responses"].values()]
    return [*bodies, *responses]


def example_of(schema: Json, schemas: Json, depth: int = 0) -> Any:
    """Return the example of a schema, or compose an example from the examples of its parts."""
    schema = _resolved(schema, schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    for key in ("example", "const", "default"):
        if schema.get(key) is not None:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            return example_of(schema[key][0], schemas, depth)
    return _by_type(schema, schemas, depth)


def _by_type(schema: Json, schemas: Json, depth: int) -> Any:
    types = schema.get("type", "object")
    kind = types if isinstance(types, str) else types[0]
    if kind == "object":
        return _object(schema, schemas, depth)
    if kind == "array":
        n_items = schema.get("minItems") or int(depth < DEPTH_MAX and _is_plain(schema["items"], schemas))
        return [example_of(schema["items"], schemas, depth + 1) for _ in range(n_items)]
    if kind == "string":
        return _text(schema)
    return schema.get("minimum", OF_TYPE[kind])


def _is_plain(schema: Json, schemas: Json) -> bool:
    """Return whether a schema has no unions. An example of a union would have to fit exactly one member."""
    fields = _resolved(schema, schemas).get("properties", {}).values()
    return not any({"oneOf", "anyOf"} & _resolved(field, schemas).keys() for field in fields)


def _resolved(schema: Json, schemas: Json) -> Json:
    resolved: Json = schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    return resolved


def _text(schema: Json) -> str:
    if match := ID_PATTERN.match(schema.get("pattern", "")):
        return f"{match['prefix']}_{LETTERS}"
    text: str = OF_FORMAT.get(schema.get("format", ""), "text")
    return text


def _object(schema: Json, schemas: Json, depth: int) -> Json:
    """Return an object with the required fields and all fields that have their own examples."""
    required = schema.get("required", [])
    fields = schema.get("properties", {})
    return {
        name: example_of(field, schemas, depth + 1)
        for name, field in fields.items()
        if name in required or (depth == 0 and field.get("examples"))
    }
