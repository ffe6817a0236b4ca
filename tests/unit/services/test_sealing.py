"""Tests for sealed text."""

from __future__ import annotations

import base64

import pytest

from understudy.errors import Unavailable
from understudy.services.sealing import seal, unseal

SECRET = b"a secret key of at least 32 bytes"


def test_sealed_text_can_be_unsealed_only_with_its_key_and_context() -> None:
    sealed = seal(SECRET, "sk_é", b"project 1")
    assert unseal(SECRET, sealed, b"project 1", detail="") == "sk_é"
    for key, context in ((SECRET, b"project 2"), (b"another key", b"project 1")):
        with pytest.raises(Unavailable, match="the key has changed"):
            unseal(key, sealed, context, detail="the key has changed")


def test_altered_text_cannot_be_unsealed() -> None:
    content = bytearray(base64.b64decode(seal(SECRET, "text", b"")))
    content[-1] ^= 1
    with pytest.raises(Unavailable):
        unseal(SECRET, base64.b64encode(content).decode(), b"", detail="")


def test_equal_texts_are_sealed_differently() -> None:
    assert seal(SECRET, "text", b"") != seal(SECRET, "text", b"")
