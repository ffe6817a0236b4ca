"""The headers `Content-Digest` and `Repr-Digest` (RFC 9530), which declare the SHA-256 of a body."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping

from understudy.errors import InvalidInput

HEADERS = ("Content-Digest", "Repr-Digest")
# The member `sha-256` of a dictionary (RFC 8941). The dictionary may also contain other algorithms.
_SHA256 = re.compile(r"(?:^|,)[ \t]*sha-256=:(?P<base64>[A-Za-z0-9+/]{43}=):[ \t]*(?:;[^,]*)?(?=,|$)")


def read_digests(headers: Mapping[str, str]) -> list[bytes]:
    """Return the SHA-256 of each digest header that is present.

    Both headers have the same meaning here because compressed bodies are rejected.

    Raises
    ------
    InvalidInput
        If a digest header contains no SHA-256.
    """
    return [read_digest(headers[name], name) for name in HEADERS if name in headers]


def read_digest(text: str, header: str = "Content-Digest") -> bytes:
    """Return the SHA-256 in a digest header."""
    match = _SHA256.search(text)
    if match is None:
        raise InvalidInput(
            f"{header} contains no SHA-256. Send the digest as `sha-256=:DIGEST:` (RFC 9530), in Base64.",
            code="invalid_parameters",
        )
    return base64.b64decode(match["base64"])


def check_digests(expected: list[bytes], actual: bytes) -> None:
    """Raise `InvalidInput` unless the SHA-256 of a body equals all expected digests."""
    if not all(hmac.compare_digest(digest, actual) for digest in expected):
        raise InvalidInput(
            "The SHA-256 of the body does not match the digest in the header, so the body was not stored. "
            "Send the request again with the correct body and digest.",
            code="digest_mismatch",
        )
