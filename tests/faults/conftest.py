"""Fixtures that share one stack among the tests of a module. Each test must end its jobs.

`make faults` runs all tests with a broker and, except for the tests marked `broker`, also without one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.faults.invariants import Reader
from tests.faults.stack import MODES, Stack, open_stack

# `make test` runs a slice of these tests, and `make faults` runs all of them.
IS_COMPLETE = os.environ.get("FAULTS") == "all"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect `complete` tests in a partial run and `broker` tests in the mode without a broker."""
    others = [item for item in items if not _is_selected(item)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def _is_selected(item: pytest.Item) -> bool:
    if item.get_closest_marker("complete") and not IS_COMPLETE:
        return False
    call = getattr(item, "callspec", None)
    is_without_broker = call is not None and call.params.get("mode") == "none"
    return not (is_without_broker and item.get_closest_marker("broker"))


@pytest.fixture(scope="module", params=list(MODES) if IS_COMPLETE else ["broker"])
def mode(request: pytest.FixtureRequest) -> str:
    """Return the stack mode, one of `MODES`."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def stack(mode: str, postgres: str, valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Create a database and empty the broker for a module, without starting a worker."""
    with open_stack(postgres, valkey, tmp_path_factory.mktemp("stack"), mode) as stack:
        yield stack


@pytest.fixture(autouse=True)
def invariants(stack: Stack) -> Iterator[None]:
    """Check the invariants during and after each test."""
    with Reader(stack) as reader:
        yield
    stack.worker_points.clear()
    stack.api_points.clear()
    assert reader.violations == []
    stack.check()
