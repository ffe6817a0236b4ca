"""Functions for tables with entities. They are imported on first use: many tables have no entities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.lazy_members import lazy_members

if TYPE_CHECKING:
    from understudy.synthesizers.entities.arrangement import arrange_entities, strata_of
    from understudy.synthesizers.entities.detection import first_rows_of, is_determined, make_groups

__all__ = ["arrange_entities", "first_rows_of", "is_determined", "make_groups", "strata_of"]

__getattr__ = lazy_members(
    __name__,
    "understudy.synthesizers.entities.arrangement:arrange_entities",
    "understudy.synthesizers.entities.detection:first_rows_of",
    "understudy.synthesizers.entities.detection:is_determined",
    "understudy.synthesizers.entities.detection:make_groups",
    "understudy.synthesizers.entities.arrangement:strata_of",
)
