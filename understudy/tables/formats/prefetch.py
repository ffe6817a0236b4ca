"""An iterator that works while its consumer does."""

from __future__ import annotations

from collections.abc import Generator
from queue import Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")

_END = object()


def prefetch(items: Generator[Item, None, None], n_ahead: int) -> Generator[Item, None, None]:
    """Yield what a generator yields, which runs in a thread of its own, up to n_ahead items ahead.

    An error of the generator is raised where its item was to come. It is closed, in its thread, when this one
    is: see to that, since what it reads may be gone afterwards.
    """
    queue: Queue[object] = Queue(maxsize=n_ahead)
    is_over = Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            for item in items:
                if is_over.is_set():
                    break
                queue.put(item)
        except BaseException as error:
            failures.append(error)
        finally:
            items.close()
            queue.put(_END)

    thread = Thread(target=run, name="read-ahead", daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not _END:
            yield item  # type: ignore[misc] # what is not the end is an item
        if failures:
            raise failures[0]
    finally:
        is_over.set()
        while thread.is_alive():
            # It may wait for room.
            while not queue.empty():
                queue.get_nowait()
            thread.join(0.01)
