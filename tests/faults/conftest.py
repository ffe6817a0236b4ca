"""A stack for the tests of a module. No test leaves queued jobs in the stack.

With the environment variable `UNDERSTUDY_TESTS_BROKER=none`, the tests run without a broker, except the tests
of the broker itself. `test_without_broker.py` is the part of them that always runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.faults.stack import Stack, open_stack

WITH_BROKER = os.environ.get("UNDERSTUDY_TESTS_BROKER") != "none"
collect_ignore = [] if WITH_BROKER else ["test_broker_faults.py"]
# Tests of messages or of the processes of Celery's pool.
BROKER_TESTS = {
    "test_job_is_rescued_after_its_pool_process_is_killed",
    "test_each_job_runs_only_once_despite_surplus_messages",
    "test_busy_worker_neither_reserves_messages_nor_sends_surplus_messages",
    "test_unreadable_messages_are_ignored",
    "test_worker_finishes_its_jobs_while_the_broker_hangs",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a broker, do not select the tests of the broker."""
    if not WITH_BROKER:
        items[:] = [item for item in items if item.name not in BROKER_TESTS]


@pytest.fixture(scope="module")
def stack(postgres: str, valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Create a database and empty the broker for a module, without starting a worker."""
    folder = tmp_path_factory.mktemp("stack")
    with open_stack(postgres, valkey, folder, with_broker=WITH_BROKER) as stack:
        yield stack
