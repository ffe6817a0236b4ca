"""ETags and the conditions of a request: `If-None-Match` for reading, `If-Match` for changes and deletions.

The ETag of a resource is the digest of its JSON, so every resource has one, and it changes exactly when the
resource changes. `app.etags` adds it to the responses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from pydantic import BaseModel

from understudy.errors import PreconditionFailed

# ETag suffix for a compressed representation, as in Apache's mod_deflate.
COMPRESSED = '-gzip"'


def etag_of(body: BaseModel) -> str:
    """Return the ETag of a resource, given its response body."""
    return json_etag(body.model_dump(mode="json", by_alias=True, exclude_none=True))


def json_etag(value: Any) -> str:
    """Return the ETag of a JSON value, which does not depend on the order of the members."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def is_unchanged(request: Request, etag: str) -> bool:
    """Return whether `If-None-Match` contains the current ETag."""
    etags = read_etags(request.headers.get("if-none-match")) or frozenset()
    # Weak ETags match here, but not in `If-Match` (RFC 9110, sections 13.1.1 and 13.1.2).
    return not etags.isdisjoint({etag, f"W/{etag}", "*"})


def variant_of(request: Request, etag: str) -> str:
    """Return the ETag of the representation that the caller has: the plain or the compressed one."""
    compressed = etag.removesuffix('"') + COMPRESSED
    return compressed if compressed in request.headers.get("if-none-match", "") else etag


def read_etags(text: str | None) -> frozenset[str] | None:
    """Return the ETags in a header, without compression suffixes, or None if there is no header."""
    if text is None:
        return None
    tags = (tag.strip() for tag in text.split(","))
    return frozenset(tag.removesuffix(COMPRESSED) + '"' if tag.endswith(COMPRESSED) else tag for tag in tags)


@dataclass(frozen=True)
class Precondition:
    """The versions of a resource that a change or a deletion accepts. None accepts every version."""

    etags: frozenset[str] | None

    def check(self, current: Callable[[], str]) -> None:
        """Raise `PreconditionFailed` if the current version of the resource is not accepted.

        Call this method in the transaction that makes the change, after locking the row.

        Parameters
        ----------
        current : callable
            Function that returns the current ETag. It is called only if a version is required.
        """
        if self.etags is None or "*" in self.etags:
            return
        if current() not in self.etags:
            raise PreconditionFailed(
                "The resource has changed since you read it: its ETag differs from If-Match. Read it again,"
                " and repeat the request with the new ETag."
            )


async def _precondition(
    if_match: Annotated[
        str | None,
        Header(
            description="ETag of the resource that you read. If the resource has changed since then, the"
            " request fails with 412.",
        ),
    ] = None,
) -> Precondition:
    return Precondition(read_etags(if_match))


PreconditionDep = Annotated[Precondition, Depends(_precondition)]
