"""Run a generator in a thread that computes items before the consumer requests them."""

from __future__ import annotations

from collections.abc import Generator
from queue import Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")

_END = object()


def prefetch(items: Generator[Item, None, None], n_ahead: int) -> Generator[Item, None, None]:
    """Run a generator in a thread, with up to n_ahead items in advance, and yield its items.

    If the generator raises an error, this iterator first yields the items before the error. Closing this
    iterator stops the thread and closes the generator. Close the iterator before you remove the files that
    the generator reads.
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
            yield item  # type: ignore[misc] # everything except _END is an item
        if failures:
            raise failures[0]
    finally:
        is_over.set()
        while thread.is_alive():
            # The thread may be waiting for space in the queue.
            while not queue.empty():
                queue.get_nowait()
            thread.join(0.01)
