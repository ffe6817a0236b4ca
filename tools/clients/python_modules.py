"""Generate modules of the Python client from `openapi.json`: codes, models, requests and operations."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from tools.clients.python_operations import operations_of
from tools.clients.schema_types import Schema, Types, name_of, reachable, references

Document = Mapping[str, Any]  # JSON

LINE_LENGTH = 110
HEADER = "# Generated from openapi.json by `make clients`. Do not edit.\n"

RESPONSES = Types(time="datetime", is_open=True)
REQUESTS = Types(time="datetime | str", is_open=False)


def python_modules(document: Document) -> dict[str, str]:
    """Return the unformatted source of each generated module by name."""
    schemas = document["components"]["schemas"]
    operations = operations_of(document)
    responses = [name for operation in operations for name in references(operation.response)]
    in_responses = reachable(schemas, iter([*responses, "Problem"]))
    in_requests = reachable(
        schemas, (name for operation in operations for name in references(operation.body))
    )
    return {
        "codes": _codes(schemas["Problem"]["properties"]["code"]["x-extensible-enum"]),
        "models": _models({name: schemas[name] for name in sorted(in_responses)}),
        "requests": _requests({name: schemas[name] for name in sorted(in_requests)})
        + "".join(
            _typed_dict(operation.query_name, operation.query_schema, "")
            for operation in operations
            if operation.query_schema["properties"]
        ),
        "operations": _operations(operations),
    }


def _codes(codes: list[str]) -> str:
    members = "".join(f'    {code.upper()} = "{code}"\n' for code in codes)
    return (
        f'{HEADER}"""Error codes of the service."""\n\nfrom enum import StrEnum\n\n\n'
        'class ErrorCode(StrEnum):\n    """An error code. A newer service may return other codes."""\n\n'
        f"{members}"
    )


def _models(schemas: Mapping[str, Schema]) -> str:
    classes = {name: schema for name, schema in schemas.items() if "properties" in schema}
    unions = {name: schema for name, schema in schemas.items() if "discriminator" in schema}
    plain = {name: schema for name, schema in schemas.items() if name not in classes | unions}
    return "".join(
        [
            f'{HEADER}"""Resources and other objects in the responses of the service."""\n\n'
            "from __future__ import annotations\n\nfrom datetime import datetime\n"
            "from typing import Annotated, Any, Literal\n\nfrom pydantic import Discriminator, Field, Tag\n\n"
            "from understudy_client.base import Model, tag_of\n\n",
            *(f"{name} = {RESPONSES.of(schema)}\n" for name, schema in plain.items()),
            *(_model(name, schema) for name, schema in classes.items()),
            *(_tagged_union(name, schema) for name, schema in unions.items()),
        ]
    )


def _model(name: str, schema: Schema) -> str:
    required = schema.get("required", ())
    lines = [f"\n\nclass {name}(Model):\n{_docstring(schema['description'])}\n"]
    for field, inner in schema["properties"].items():
        type_ = RESPONSES.of(inner)
        if field in required or "const" in inner:
            default = ""
        elif "default" in inner and not inner.get("default"):
            default = f" = {inner['default']!r}"
        else:
            default = " = None"
            type_ = type_ if type_.endswith("None") or type_ == "Any" else f"{type_} | None"
        if hasattr(BaseModel, field):
            # A field such as `schema` would hide a method of the base class.
            lines.append(f'    {field}_: {type_} = Field({default[3:] or "..."}, alias="{field}")\n')
        else:
            lines.append(f"    {field}: {type_}{default}\n")
        if "description" in inner:
            lines.append(_docstring(inner["description"]))
    return "".join(lines)


def _tagged_union(name: str, schema: Schema) -> str:
    """Return a union in which a field selects the member. An unknown tag selects the union's fallback."""
    field = schema["discriminator"]["propertyName"]
    tags = {name_of({"$ref": target}): tag for tag, target in schema["discriminator"]["mapping"].items()}
    names = [name_of(member) for member in schema["oneOf"]]
    fallback = next((member for member in names if member not in tags), "Model")
    members = [f"Annotated[{member}, Tag({tag!r})]" for member, tag in tags.items()]
    members.append(f'Annotated[{fallback}, Tag("")]')
    known = ", ".join(map(repr, tags.values()))
    return f"\n{name} = Annotated[{' | '.join(members)}, Discriminator(tag_of({field!r}, {known}))]\n"


def _requests(schemas: Mapping[str, Schema]) -> str:
    classes = {name: schema for name, schema in schemas.items() if "properties" in schema}
    plain = {name: schema for name, schema in schemas.items() if name not in classes}
    return "".join(
        [
            f'{HEADER}"""Bodies and query parameters of requests."""\n\n'
            "from __future__ import annotations\n\nfrom datetime import datetime\n"
            "from typing import Any, Literal, Required, TypedDict\n\n",
            *(_typed_dict(name, schema, schema.get("description", "")) for name, schema in classes.items()),
            *(f"\n{name} = {REQUESTS.of(schema)}\n" for name, schema in plain.items()),
        ]
    )


def _typed_dict(name: str, schema: Schema, description: str) -> str:
    """Return a typed dict. The optional fields of job parameters are in a separate base class."""
    required = set(schema.get("required", ()))
    fields = schema["properties"]
    optional = {field: inner for field, inner in fields.items() if field not in required}
    text = _docstring(description or schema["description"])
    if "kind" in required:
        options = name.removesuffix("Parameters") + "Options"
        about = f"Optional parameters of a job of kind `{fields['kind']['const']}`."
        head = f"\n\nclass {options}(TypedDict, total=False):\n{_docstring(about)}\n"
        own = {field: inner for field, inner in fields.items() if field in required}
        body = _fields(optional, ())
        return f"{head}{body}\n\nclass {name}({options}, total=False):\n{text}\n{_fields(own, required)}"
    return f"\n\nclass {name}(TypedDict, total=False):\n{text}\n{_fields(fields, required)}"


def _fields(fields: Mapping[str, Schema], required: Any) -> str:
    lines = []
    for field, inner in fields.items():
        type_ = REQUESTS.of(inner)
        assert not keyword.iskeyword(field), field
        lines.append(f"    {field}: {f'Required[{type_}]' if field in required else type_}\n")
        if "description" in inner:
            lines.append(_docstring(inner["description"]))
    return "".join(lines)


def _operations(operations: list[Any]) -> str:
    return (
        f'{HEADER}"""Requests of all operations of the service."""\n\n'
        "from __future__ import annotations\n\nfrom typing import Unpack\n\n"
        "from understudy_client._generated import models, requests\n"
        "from understudy_client.calls import Call, path_of\n"
        + "".join(operation.source() for operation in operations)
    )


def _docstring(text: str) -> str:
    """Return an indented docstring whose paragraphs are wrapped."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    wrapped = [textwrap.wrap(" ".join(paragraph.split()), LINE_LENGTH - 8) for paragraph in paragraphs]
    body = "\n\n".join("\n".join(lines) for lines in wrapped)
    is_raw = "\\" in body
    end = "\n" if "\n" in body else ""
    return textwrap.indent(f'{"r" if is_raw else ""}"""{body}{end}"""\n', "    ")
