"""Checks that unmarked tests start no database and that engine tests need no service."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
# MODULES maps packages to modules with other names. DEPENDENCIES lists modules of indirect dependencies.
MODULES = {"python-multipart": "multipart", "pydantic-settings": "pydantic_settings"}
DEPENDENCIES = ("httpx2", "kombu", "mako", "redis", "starlette")
COLLECT = """
import sys
sys.modules.update(dict.fromkeys(sys.argv[1:]))
import pytest
sys.exit(pytest.main(["--collect-only", "-q", "-m", "not database", "-p", "_hypothesis_pytestplugin"]))
"""


def service_modules() -> set[str]:
    """Return the modules that are installed only with the service."""
    requirements = [Requirement(line) for line in requires("understudy") or ()]
    names = [
        requirement.name
        for requirement in requirements
        for extra in ("service", "embedded", "client")
        if requirement.marker and not requirement.marker.evaluate({"extra": ""})
        if requirement.marker.evaluate({"extra": extra})
    ]
    return {MODULES.get(name, name.replace("-", "_")) for name in names} | set(DEPENDENCIES)


def test_engine_tests_are_collected_without_the_service():
    modules = service_modules()
    assert {"sqlalchemy", "celery", "fastapi"} <= modules
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", COLLECT, *sorted(modules)]
    collected = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert collected.returncode == 0, collected.stdout[-2_000:]
    assert "tests/unit/synthesizers" in collected.stdout
    assert "tests/api" not in collected.stdout


def test_tests_that_use_the_database_are_marked(request: pytest.FixtureRequest):
    marked = {item.nodeid: item.get_closest_marker("database") is not None for item in request.session.items}
    assert not marked[request.node.nodeid]
    users = [item for item in request.session.items if "postgres" in getattr(item, "fixturenames", ())]
    assert all(marked[item.nodeid] for item in users)
