"""`Content-Digest` and `Repr-Digest` (RFC 9530): what a body must hash to, as its sender says."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping

from understudy.errors import InvalidInput

HEADERS = ("Content-Digest", "Repr-Digest")
# A dictionary (RFC 8941) of which one member is ours; other algorithms may stand beside it.
_SHA256 = re.compile(r"(?:^|,)[ \t]*sha-256=:(?P<base64>[A-Za-z0-9+/]{43}=):[ \t]*(?:;[^,]*)?(?=,|$)")


def read_digests(headers: Mapping[str, str]) -> list[bytes]:
    """Return the SHA-256 of each digest header that is there.

    Both headers say the same, since compressed bodies are not taken.

    Raises
    ------
    InvalidInput
        If such a header tells no SHA-256.
    """
    return [read_digest(headers[name], name) for name in HEADERS if name in headers]


def read_digest(text: str, header: str = "Content-Digest") -> bytes:
    """Return the SHA-256 that a header tells."""
    found = _SHA256.search(text)
    if found is None:
        raise InvalidInput(
            f"{header} tells no SHA-256 in the form of RFC 9530: `sha-256=:`, the digest in base 64, `:`.",
            code="invalid_parameters",
        )
    return base64.b64decode(found["base64"])


def check_digests(expected: list[bytes], found: bytes) -> None:
    """Raise `InvalidInput` unless a body has the digests that it was sent with."""
    if not all(hmac.compare_digest(digest, found) for digest in expected):
        raise InvalidInput(
            "The body's SHA-256 is not the one that its header tells: it changed on its way, or before."
            " Nothing was kept; send it again.",
            code="digest_mismatch",
        )
