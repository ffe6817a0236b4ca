"""Blob stores, registered by the scheme of their URL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from understudy.errors import UnderstudyError
from understudy.storage.base import Store
from understudy.storage.local import LocalStore
from understudy.storage.memory import MemoryStore

__all__ = ["STORES", "LocalStore", "MemoryStore", "Store", "open_store"]

# Functions that open a store from the path in its URL, by scheme.
STORES: dict[str, Callable[[str], Store]] = {
    "file": lambda path: LocalStore(Path(path)),
    "memory": lambda path: MemoryStore(),
}


def open_store(url: str) -> Store:
    """Open the store with a URL such as ``file:///var/lib/understudy/blobs``."""
    parts = urlsplit(url)
    if parts.scheme not in STORES:
        raise UnderstudyError(
            f"UNDERSTUDY_STORAGE_URL has the unknown scheme {parts.scheme!r}. Use one of "
            f"{', '.join(sorted(STORES))}.",
            code="configuration",
        )
    if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/")):
        raise UnderstudyError(
            "UNDERSTUDY_STORAGE_URL is not the URL of a folder. Write three slashes, as in file:///folder.",
            code="configuration",
        )
    return STORES[parts.scheme](unquote(parts.path))
