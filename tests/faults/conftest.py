"""A stack for the tests of a module: each leaves it without a waiting job."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import TEMPLATE, execute, url_of
from tests.faults.stack import Stack


@pytest.fixture(scope="module")
def stack(postgres: str, valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Make a database and an empty broker of the module's own; no worker runs yet."""
    name = f"faults_{tmp_path_factory.mktemp('faults').name}"
    execute(postgres, f"create database {name} template {TEMPLATE}")
    stack = Stack(url_of(postgres, name), valkey, tmp_path_factory.mktemp("stack"))
    stack.broker.flushall()
    yield stack
    stack.close()
    execute(postgres, f"drop database {name} with (force)")
