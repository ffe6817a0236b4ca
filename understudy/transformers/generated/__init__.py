"""Generated columns: identifiers, free text and personal values, which are not learned.

`recognition` decides which columns are generated. A *generator* makes up the value of a row from the seed and
the row number. The modules in this package are imported on first use because most tables need only a few of
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.lazy_members import lazy_members

if TYPE_CHECKING:
    from understudy.transformers.generated.composed import Composed
    from understudy.transformers.generated.composition import check_sources, compose_identifiers, composed_of
    from understudy.transformers.generated.fitting import fit_generated, name_people
    from understudy.transformers.generated.json_texts import may_identify
    from understudy.transformers.generated.loading import load_generated
    from understudy.transformers.generated.made_up_levels import CODE_MARK, make_up_levels
    from understudy.transformers.generated.personal import Personal
    from understudy.transformers.generated.placed_codes import PlacedCodes
    from understudy.transformers.generated.places import place_postal_codes, place_towns

__all__ = [
    "CODE_MARK",
    "Composed",
    "Personal",
    "PlacedCodes",
    "check_sources",
    "compose_identifiers",
    "composed_of",
    "fit_generated",
    "load_generated",
    "make_up_levels",
    "may_identify",
    "name_people",
    "place_postal_codes",
    "place_towns",
]

__getattr__ = lazy_members(
    __name__,
    "understudy.transformers.generated.made_up_levels:CODE_MARK",
    "understudy.transformers.generated.composed:Composed",
    "understudy.transformers.generated.personal:Personal",
    "understudy.transformers.generated.placed_codes:PlacedCodes",
    "understudy.transformers.generated.composition:check_sources",
    "understudy.transformers.generated.composition:compose_identifiers",
    "understudy.transformers.generated.composition:composed_of",
    "understudy.transformers.generated.fitting:fit_generated",
    "understudy.transformers.generated.loading:load_generated",
    "understudy.transformers.generated.made_up_levels:make_up_levels",
    "understudy.transformers.generated.json_texts:may_identify",
    "understudy.transformers.generated.fitting:name_people",
    "understudy.transformers.generated.places:place_postal_codes",
    "understudy.transformers.generated.places:place_towns",
)
