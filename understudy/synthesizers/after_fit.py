"""Model cards and model files of fitted synthesizers.

A fit does not need the members of this module, so they are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.lazy_members import lazy_members

if TYPE_CHECKING:
    from understudy.synthesizers.cards import make_card
    from understudy.synthesizers.entities.files import entities_from_arrays, entities_to_arrays

__all__ = ["entities_from_arrays", "entities_to_arrays", "make_card"]

__getattr__ = lazy_members(
    __name__,
    "understudy.synthesizers.entities.files:entities_from_arrays",
    "understudy.synthesizers.entities.files:entities_to_arrays",
    "understudy.synthesizers.cards:make_card",
)
