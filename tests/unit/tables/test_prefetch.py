"""Tests for iterators that run ahead of their consumers."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from understudy.tables.formats.prefetch import prefetch


def numbers(n: int, closed: list[str], *, fails_at: int | None = None) -> Generator[int, None, None]:
    """Yield whole numbers, and record the thread that closes the generator."""
    try:
        for number in range(n):
            if number == fails_at:
                raise OSError(28, "No space left")
            yield number
    finally:
        closed.append(threading.current_thread().name)


@pytest.mark.parametrize("n_ahead", [1, 7])
def test_items_are_yielded_in_order(n_ahead: int) -> None:
    closed: list[str] = []
    assert list(prefetch(numbers(100, closed), n_ahead)) == list(range(100))
    assert closed == ["read-ahead"]


def test_error_is_raised_after_the_preceding_items() -> None:
    ahead = prefetch(numbers(100, [], fails_at=3), 2)
    assert [next(ahead) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="No space left"):
        next(ahead)


def test_closing_the_iterator_closes_the_generator() -> None:
    closed: list[str] = []
    ahead = prefetch(numbers(10**9, closed), 4)
    assert next(ahead) == 0
    ahead.close()
    assert closed == ["read-ahead"]
    assert "read-ahead" not in [thread.name for thread in threading.enumerate()]
