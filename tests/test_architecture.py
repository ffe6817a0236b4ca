"""What the house promises of its own structure, as far as `make check` does not hold it already."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.errors import CODES
from understudy.settings import Settings

ROOT = Path(__file__).parent.parent
PACKAGES = ("understudy", "app", "workers")

# Reading any of these can run code that somebody else wrote (docs/decisions/0006-no-pickle.md).
CODE_RUNNING_MODULES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


def sources() -> Iterator[Path]:
    """Yield the files of the product."""
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def imported_modules(tree: ast.AST) -> set[str]:
    """Return the first names of all modules imported anywhere in a file."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled(path: Path):
    tree = ast.parse(path.read_text())
    assert CODE_RUNNING_MODULES.isdisjoint(imported_modules(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant)
            assert node.value.value is False


def test_every_setting_is_in_the_example():
    example = (ROOT / ".env.example").read_text()
    missing = [name for name in Settings.model_fields if f"UNDERSTUDY_{name.upper()}=" not in example]
    assert missing == []


def test_every_setting_in_the_example_exists():
    example = (ROOT / ".env.example").read_text()
    named = {name.lower() for name in re.findall(r"UNDERSTUDY_([A-Z_]+)=", example)}
    assert named <= set(Settings.model_fields)


def test_every_error_code_is_raised_somewhere():
    text = "\n".join(path.read_text() for path in sources() if path.name != "errors.py")
    classes = (ROOT / "understudy" / "errors.py").read_text()
    unused = [code for code in CODES if f'"{code}"' not in text and f'default_code = "{code}"' not in classes]
    assert unused == []


def test_no_file_is_longer_than_400_lines():
    long = {
        str(path.relative_to(ROOT)): n
        for path in sources()
        if (n := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_decisions_are_numbered_without_gaps():
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_api_starts_without_what_only_work_needs():
    code = "import sys, app.main; print(sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    heavy = ("pandas", "duckdb", "numba", "scipy", "sklearn", "mimesis")
    assert [name for name in heavy if f"'{name}'" in done.stdout] == []
