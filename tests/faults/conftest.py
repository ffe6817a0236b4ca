"""A stack for the tests of a module. No test leaves queued jobs in the stack.

With the environment variable `UNDERSTUDY_TESTS_BROKER=none`, all tests of this folder run without a broker,
except the tests of faults of the broker.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.faults.stack import Stack, open_stack

WITH_BROKER = os.environ.get("UNDERSTUDY_TESTS_BROKER") != "none"
collect_ignore = [] if WITH_BROKER else ["test_broker_faults.py"]


@pytest.fixture(scope="module")
def stack(postgres: str, valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Create a database and empty the broker for a module, without starting a worker."""
    folder = tmp_path_factory.mktemp("stack")
    with open_stack(postgres, valkey, folder, with_broker=WITH_BROKER) as stack:
        yield stack
