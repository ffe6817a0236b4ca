"""Encryption of text without loading the encryption library before it is needed."""

from __future__ import annotations

from types import ModuleType


def sealing() -> ModuleType:
    """Return the module `sealing`."""
    # This import is local because few requests need cryptography, which takes 10 MB in each API process.
    from understudy.services import sealing

    return sealing
