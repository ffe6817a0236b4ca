"""The pages of the HTTP API and of the report format, from openapi.json and report.schema.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tools.documentation.json_schemas import Address, Schema, describe, section, type_of
from tools.documentation.markdown import code, table, text

Document = Mapping[str, Any]  # `Any` is a value of a JSON document.

BODIES_PAGE = "http-bodies.md"
REPORT_PAGE = "report-format.md"

OPERATIONS_INTRODUCTION = """\
# HTTP operations

This page lists every operation of the API, generated from [`openapi.json`](../openapi.json) (OpenAPI 3.1).
The [guide](http-api.md) shows the operations in use, and [errors.md](errors.md) lists the codes of errors.
"""
BODIES_INTRODUCTION = """\
# HTTP bodies

This page lists the JSON objects in requests and responses, generated from [`openapi.json`](../openapi.json).
The objects of a report are on the page [Report format](report-format.md).
"""
REPORT_INTRODUCTION = """\
# Report format

A report is one JSON document.
This page is generated from its JSON Schema, [report.schema.json](report.schema.json).
[Metrics](metrics.md) explains the scores, and [Reports](../how-to/reports.md) shows how to read them.
"""


def operations_page(document: Document, report_schema: Document) -> str:
    """Return the page that lists every operation by tag."""
    parts = [OPERATIONS_INTRODUCTION, _overview(document)]
    for tag in document["tags"]:
        parts.append(f"## {tag['name'].capitalize()} {{ #{tag['name']} }}\n\n{text(tag['description'])}")
        parts += [
            _operation_section(method, path, operation, report_schema)
            for method, path, operation in operations(document)
            if tag["name"] in operation["tags"]
        ]
    return "\n\n".join(parts) + "\n"


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Yield the method, the path and the description of every operation, with its references resolved."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            responses = {
                status: _resolved(document, response) for status, response in operation["responses"].items()
            }
            parameters = [_resolved(document, parameter) for parameter in operation.get("parameters", [])]
            yield method.upper(), path, {**operation, "parameters": parameters, "responses": responses}


def _resolved(document: Document, value: Document) -> Document:
    """Return the component that a value refers to, or the value itself."""
    if "$ref" not in value:
        return value
    component: Any = document
    for name in value["$ref"].removeprefix("#/").split("/"):
        component = component[name]
    return _resolved(document, component)


def _overview(document: Document) -> str:
    rows = [
        (f"[{code(f'{method} {path}')}](#{operation['operationId']})", text(operation["summary"]))
        for method, path, operation in operations(document)
    ]
    return table(("Operation", "Purpose"), rows)


def _operation_section(method: str, path: str, operation: Document, report_schema: Document) -> str:
    parts = [
        f"### {text(operation['summary'])} {{ #{operation['operationId']} }}",
        code(f"{method} {path}"),
        text(operation.get("description", "")),
    ]
    if operation["parameters"]:
        parts += ["**Parameters**", _parameters(operation["parameters"], report_schema)]
    if "requestBody" in operation:
        parts += ["**Request body**", *_request_body(operation["requestBody"], report_schema)]
    parts += ["**Responses**", _responses(operation["responses"], report_schema)]
    return "\n\n".join(filter(None, parts))


def _parameters(parameters: list[Document], report_schema: Document) -> str:
    rows = [
        (
            code(parameter["name"]),
            parameter["in"],
            type_of(parameter["schema"], _from_http(report_schema)),
            "yes" if parameter.get("required") else "",
            describe({"description": parameter.get("description", ""), **parameter["schema"]}),
        )
        for parameter in parameters
    ]
    return table(("Name", "In", "Type", "Required", "Description"), rows)


def _request_body(body: Document, report_schema: Document) -> Iterator[str]:
    rows = [
        (code(media_type), type_of(content.get("schema", {}), _from_http(report_schema)))
        for media_type, content in body["content"].items()
    ]
    yield table(("Content type", "Body"), rows)
    for content in body["content"].values():
        for name, example in content.get("examples", {}).items():
            if "$ref" in example:
                continue
            value = json.dumps(example["value"], indent=2, ensure_ascii=False)
            yield f"Example `{name}`:\n\n```json\n{value}\n```"


def _responses(responses: Document, report_schema: Document) -> str:
    rows = [
        (
            code(status),
            text(response["description"]),
            _response_bodies(response, report_schema),
            ", ".join(code(header) for header in response.get("headers", {})),
        )
        for status, response in responses.items()
    ]
    return table(("Status", "Meaning", "Body", "Headers"), rows)


def _response_bodies(response: Document, report_schema: Document) -> str:
    names = (
        f"{type_of(content['schema'], _from_http(report_schema))}"
        if media_type.endswith("json") and content.get("schema")
        else code(media_type)
        for media_type, content in response.get("content", {}).items()
    )
    return ", ".join(dict.fromkeys(names))


def _from_http(report_schema: Document) -> Address:
    def address(name: str) -> str:
        page = REPORT_PAGE if name == "Report" or name in report_schema["$defs"] else BODIES_PAGE
        return f"{page}#{name}"

    return address


def bodies_page(document: Document, report_schema: Document) -> str:
    """Return the page of named schemas, except those on the page of the report format."""
    schemas: Mapping[str, Schema] = document["components"]["schemas"]
    sections = [
        section(name, schema, _from_http(report_schema))
        for name, schema in schemas.items()
        if name != "Report" and name not in report_schema["$defs"]
    ]
    return "\n\n".join([BODIES_INTRODUCTION, *sections]) + "\n"


def report_page(report_schema: Document) -> str:
    """Return the page of the report format."""
    schemas = {"Report": report_schema, **report_schema["$defs"]}
    sections = [section(name, schema, lambda name: f"#{name}") for name, schema in schemas.items()]
    return "\n\n".join([REPORT_INTRODUCTION, *sections]) + "\n"
