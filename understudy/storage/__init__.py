"""Blob stores, registered by the scheme of their URL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from understudy.errors import UnderstudyError
from understudy.storage.base import Store, StoreAddress, StoreOptions
from understudy.storage.local import LocalStore
from understudy.storage.memory import MemoryStore
from understudy.storage.s3 import open_s3

__all__ = ["STORES", "LocalStore", "MemoryStore", "Store", "StoreAddress", "StoreOptions", "open_store"]

# Functions that open a store from the parts of its URL, by scheme.
STORES: dict[str, Callable[[StoreAddress], Store]] = {
    "file": lambda address: LocalStore(Path(address.path)),
    "memory": lambda address: MemoryStore(),
    "s3": open_s3,
}


def open_store(url: str, options: StoreOptions | None = None) -> Store:
    """Open the store with a URL such as ``file:///var/lib/understudy/blobs`` or ``s3://bucket/prefix``."""
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
    address = StoreAddress(parts.netloc, unquote(parts.path), options or StoreOptions())
    return STORES[parts.scheme](address)
