"""A stack for the tests of a module: each leaves it without a waiting job."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.stack import Stack, open_stack


@pytest.fixture(scope="module")
def stack(postgres: str, valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Make a database and an empty broker of the module's own; no worker runs yet."""
    with open_stack(postgres, valkey, tmp_path_factory.mktemp("stack")) as stack:
        yield stack
