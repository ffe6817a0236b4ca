"""``python -m app.openapi`` writes the OpenAPI document to `openapi.json` in the current directory."""

from __future__ import annotations

import json
from pathlib import Path

from app.main import create_document


def document_text() -> str:
    """Return the text of `openapi.json`: one value per line, without indentation, to keep the file small."""
    return json.dumps(create_document(), indent=0, separators=(",", ":"), ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path("openapi.json").write_text(document_text(), encoding="utf-8")
