"""Verification of webhook messages according to the Standard Webhooks specification."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from understudy_client.errors import InvalidWebhook

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of secrets, not a secret
TOLERANCE_SECONDS = 300.0


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes | str,
    secret: str | Iterable[str],
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now_seconds: float | None = None,
) -> dict[str, Any]:
    """Check that a message comes from the service, and return its content.

    A message can arrive more than once. Its header ``webhook-id`` is the same each time.

    Parameters
    ----------
    headers : mapping
        Headers of the request. The case of their names does not matter.
    body : bytes or str
        Body of the request, exactly as it was received.
    secret : str or iterable of str
        Secret of the webhook. While a secret is being rotated, pass the old and the new one.
    tolerance_seconds : float
        Maximum age of a message, and maximum difference between the clocks.
    now_seconds : float, optional
        Current Unix time.

    Raises
    ------
    InvalidWebhook
        If a header is missing, the message is too old, or no signature matches.
    ValueError
        If a secret is empty or not Base64.
    """
    named = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, signatures = (_header(named, name) for name in ("id", "timestamp", "signature"))
    _check_age(timestamp, tolerance_seconds, time.time() if now_seconds is None else now_seconds)
    content = body.encode() if isinstance(body, str) else body
    signed = f"{message_id}.{timestamp}.".encode() + content
    secrets = [secret] if isinstance(secret, str) else list(secret)
    expected = [_signature(_key(text), signed) for text in secrets]
    if not _has_match(signatures, expected):
        raise InvalidWebhook(
            "No signature of the message matches the secret. Check the secret, and pass the body as it was "
            "received."
        )
    try:
        payload = json.loads(content)
    except ValueError as error:
        raise InvalidWebhook("The body of the message is not JSON.") from error
    if not isinstance(payload, dict):
        raise InvalidWebhook("The body of the message is not a JSON object.")
    return payload


def _header(named: Mapping[str, str], name: str) -> str:
    value = named.get(f"webhook-{name}")
    if not value:
        raise InvalidWebhook(f"The header `webhook-{name}` is missing. Pass the headers of the request.")
    return value


def _check_age(timestamp: str, tolerance_seconds: float, now_seconds: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise InvalidWebhook("The header `webhook-timestamp` is not a Unix time.")
    age_seconds = now_seconds - int(timestamp)
    if abs(age_seconds) > tolerance_seconds:
        raise InvalidWebhook(
            f"The message is {'too old' if age_seconds > 0 else 'from the future'} by "
            f"{abs(age_seconds) - tolerance_seconds:.0f} s. Check the clock of this machine."
        )


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("The secret is not Base64. Copy it again, including `whsec_`.") from error
    if not key:
        # Anyone can sign a message with an empty key.
        raise ValueError("The secret is empty. Pass the secret of the webhook, which begins with `whsec_`.")
    return key


def _signature(key: bytes, signed: bytes) -> bytes:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())


def _has_match(signatures: str, expected: list[bytes]) -> bool:
    """Compare all signatures with all secrets in constant time."""
    is_match = False
    for entry in signatures.split(" "):
        version, _, signature = entry.partition(",")
        for candidate in expected:
            is_equal = hmac.compare_digest(signature.encode(), candidate)
            is_match |= version == "v1" and is_equal
    return is_match
