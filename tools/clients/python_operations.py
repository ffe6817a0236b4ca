"""Generate the functions of the Python client that build the request of each operation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.clients.schema_types import Schema, name_of

Json = Mapping[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
JSON_TYPE = "application/json"
# The transport sends these headers with every request that needs them.
TRANSPORT_HEADERS = {"Idempotency-Key", "If-None-Match", "Range", "Last-Event-ID", "Content-Digest"}
# Operations whose body is a stream of bytes. `understudy_client.parts` builds the requests for parts, and the
# client does not use `upload_dataset`.
BYTE_BODIES = {"upload_dataset", "put_upload_part"}


@dataclass(frozen=True)
class Operation:
    """An operation of the service."""

    id: str
    method: str
    path: str
    summary: str
    path_parameters: list[str]
    query_schema: Json
    headers: list[str]
    body: Json
    is_body_required: bool
    response: Json

    @property
    def query_name(self) -> str:
        """The name of the typed dict with the query parameters."""
        return "".join(word.capitalize() for word in self.id.split("_")) + "Query"

    def source(self) -> str:
        """Return the function that builds the request."""
        arguments = [f"{name}: {'int' if name == 'number' else 'str'}" for name in self.path_parameters]
        if self.body:
            arguments.append(f"body: {self._body_type()}{'' if self.is_body_required else ' | None = None'}")
        keywords = [f"{_argument(header)}: str | None = None" for header in self.headers]
        has_query = bool(self.query_schema["properties"])
        if keywords and not has_query:
            arguments += ["*", *keywords]
        elif keywords:
            # The optional arguments precede the query parameters.
            arguments += ["*", *keywords, f"**query: Unpack[requests.{self.query_name}]"]
        elif has_query:
            arguments.append(f"**query: Unpack[requests.{self.query_name}]")
        model = f"models.{name_of(self.response)}" if "$ref" in self.response else self._plain_response()
        path = re.sub(r"\{(\w+)\}", r"{path_of(\1)}", self.path)
        values = [f'"{self.method.upper()}"', f'{"f" if "{" in path else ""}"{path}"', model]
        values += ["query=query"] if has_query else []
        values += ["body=body"] if self.body else []
        if self.headers:
            pairs = ", ".join(f'"{header}": {_argument(header)}' for header in self.headers)
            values.append(f"headers={{{pairs}}}")
        return (
            f"\n\ndef {self.id}({', '.join(arguments)}) -> Call[{self._response_type()}]:\n"
            f'    """{self.summary}."""\n    return Call({", ".join(values)})\n'
        )

    def _body_type(self) -> str:
        return f"requests.{name_of(self.body)}"

    def _plain_response(self) -> str:
        return "bytes" if self.response else "None"

    def _response_type(self) -> str:
        return f"models.{name_of(self.response)}" if "$ref" in self.response else self._plain_response()


def operations_of(document: Json) -> list[Operation]:
    """Return the operations with a JSON body or without a body, in the order of the document."""
    return [
        _operation(document, method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS and operation["operationId"] not in BYTE_BODIES
    ]


def _operation(document: Json, method: str, path: str, operation: Json) -> Operation:
    parameters = [_resolved(document, parameter) for parameter in operation.get("parameters", ())]
    query = [parameter for parameter in parameters if parameter["in"] == "query"]
    body = operation.get("requestBody", {})
    return Operation(
        id=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"].rstrip("."),
        path_parameters=re.findall(r"\{(\w+)\}", path),
        query_schema={
            "description": f"Query parameters of `{operation['operationId']}`.",
            "properties": {parameter["name"]: _described(parameter) for parameter in query},
            "required": [parameter["name"] for parameter in query if parameter.get("required")],
        },
        headers=[
            parameter["name"]
            for parameter in parameters
            if parameter["in"] == "header" and parameter["name"] not in TRANSPORT_HEADERS
        ],
        body=_body_schema(body),
        is_body_required=body.get("required", False),
        response=_response(operation["responses"]),
    )


def _resolved(document: Json, parameter: Json) -> Json:
    if "$ref" not in parameter:
        return parameter
    resolved: Json = document["components"]["parameters"][name_of(parameter)]
    return resolved


def _described(parameter: Json) -> Schema:
    return {"description": parameter["description"], **parameter["schema"]}


def _body_schema(body: Json) -> Schema:
    schema: Json = body.get("content", {}).get(JSON_TYPE, {}).get("schema", {})
    members = [member for member in schema.get("anyOf", ()) if member.get("type") != "null"]
    return members[0] if members else schema


def _response(responses: Json) -> Schema:
    """Return the schema of a successful response: of its JSON body, of bytes, or {} if it has no body."""
    content = next(response for status, response in responses.items() if status[0] == "2").get("content", {})
    if JSON_TYPE in content:
        schema: Json = content[JSON_TYPE]["schema"]
        return schema
    return {"type": "string", "format": "binary"} if content else {}


def _argument(header: str) -> str:
    return header.lower().replace("-", "_")
