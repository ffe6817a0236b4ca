"""Rules for the project structure that `make check` does not enforce."""

import ast
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from understudy.cli.commands import COMMANDS
from understudy.errors import CODES
from understudy.job_kinds import KINDS
from understudy.settings import Settings

ROOT = Path(__file__).parent.parent
PACKAGES = ("understudy", "app", "workers")

LOCAL_IMPORTS_MAX = 50
FUNCTION_LINES_MAX = 60
ARGUMENTS_MAX = 5
LONG_FUNCTIONS_MAX = 0
# Lower this maximum whenever a function with too many arguments is fixed.
MANY_ARGUMENTS_MAX = 2

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Modules that can run foreign code when they read data (docs/decisions/0006-no-pickle.md).
CODE_RUNNING_MODULES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


def sources() -> Iterator[Path]:
    """Yield the Python files of the packages in `PACKAGES`."""
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file. Callers must not change it."""
    return ast.parse(path.read_text())


def imported_modules(tree: ast.AST) -> set[str]:
    """Return the top-level names of all modules imported anywhere in a file."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_unpickles_data(path: Path):
    tree = parsed(path)
    assert CODE_RUNNING_MODULES.isdisjoint(imported_modules(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant)
            assert node.value.value is False


def test_env_example_contains_every_setting():
    example = (ROOT / ".env.example").read_text()
    missing = [name for name in Settings.model_fields if f"UNDERSTUDY_{name.upper()}=" not in example]
    assert missing == []


def test_every_variable_in_env_example_belongs_to_a_setting():
    example = (ROOT / ".env.example").read_text()
    names = {name.lower() for name in re.findall(r"UNDERSTUDY_([A-Z_]+)=", example)}
    assert names <= set(Settings.model_fields)


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


def loaded_by(code: str) -> set[str]:
    """Return the top-level names of the modules that a new interpreter has loaded after running some code."""
    code = f"import sys; {code}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split())


def test_api_does_not_import_the_work_modules():
    heavy = {"pandas", "duckdb", "numba", "scipy", "sklearn", "mimesis", "cryptography", "jinja2"}
    assert loaded_by("import app.main") & heavy == set()


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_command_line_options_do_not_import_the_engine(option):
    loaded = loaded_by(f"from understudy.cli.application import run; run(['{option}'])")
    heavy = {"numpy", "pyarrow", "pandas", "duckdb", "numba", "scipy", "sklearn", "mimesis", "sqlalchemy"}
    assert loaded & heavy == set()


def test_work_of_jobs_does_not_import_the_service():
    modules = ", ".join(kind.work.partition(":")[0] for kind in KINDS.values())
    loaded = loaded_by(f"import understudy.sandbox.server, understudy.work.run, {modules}")
    services = {
        "sqlalchemy",
        "psycopg",
        "celery",
        "kombu",
        "redis",
        "fastapi",
        "pydantic_settings",
        "structlog",
    }
    assert "pyarrow" in loaded
    assert loaded & services == set()


def test_parameters_do_not_import_the_engine():
    names = [path.stem for path in (ROOT / "understudy" / "parameters").glob("*.py") if path.stem[0] != "_"]
    loaded = loaded_by(f"import {', '.join(f'understudy.parameters.{name}' for name in names)}")
    assert loaded & {"numpy", "pyarrow", "pandas", "numba", "scipy", "sklearn", "sqlalchemy"} == set()


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield all functions of a file, including nested ones."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def local_imports(tree: ast.AST) -> dict[int, ast.stmt]:
    """Return the imports inside functions by line number."""
    nodes = (node for function in functions(tree) for node in ast.walk(function))
    return {node.lineno: node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)}


def test_number_of_local_imports_is_limited():
    places = [f"{path}:{line}" for path in sources() for line in local_imports(parsed(path))]
    assert len(places) <= LOCAL_IMPORTS_MAX, places


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_local_import_has_a_comment_with_its_reason(path: Path):
    text = path.read_text()
    lines, imports = text.splitlines(), local_imports(parsed(path))
    last_lines = {node.end_lineno for node in imports.values()}
    for line, node in imports.items():
        has_comment = "#" in lines[line - 1] or lines[line - 2].lstrip().startswith("#")
        # One comment is enough for a block of imports.
        assert has_comment or line - 1 in last_lines, f"{path}:{line}: {ast.unparse(node)}"


def test_no_function_is_longer_than_60_lines():
    long = [
        f"{path}:{function.name}"
        for path in sources()
        for function in functions(parsed(path))
        if function.end_lineno - function.lineno >= FUNCTION_LINES_MAX
    ]
    assert len(long) <= LONG_FUNCTIONS_MAX, long


def arguments_of(function: Function) -> list[str]:
    """Return the names of a function's arguments, without ``self`` and ``cls``."""
    arguments = function.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def test_number_of_functions_with_more_than_five_arguments_is_limited():
    commands = {command.load.partition(":")[2] for command in COMMANDS}
    many = [
        f"{path}:{function.name}"
        for path in sources()
        for function in functions(parsed(path))
        if len(arguments_of(function)) > ARGUMENTS_MAX
        and not (path.parent.name == "cli" and function.name in commands)
    ]
    assert len(many) <= MANY_ARGUMENTS_MAX, many


def modules() -> dict[str, Path]:
    """Return the files of the product by module name."""
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sources()}
    return {name.removesuffix(".__init__"): path for name, path in named.items()}


def imports_of(path: Path, known: Collection[str]) -> set[str]:
    """Return the known modules that a file imports at its top, in a function, or as ``module:name``."""
    tree = parsed(path)
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    named: list[str] = []
    for node in set(ast.walk(tree)) - typing_only:
        if isinstance(node, ast.Import):
            named += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = [f"{node.module}.{alias.name}" for alias in node.names]
            named += [member if member in known else node.module for member in members]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named += [node.value.partition(":")[0]] if ":" in node.value else []
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            named += [argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)]
    return {name for name in named if name in known}


def test_modules_have_no_import_cycles():
    known = modules()
    graph = {name: imports_of(path, known) - {name} for name, path in known.items()}
    # A cycle raises CycleError, which lists its modules.
    assert len(list(TopologicalSorter(graph).static_order())) == len(known)
