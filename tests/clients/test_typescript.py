"""Tests for the TypeScript client: strict compilation, its own tests, and a scenario on a real service."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.csv as pacsv
import pytest

import understudy
from tests.clients.tables import write_people
from tests.faults.stack import Stack, open_stack
from tools.clients.typescript import NODE, PACKAGE, ROOT, build
from understudy.services.api_keys import create_api_key

TIMEOUT_SECONDS = 400
EXAMPLE = re.compile(r"```ts\n(.*?)```", re.DOTALL)
PAGES = (PACKAGE / "README.md", ROOT / "docs" / "tutorials" / "first-table-with-typescript.md")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a copy of the package with the documentation's examples as additional modules."""
    root = tmp_path_factory.mktemp("typescript")
    copied = root / "clients" / "typescript"
    ignored = shutil.ignore_patterns("node_modules", "dist", "generated")
    shutil.copytree(PACKAGE, copied, ignore=ignored)
    shutil.copy(ROOT / "openapi.json", root)
    for number, source in enumerate(source for page in PAGES for source in EXAMPLE.findall(page.read_text())):
        (copied / "test" / f"example{number}.ts").write_text(source)
    build(copied)
    return copied


@pytest.fixture(scope="module")
def stack(postgres: str, valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start an API and a worker with a new database."""
    with open_stack(postgres, valkey, tmp_path_factory.mktemp("stack")) as stack:
        stack.start_api()
        stack.start_worker()
        yield stack


def run_node(*arguments: str, cwd: Path, **environment: str) -> str:
    """Run a program with Node and return what it writes to stdout."""
    result = subprocess.run(
        [NODE, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_version_of_the_package_equals_the_version_of_the_service() -> None:
    assert json.loads((PACKAGE / "package.json").read_text())["version"] == understudy.__version__


def test_lock_file_contains_a_digest_of_each_package_and_no_download_address() -> None:
    packages = json.loads((PACKAGE / "package-lock.json").read_text())["packages"]
    assert len(packages) > 10
    assert all("resolved" not in entry for entry in packages.values())
    assert all("integrity" in entry for name, entry in packages.items() if name)


def test_unit_tests_of_the_package_pass(package: Path) -> None:
    tests = sorted(str(path) for path in (package / "dist" / "test").glob("*.test.js"))
    summary = run_node("--test", "--test-reporter=tap", *tests, cwd=package)
    counts = dict(re.findall(r"^# (tests|pass|skipped) (\d+)$", summary, re.MULTILINE))
    assert int(counts["tests"]) > 30
    assert counts["pass"] == counts["tests"]


def test_source_files_other_than_node_ts_import_only_each_other(package: Path) -> None:
    imports = {
        name
        for path in (package / "src").glob("*.ts")
        if path.name != "node.ts"
        for name in re.findall(r'from "([^"]+)"', path.read_text())
    }
    assert imports
    assert all(name.startswith("./") for name in imports)


@pytest.mark.stack
def test_scenario_survives_broken_connections_and_a_restart(
    package: Path, stack: Stack, tmp_path: Path
) -> None:
    proxy, api = stack.proxy_api(), stack.start_api()
    key = create_api_key(stack.resources, stack.project_id, "typescript")[1]
    script = package / "dist" / "test" / "scenario.js"
    arguments = [NODE, script, f"http://127.0.0.1:{proxy.port}", key, write_people(tmp_path)]
    faults = []
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            faults.append(line.strip())
            if line == "cut\n":
                assert proxy.cut() > 0
            elif line == "restart\n":
                api.kill()
                api.start()
            elif line == "break downloads\n":
                proxy.reset_after_bytes = 2_000
                proxy.cut()
        errors = process.stderr.read()
    assert process.returncode == 0, errors
    assert faults == ["cut", "restart", "break downloads", "done"]


@pytest.mark.stack
def test_quickstart_of_the_package_runs(package: Path, stack: Stack, tmp_path: Path) -> None:
    key = create_api_key(stack.resources, stack.project_id, "typescript")[1]
    write_people(tmp_path)
    url = f"http://127.0.0.1:{stack.start_api().port}"
    example = package / "dist" / "test" / "example0.js"
    shown = run_node(str(example), cwd=tmp_path, UNDERSTUDY_URL=url, UNDERSTUDY_API_KEY=key)
    assert "100 %" in shown
    assert pacsv.read_csv(tmp_path / "synthetic.csv").column_names == ["age", "city", "income", "code"]
