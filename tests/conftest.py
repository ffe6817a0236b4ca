"""Selection of tests with and without the service, and fixtures that do not need the service."""

from __future__ import annotations

import os
from datetime import date
from importlib.util import find_spec

import hypothesis
import pyarrow as pa
import pytest

# Property-based tests use the same cases on every machine. `make fuzz` searches for new cases.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.register_profile("searching", max_examples=2_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

HAS_SERVICE = find_spec("sqlalchemy") is not None
# Files and folders with tests that are not collected without the extra `service`.
SERVICE_TESTS = (
    "api",
    "clients",
    "containers",
    "contracts/test_job_kinds.py",
    "contracts/test_stores.py",
    "faults",
    "integration",
    "test_architecture.py",
    "test_container_files.py",
    "test_openapi.py",
    "upgrades",
    "unit/cli/test_keys.py",
    "unit/cli/test_operations.py",
    "unit/cli/test_settings.py",
    "unit/db",
    "unit/embedded",
    "unit/job_kinds",
    "unit/services",
    "unit/storage/test_s3.py",
    "unit/test_error_words.py",
    "unit/test_job_queue.py",
    "unit/test_logs.py",
    "unit/test_resources.py",
    "unit/workers",
    "unit/test_upload_pauses.py",
)
collect_ignore = [] if HAS_SERVICE else list(SERVICE_TESTS)
pytest_plugins = ["tests.service", "tests.object_store"] if HAS_SERVICE else []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a database or a broker, so that ``-m "not database"`` excludes them."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "postgres" in fixtures or "valkey" in fixtures or item.get_closest_marker("stack"):
            item.add_marker("database")


@pytest.fixture(scope="session")
def small_table() -> pa.Table:
    """Return 200 rows with columns of the usual kinds and missing values."""
    rows = range(200)
    return pa.table(
        {
            "id": pa.array(rows, pa.int64()),
            "city": pa.array([("Oslo", "Rome", "Lima")[row * row % 3] for row in rows]),
            "age": pa.array([None if row % 17 == 0 else 20 + row * 7 % 50 for row in rows], pa.int64()),
            "income": pa.array([None if row % 13 == 0 else 1000.0 + row * 37 % 900 for row in rows]),
            "is_member": pa.array([row % 3 == 0 for row in rows]),
            "since": pa.array([date(2020 + row % 4, 1 + row % 12, 1 + row % 28) for row in rows]),
        }
    )
