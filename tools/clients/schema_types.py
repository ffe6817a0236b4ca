"""Python types of the schemas in `openapi.json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]  # JSON

PLAIN_TYPES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def name_of(schema: Schema) -> str:
    """Return the name of the component that a schema refers to."""
    name: str = schema["$ref"].rpartition("/")[2]
    return name


def references(schema: object) -> Iterator[str]:
    """Yield the names of all component schemas that a part of the document refers to."""
    if isinstance(schema, list):
        for item in schema:
            yield from references(item)
    elif isinstance(schema, dict):
        if str(schema.get("$ref", "")).startswith("#/components/schemas/"):
            yield name_of(schema)
        for key, value in schema.items():
            if key not in ("discriminator", "example", "examples"):
                yield from references(value)


def reachable(schemas: Mapping[str, Schema], starts: Iterator[str]) -> set[str]:
    """Return the names of the given component schemas and of all schemas that they refer to."""
    names: set[str] = set()
    queue = list(starts)
    while queue:
        name = queue.pop()
        if name not in names:
            names.add(name)
            queue += references(schemas[name])
    return names


@dataclass(frozen=True)
class Types:
    """A converter from schemas to Python types, for one module of the client.

    Parameters
    ----------
    time : str
        Python type of a date and time.
    is_open : bool
        Whether values outside an enum are allowed. A response of a newer service can contain them.
    """

    time: str
    is_open: bool

    def of(self, schema: Schema) -> str:
        """Return the type of a schema."""
        if "$ref" in schema:
            return name_of(schema)
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if "enum" in schema and not self.is_open:
            return f"Literal[{', '.join(map(repr, schema['enum']))}]"
        if members := schema.get("anyOf") or schema.get("oneOf"):
            return self._union(map(self.of, members))
        if isinstance(schema.get("type"), list):
            return self._union(self.of({**schema, "type": type_}) for type_ in schema["type"])
        return self._simple(schema)

    def _union(self, members: Iterator[str]) -> str:
        types = [type_ for member in members for type_ in member.split(" | ")]
        return " | ".join(sorted(dict.fromkeys(types), key=lambda type_: type_ == "None"))

    def _simple(self, schema: Schema) -> str:
        type_ = schema.get("type")
        if type_ == "array":
            return f"list[{self.of(schema['items'])}]"
        if type_ == "object":
            values = schema.get("additionalProperties", True)
            return f"dict[str, {self.of(values) if isinstance(values, dict) else 'Any'}]"
        if type_ == "string" and schema.get("format") == "date-time":
            return self.time
        return PLAIN_TYPES[type_] if type_ else "Any"
