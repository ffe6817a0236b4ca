"""Ed25519 keys (RFC 8032) that sign evidence packs."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from understudy.errors import InvalidInput

PURPOSE = b"understudy evidence ed25519 1\0"
KEY_BYTES = 32


def derived_key(secret: bytes, owner: bytes) -> Ed25519PrivateKey:
    """Return the key of an owner, such as a project. The same secret and owner always give the same key.

    Notes
    -----
    The key is derived from the installation's secret by HKDF-SHA-256 (RFC 5869), so that no private key is
    stored in the database.
    """
    seed = HKDF(SHA256(), KEY_BYTES, salt=None, info=PURPOSE + owner).derive(secret)
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_text(key: Ed25519PublicKey) -> str:
    """Return the 32 bytes of a public key in Base64."""
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def key_id(key: Ed25519PublicKey) -> str:
    """Return a short ID of a public key that people can compare: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def read_public_key(text: str) -> Ed25519PublicKey:
    """Return a public key from Base64 or PEM.

    Raises
    ------
    InvalidInput
        If the text is not a key in either format.
    """
    try:
        if text.lstrip().startswith("-----BEGIN"):
            key = load_pem_public_key(text.encode())
            if isinstance(key, Ed25519PublicKey):
                return key
        else:
            return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        pass
    raise InvalidInput(
        "The public key is not a valid Ed25519 key. Provide it in Base64 (44 characters) or PEM.",
        code="invalid_key",
    )


def load_or_make_key(path: Path) -> Ed25519PrivateKey:
    """Return the private key in a PEM file. If the file does not exist, write a new key to the file.

    Raises
    ------
    InvalidInput
        If the file does not contain an Ed25519 key, or cannot be written.
    """
    if not path.exists():
        return _make_key(path)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, OSError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInput(
            f"{path} does not contain an Ed25519 private key in PEM format without a password. Specify a "
            "file that contains such a key, or, to create a key, a path that does not exist.",
            code="invalid_key",
        )
    return key


def _make_key(path: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        # Only the owner of the file may read and write it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidInput(
            f"The key cannot be written to {path}: {error.strerror}. Specify a file in an existing, writable "
            "folder.",
            code="invalid_key",
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return key
