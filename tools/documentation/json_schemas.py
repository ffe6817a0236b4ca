"""JSON Schemas as Markdown: types with links, limits, and a table of fields for each object."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tools.documentation.markdown import code, table, text

Schema = Mapping[str, Any]  # `Any` is a value of a JSON document.

# A function that returns the address of the section for a named schema.
Address = Callable[[str], str]

N_ENUM_VALUES_MAX = 16
BOUND_WORDS = {
    "minimum": "At least",
    "exclusiveMinimum": "More than",
    "maximum": "At most",
    "exclusiveMaximum": "Less than",
}
# Larger bounds are limits of 64-bit numbers, not of the value, and are not shown.
BOUND_SHOWN_MAX = 1 << 53
UNITS = {"Length": "characters", "Items": "items", "Properties": "entries"}


def type_of(schema: Schema, address: Address) -> str:
    """Return the type in words, with a link to each named schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}]({address(name)})"
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    if "enum" in schema:
        return _enum(schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(type_of(choice, address) for choice in schema[key]))
    return _plain_type(schema, address)


def _enum(values: list[object]) -> str:
    shown = [code(json.dumps(value)) for value in values[:N_ENUM_VALUES_MAX]]
    return ", ".join([*shown, "…"] if len(values) > N_ENUM_VALUES_MAX else shown)


def _plain_type(schema: Schema, address: Address) -> str:
    name = schema.get("type", "any value")
    if isinstance(name, list):
        return " or ".join(_plain_type({**schema, "type": choice}, address) for choice in name)
    if name == "array" and "prefixItems" in schema:
        return "array: " + ", ".join(type_of(item, address) for item in schema["prefixItems"])
    if name == "array":
        return f"array of {type_of(schema.get('items', {}), address)}"
    if name == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {type_of(schema['additionalProperties'], address)}"
    if "format" in schema and name == "string":
        return f"{name} ({schema['format']})"
    return str(name)


def limits_of(schema: Schema) -> str:
    """Return the bounds of a value, as short sentences."""
    limits = dict.fromkeys(limit for part in _parts(schema) for limit in _limits(part))
    return " ".join(limits)


def _parts(schema: Schema) -> Iterator[Schema]:
    yield schema
    for choice in schema.get("anyOf", []):
        yield from _parts(choice)


def _limits(schema: Schema) -> Iterator[str]:
    bounds = {
        word: schema[key]
        for key, word in BOUND_WORDS.items()
        if key in schema and abs(schema[key]) < BOUND_SHOWN_MAX
    }
    if bounds.keys() == {"At least", "At most"}:
        yield f"From {_number(bounds['At least'])} to {_number(bounds['At most'])}."
    else:
        yield from (f"{word} {_number(bound)}." for word, bound in bounds.items())
    for suffix, unit in UNITS.items():
        low, high = schema.get(f"min{suffix}"), schema.get(f"max{suffix}")
        if low and high is not None:
            yield f"{low:,} to {high:,} {unit}."
        elif high is not None:
            yield f"At most {high:,} {unit}."
        elif low:
            yield f"At least {low:,} {unit}."
    # Patterns that only exclude control characters are not shown.
    if "pattern" in schema and r"\x00" not in schema["pattern"]:
        yield f"Pattern: {code(schema['pattern'])}."


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def describe(schema: Schema) -> str:
    """Return the description, the bounds and the default of a value."""
    parts = [text(schema.get("description", ""))]
    if limits := limits_of(schema):
        parts.append(limits)
    if "default" in schema and schema["default"] is not None and "const" not in schema:
        parts.append(f"Default: {code(json.dumps(schema['default'], ensure_ascii=False))}.")
    return " ".join(filter(None, parts))


def fields_table(schema: Schema, address: Address) -> str:
    """Return a table of the fields in an object."""
    required = schema.get("required", [])
    rows = [
        (code(name), type_of(field, address), "yes" if name in required else "", describe(field))
        for name, field in schema["properties"].items()
    ]
    return table(("Field", "Type", "Required", "Description"), rows)


def section(name: str, schema: Schema, address: Address) -> str:
    """Return the section of a named schema."""
    parts = [f"## {name} {{ #{name} }}"]
    if "description" in schema:
        parts.append(text(schema["description"]))
    if schema.get("properties"):
        parts.append(fields_table(schema, address))
    else:
        parts.append(f"Type: {type_of(schema, address)}")
    parts += [_example(example) for example in schema.get("examples", [])]
    return "\n\n".join(parts)


def _example(example: object) -> str:
    return f"```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```"
