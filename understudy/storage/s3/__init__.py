"""Blobs as objects in a bucket of Amazon S3, or of a store with the same interface."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING

from understudy.storage.base import StoreAddress

if TYPE_CHECKING:
    from understudy.storage.s3.store import S3Store

# The client library takes 0.3 s and 30 MB, so only installations with an object store load it.
STORE = "understudy.storage.s3.store:S3Store"


def open_s3(address: StoreAddress) -> S3Store:
    """Open the store with a URL such as ``s3://bucket/prefix``, without sending a request."""
    store: S3Store = resolve_name(STORE)(address)
    return store
