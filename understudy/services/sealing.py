"""Encryption of stored text with AES-256-GCM (NIST SP 800-38D), under a key derived from the secret key.

A stolen database does not reveal sealed text without the installation's secret key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from understudy.errors import Unavailable

NONCE_BYTES = 12
PURPOSE = b"understudy sealed text"


def seal(secret_key: bytes, text: str, context: bytes) -> str:
    """Encrypt text and return it in Base64. It can be decrypted only with the same context."""
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(_key(secret_key)).encrypt(nonce, text.encode(), context)
    return base64.b64encode(nonce + sealed).decode()


def unseal(secret_key: bytes, sealed: str, context: bytes, *, detail: str) -> str:
    """Return the text that was sealed in the given context.

    Parameters
    ----------
    detail : str
        Detail of the error if the text cannot be decrypted.

    Raises
    ------
    Unavailable
        If the secret key of the installation has changed since then, or if the stored text was altered.
    """
    content = base64.b64decode(sealed)
    try:
        return (
            AESGCM(_key(secret_key)).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], context).decode()
        )
    except InvalidTag as error:
        raise Unavailable(detail) from error


def _key(secret_key: bytes) -> bytes:
    return hmac.new(secret_key, PURPOSE, hashlib.sha256).digest()
