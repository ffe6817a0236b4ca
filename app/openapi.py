"""``python -m app.openapi`` writes the OpenAPI document to `openapi.json` in the current directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.main import create_document


def document_text() -> str:
    """Return the text of `openapi.json`, with a line for each operation and each component."""
    return _text(create_document(), depth=3) + "\n"


def _text(value: Any, depth: int) -> str:
    """Return JSON with one line per object member down to the given depth."""
    if depth == 0 or not isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    members = (f"{json.dumps(name)}:{_text(member, depth - 1)}" for name, member in value.items())
    return "{\n" + ",\n".join(members) + "\n}"


if __name__ == "__main__":
    Path("openapi.json").write_text(document_text(), encoding="utf-8")
