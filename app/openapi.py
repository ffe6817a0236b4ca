"""``python -m app.openapi`` writes `openapi.json`, the contract with callers, into the present folder."""

from __future__ import annotations

import json
from pathlib import Path

from app.main import create_document


def document_text() -> str:
    """Return the document as it stands in the repository."""
    return json.dumps(create_document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path("openapi.json").write_text(document_text(), encoding="utf-8")
