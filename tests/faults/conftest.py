"""A stack for the tests of a module. No test leaves queued jobs in the stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.stack import Stack, open_stack


@pytest.fixture(scope="module")
def stack(postgres: str, valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Create a database and empty the broker for a module, without starting a worker."""
    with open_stack(postgres, valkey, tmp_path_factory.mktemp("stack")) as stack:
        yield stack
