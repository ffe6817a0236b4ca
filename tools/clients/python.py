"""``python -m tools.clients.python`` writes the generated modules of the Python client."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tools.clients.python_modules import HEADER, python_modules
from tools.clients.python_sync import synchronous

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "clients" / "python" / "understudy_client"
# The packages `_async` and `_sync` each have a handwritten version of this module.
BACKEND = "backend.py"


def generated_files() -> dict[Path, str]:
    """Return the text of each generated file."""
    document = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    files = {
        PACKAGE / "_generated" / f"{name}.py": source for name, source in python_modules(document).items()
    }
    files[PACKAGE / "_generated" / "__init__.py"] = f'{HEADER}"""Generated modules of the client."""\n'
    for path in sorted((PACKAGE / "_async").glob("*.py")):
        if path.name != BACKEND:
            name = str(path.relative_to(PACKAGE.parent))
            files[PACKAGE / "_sync" / path.name] = synchronous(name, path.read_text(encoding="utf-8"))
    return {path: _formatted(path, text) for path, text in files.items()}


def main() -> None:
    """Write the files and delete modules that are no longer generated."""
    files = generated_files()
    for folder in ("_generated", "_sync"):
        for path in (PACKAGE / folder).glob("*.py"):
            if path not in files and path.name != BACKEND:
                path.unlink()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")


def _formatted(path: Path, text: str) -> str:
    """Remove unused imports from a module, and format it."""
    ruff = [sys.executable, "-m", "ruff"]
    name = ["--stdin-filename", str(path)]
    select = ["--select", "F401,I001", "--fix-only", "--quiet", "--no-cache"]
    for arguments in (["check", *select, *name, "-"], ["format", "--quiet", *name, "-"]):
        done = subprocess.run(  # noqa: S603 - trusted arguments
            [*ruff, *arguments], input=text, capture_output=True, text=True, check=True, cwd=ROOT
        )
        text = done.stdout
    return text


if __name__ == "__main__":
    main()
