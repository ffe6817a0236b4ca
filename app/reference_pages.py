"""The API reference that the service serves: a page for people, and a text for language models.

Both are generated from the OpenAPI document, load nothing from the network, and contain no scripts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template

Json = dict[str, Any]

FOLDER = Path(__file__).parent / "pages"
# If a text is split with this pattern, every second part is code.
CODE = re.compile(r"`([^`]+)`")


def reference_page(document: Json) -> str:
    """Return the HTML page of the API."""
    return _template().render(info=document["info"], tags=_tags(document))


def llms_text(document: Json) -> str:
    """Return an overview of the API in the llmstxt.org format."""
    info = document["info"]
    lines = [f"# {info['title']}", "", f"> {info['summary']}.", "", info["description"], ""]
    lines += [
        "- [openapi.json](/openapi.json): all operations, parameters and bodies (OpenAPI 3.1)",
        f"- [Documentation]({info['contact']['url']}): tutorials, guides and error codes",
        "",
    ]
    for tag in _tags(document):
        lines += [f"## {tag['name'].capitalize()}", "", tag["description"], ""]
        lines += [
            f"- `{operation['method'].upper()} {operation['path']}`: {operation['summary']}"
            for operation in tag["operations"]
        ]
        lines.append("")
    return "\n".join(lines)


@lru_cache(maxsize=1)
def _template() -> Template:
    # This import is local because few requests need Jinja2.
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True)
    environment.filters["divided_at_code"] = CODE.split
    return environment.get_template("reference.html")


def _tags(document: Json) -> list[Json]:
    """Return the tags with their operations."""
    operations = [
        _operation(path, method, operation, document["components"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    return [
        {**tag, "operations": [operation for operation in operations if operation["tag"] == tag["name"]]}
        for tag in document["tags"]
    ]


def _operation(path: str, method: str, operation: Json, components: Json) -> Json:
    parameters = [_resolved(parameter, components) for parameter in operation.get("parameters", [])]
    responses = [
        {"status": status, "description": _resolved(response, components)["description"]}
        for status, response in operation["responses"].items()
    ]
    return {
        "id": operation["operationId"],
        "tag": operation["tags"][0],
        "method": method,
        "path": path,
        "summary": operation["summary"],
        "description": operation["description"],
        "parameters": [{"description": "", **parameter} for parameter in parameters],
        "body": list(operation.get("requestBody", {}).get("content", {})),
        "responses": responses,
    }


def _resolved(part: Json, components: Json) -> Json:
    if "$ref" not in part:
        return part
    _, _, section, name = part["$ref"].split("/")
    resolved: Json = components[section][name]
    return resolved
